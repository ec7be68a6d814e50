"""OpenAI's Responses API, over the hub.

https://platform.openai.com/docs/api-reference/responses
"""

from gateway.doors.envelope import render_error
from gateway.doors.fields import model_of, wants_stream, wrong_field
from gateway.doors.protocol import JSON, Asked, HubRequest, Sent
from gateway.doors.responses.answer import response_of
from gateway.doors.responses.errors import status_for
from gateway.doors.responses.native.ours import refers_to_kept
from gateway.doors.responses.reading import Reading
from gateway.doors.responses.sessions import about
from gateway.doors.responses.streams.renderer import ResponsesRenderer
from gateway.errors import GatewayError, invalid_request
from gateway.hub.protocol import Route
from gateway.wire.sse import KEEP_ALIVE

__all__ = [
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

NAME = "responses"

ESTIMATES_USAGE = True

DEFAULT_OUTPUT = 32_000
"""Tokens of an answer where the upstream must be told and the client does not say.

Coding agents send no limit, and lose a turn that ends at one.
"""


_INPUTS = (str, list)


def parse_request(body: JSON, sent: Sent) -> Asked:
    """Return what is asked for; raises a 400 that names the wrong field.

    What only a translation must understand is read when there is one.
    """
    model = model_of(body, "gpt-4o-mini")
    _check_input(body)
    stream = wants_stream(body)
    return Asked(model, stream, body, sent, Reading(body, sent), refers_to_kept(body))


def hub_request(asked: Asked, route: Route) -> HubRequest:
    """Return the request as chat completions have it."""
    reading: Reading = asked.own
    form = reading.form(route)
    return HubRequest(
        form.body,
        form.dropped,
        form.downgraded,
        client_path=form.client_path,
        shows_thinking=form.shows_thinking,
        default_output=DEFAULT_OUTPUT,
    )


def render_response(completion: JSON, asked: Asked) -> JSON:
    """Return a whole answer as a response."""
    return response_of(completion, asked.own)


def stream_renderer(asked: Asked) -> ResponsesRenderer:
    """Return what writes the events of a response."""
    return ResponsesRenderer(asked.own)


def status_of(error: GatewayError, sent: Sent) -> int:
    """Return the status of a refusal, which Codex needs to be final."""
    return status_for(error, sent)


def answer_headers(headers: dict[str, str], sent: Sent) -> dict[str, str]:
    """Return the headers as they are: those of OpenAI."""
    return headers


def _check_input(body: JSON) -> None:
    given = body.get("input")
    if given and isinstance(given, _INPUTS):
        return
    if given is None and body.get("messages") is not None:
        raise invalid_request(
            "This is the Responses API: send 'input', or call /v1/chat/completions.",
            param="messages",
        )
    raise wrong_field("input", given, "a string, or an array of items")
