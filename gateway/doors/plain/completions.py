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
from gateway.doors.fields import model_of, wants_stream, wrong_field
from gateway.doors.protocol import JSON, Asked, HubRequest, Sent
from gateway.errors import GatewayError, unsupported
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
    model, stream = model_of(body, "gpt-3.5-turbo-instruct"), wants_stream(body)
    if "prompt" not in body:
        raise wrong_field("prompt", None, "a text, or a list of them")
    return Asked(model, stream, body, sent)


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
