"""OpenAI's legacy completions: a prompt that a model writes on from.

What only answers chat has no word for it, so nothing is translated.
https://platform.openai.com/docs/api-reference/completions
"""

from gateway.doors.chat import (
    KEEP_ALIVE,
    ChatRenderer,
    about,
    answer_headers,
    status_of,
)
from gateway.doors.envelope import render_error
from gateway.doors.protocol import JSON, Asked, HubRequest, Sent
from gateway.errors import GatewayError, invalid_request, unsupported
from gateway.hub.protocol import Route

__all__ = [
    "ESTIMATES_USAGE",
    "KEEP_ALIVE",
    "NAME",
    "about",
    "answer_headers",
    "hub_request",
    "not_here",
    "parse_request",
    "render_error",
    "render_response",
    "status_of",
    "stream_renderer",
]

NAME = "completions"

ESTIMATES_USAGE = False


def parse_request(body: JSON, sent: Sent) -> Asked:
    """Return what is asked for; raises a 400 that names the wrong field."""
    model, stream = body.get("model"), body.get("stream")
    if not isinstance(model, str) or not model:
        raise invalid_request(
            "model is required: a model id, such as gpt-3.5-turbo-instruct.",
            param="model",
            code="missing_field" if model is None else "invalid_value",
        )
    if stream is not None and not isinstance(stream, bool):
        raise invalid_request(
            "stream must be true or false.", param="stream", code="invalid_value"
        )
    if "prompt" not in body:
        raise invalid_request(
            "prompt is required: a text, or a list of them.",
            param="prompt",
            code="missing_field",
        )
    return Asked(model, stream is True, body, sent)


def not_here() -> GatewayError:
    """Return the 400 of a model, or a server, that knows conversations only."""
    return unsupported(
        "This model only answers chat. Use /v1/chat/completions.", param="model"
    )


def hub_request(asked: Asked, route: Route) -> HubRequest:
    """Refuse: the hub's format holds conversations. Raises a 400."""
    raise not_here()


def render_response(completion: JSON, asked: Asked) -> JSON:
    """Return an answer: never asked for, since nothing is translated."""
    return completion


def stream_renderer(asked: Asked) -> ChatRenderer:
    """Return what ends a stream: as one of chat ends."""
    return ChatRenderer()
