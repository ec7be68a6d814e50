"""Counts for clients of other formats: the question is translated first."""

from gateway.calls.attempts import routes
from gateway.calls.counting import count
from gateway.calls.passages import between
from gateway.doors import responses
from gateway.doors.protocol import Asked
from gateway.hub.protocol import JSON, Route
from gateway.translators import anthropic
from gateway.translators.bedrock.messages import ways
from gateway.wire.jsontext import encode
from gateway.worker.snapshot import Target

_COUNTED = ("messages", "system", "thinking", "tool_choice", "tools")
"""What of a request has tokens; the rest is refused where they are counted."""


async def count_response(asked: Asked, target: Target) -> int | None:
    """Return how many tokens a request for a response has, None where nobody counts.

    Claude is asked, wherever it is hosted. Raises `GatewayError` for what cannot be
    translated, or is refused.
    """
    route = _to_claude(target, asked)
    if route is None:
        return None
    body = between(responses, anthropic).prepare(asked, route).render({}).body
    question: JSON = {name: body[name] for name in _COUNTED if name in body}
    question["model"] = asked.model
    sent = asked.sent._replace(headers={}, raw=encode(question))
    counted = await count(Asked(asked.model, False, question, sent), target)
    return counted["input_tokens"] if counted is not None else None


def _to_claude(target: Target, asked: Asked) -> Route | None:
    """Return a route that knows which Claude is asked, None for other models."""
    route = routes.route_to(target, asked)
    match target.provider.row.provider_type:
        case "anthropic":
            return route
        case "bedrock" if ways.is_claude(route):
            return ways.way_of({}, route)[1]
    return None
