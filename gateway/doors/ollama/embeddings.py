"""Embeddings as Ollama's clients ask for them: https://docs.ollama.com/api/embed"""

from gateway.doors import embeddings
from gateway.doors.ollama import (
    NAME,
    about,
    answer_headers,
    render_error,
    status_of,
)
from gateway.doors.ollama.listing import named
from gateway.doors.protocol import JSON, Asked, Sent
from gateway.wire.jsontext import decode

__all__ = [
    "NAME",
    "about",
    "answer_headers",
    "parse_request",
    "render_error",
    "rendered",
    "status_of",
]

_WISHES = ("dimensions", "keep_alive", "options", "truncate")


def parse_request(body: JSON, sent: Sent) -> Asked:
    """Return what is asked for; raises a 400 that names the wrong field."""
    wishes = {name: body[name] for name in _WISHES if body.get(name) is not None}
    asked = {"model": named(body), "input": body.get("input"), **wishes}
    return embeddings.parse_request(asked, sent)


def rendered(answer: bytes, model: str) -> JSON:
    """Return an answer in OpenAI's form as one of Ollama's."""
    told = decode(answer)
    return {
        "model": model,
        "embeddings": [each["embedding"] for each in told["data"]],
        "total_duration": 1,
        "load_duration": 1,
        "prompt_eval_count": told["usage"].get("prompt_tokens", 0),
    }
