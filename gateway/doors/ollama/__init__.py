"""Ollama's own API, for programs that speak nothing else.

https://docs.ollama.com/api/chat

The smallest door: a conversation whole or in lines of JSON, embeddings, and what its
clients ask before they do (models, one model, the version).
"""

from collections.abc import Mapping

from gateway.doors.ollama.answer import KEEP_ALIVE, Lines, message_of
from gateway.doors.ollama.fitting import AVOIDABLE
from gateway.doors.ollama.request import to_hub
from gateway.doors.protocol import JSON, NOTHING_SENT, Asked, HubRequest, Sent
from gateway.errors import GatewayError, invalid_request
from gateway.hub.protocol import NOTHING, Route

__all__ = [
    "AVOIDABLE",
    "ESTIMATES_USAGE",
    "KEEP_ALIVE",
    "NAME",
    "about",
    "answer_headers",
    "hub_request",
    "parse_request",
    "render_error",
    "render_response",
    "status_of",
    "stream_renderer",
]

NAME = "ollama"

ESTIMATES_USAGE = False


def parse_request(body: JSON, sent: Sent) -> Asked:
    """Return what is asked for; raises a 400 that names the wrong field.

    Its server streams unless told not to.
    """
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise invalid_request("model is required", param="model", code="missing_field")
    stream = body.get("stream")
    if stream is not None and not isinstance(stream, bool):
        raise invalid_request(
            "stream must be true or false", param="stream", code="invalid_value"
        )
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise invalid_request(
            "messages must be a list with at least one message",
            param="messages",
            code="missing_field",
        )
    return Asked(model, stream is not False, body)


def about(sent: Sent) -> Mapping[str, str]:
    """Return nothing: no header of this format tells of a session."""
    return NOTHING


def hub_request(asked: Asked, route: Route) -> HubRequest:
    """Return the request in OpenAI's words; raises a 400 for what has none."""
    return to_hub(asked, route)


def render_response(completion: JSON, asked: Asked) -> JSON:
    """Return a whole answer as one object."""
    return message_of(completion, asked.model)


def stream_renderer(asked: Asked) -> Lines:
    """Return what writes lines of JSON."""
    return Lines(asked.model)


def render_error(error: GatewayError, sent: Sent = NOTHING_SENT) -> JSON:
    """Return Ollama's error, which is a sentence."""
    return {"error": error.message}


def status_of(error: GatewayError, sent: Sent) -> int:
    """Return the status as it is."""
    return error.status


def answer_headers(headers: dict[str, str], sent: Sent) -> dict[str, str]:
    """Return the headers as they are."""
    return headers
