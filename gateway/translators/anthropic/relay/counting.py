"""How many tokens a Messages request has, as its upstream counts them.

https://platform.claude.com/docs/en/api/messages-count-tokens
"""

from gateway.hub.protocol import JSON, Route, UpstreamRequest
from gateway.translators.anthropic.relay.request import Received, render_request

_COUNTING = "/count_tokens"


def render_count(received: Received, route: Route) -> UpstreamRequest:
    """Return the question for the count of a request, passed on like it."""
    rendered = render_request(received, route)
    path, found, query = rendered.path.partition("?")
    return rendered._replace(path=path + _COUNTING + found + query)


def parse_count(payload: JSON) -> JSON | None:
    """Return the answer as it came; None where it tells no count."""
    count = payload.get("input_tokens")
    return payload if isinstance(count, int) else None
