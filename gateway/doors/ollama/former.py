"""What Ollama's clients of old ask for, and how they ask for it here.

https://docs.ollama.com/api/generate ·
https://github.com/ollama/ollama/blob/main/docs/api.md#generate-embedding
Its `/api/embeddings` is OpenAI's path below `/api` as well: who sends `input` there is
answered, and who sends `prompt` is told where to.
"""

from gateway.doors import embeddings, ollama
from gateway.doors.embeddings import (
    NAME,
    about,
    answer_headers,
    parse_request,
    status_of,
)
from gateway.doors.protocol import JSON, NOTHING_SENT, Sent
from gateway.errors import UNKNOWN_URL, GatewayError, invalid_request

__all__ = [
    "NAME",
    "about",
    "answer_headers",
    "check_input",
    "generate",
    "parse_request",
    "render_error",
    "status_of",
]

_PROMPT = "prompt"


def generate() -> GatewayError:
    """Return the refusal of `/api/generate`, with what to call."""
    return GatewayError(
        404,
        "not_found_error",
        "/api/generate is not served here. Call /api/chat, with "
        '"messages": [{"role": "user", "content": "..."}] for "prompt", a first '
        'message of role "system" for "system", and "images" within the message.',
        code=UNKNOWN_URL,
    )


def check_input(body: JSON) -> None:
    """Raise a 400 for a body of Ollama's, which has a prompt."""
    if _PROMPT in body and "input" not in body:
        raise invalid_request(
            '/api/embeddings takes "input" here, not "prompt". Call /api/embed with '
            '"input", which answers with "embeddings", a list of vectors.',
            param=_PROMPT,
            code="unsupported_parameter",
        )


def render_error(error: GatewayError, sent: Sent = NOTHING_SENT) -> JSON:
    """Return the error as who asked reads it."""
    if error.param == _PROMPT:
        return ollama.render_error(error, sent)
    return embeddings.render_error(error, sent)
