"""How many tokens a request of the Responses API has, asked of who speaks it.

All but the question is as at the door itself; an answer is never translated.
https://platform.openai.com/docs/api-reference/responses/input-tokens
"""

from gateway.doors.protocol import JSON, Asked, HubRequest
from gateway.doors.responses import (
    ESTIMATES_USAGE,
    KEEP_ALIVE,
    about,
    answer_headers,
    render_error,
    render_response,
    status_of,
    stream_renderer,
)
from gateway.doors.responses.compaction import parse_request
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

NAME = "input_tokens"


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
