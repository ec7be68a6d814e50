"""How many tokens a request of the Responses API has, asked of who speaks it.

https://platform.openai.com/docs/api-reference/responses/input-tokens
"""

from gateway.doors import responses
from gateway.doors.envelope import render_error
from gateway.doors.protocol import JSON, Asked, HubRequest, Sent
from gateway.doors.responses.sessions import about
from gateway.doors.responses.streams.renderer import ResponsesRenderer
from gateway.errors import UNKNOWN_URL, GatewayError
from gateway.hub.protocol import Route

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

ESTIMATES_USAGE = responses.ESTIMATES_USAGE
KEEP_ALIVE = responses.KEEP_ALIVE
NAME = "input_tokens"


def parse_request(body: JSON, sent: Sent) -> Asked:
    """Return what is asked for; raises a 400 that names the wrong field."""
    return responses.parse_request({**body, "stream": None}, sent)


def hub_request(asked: Asked, route: Route) -> HubRequest:
    """Refuse: the hub's format has no question for it. Raises a 404."""
    raise GatewayError(
        404,
        "not_found_error",
        "This model's provider cannot count tokens beforehand.",
        code=UNKNOWN_URL,
    )


def told(count: int) -> JSON:
    """Return the answer that tells a count."""
    return {"object": "response.input_tokens", "input_tokens": count}


def render_response(completion: JSON, asked: Asked) -> JSON:
    """Return an answer: never asked for, since nothing is translated."""
    return completion


def stream_renderer(asked: Asked) -> ResponsesRenderer:
    """Return what writes events: never asked for, no stream is."""
    return responses.stream_renderer(asked)


def status_of(error: GatewayError, sent: Sent) -> int:
    """Return the status of a refusal."""
    return responses.status_of(error, sent)


def answer_headers(headers: dict[str, str], sent: Sent) -> dict[str, str]:
    """Return the headers as they are: those of OpenAI."""
    return headers
