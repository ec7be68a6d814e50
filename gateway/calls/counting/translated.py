"""Counts for clients of other formats: the question is translated first."""

from gateway.calls import targets
from gateway.calls.counting import count
from gateway.calls.passages import between
from gateway.doors import responses
from gateway.doors.protocol import Asked
from gateway.hub.protocol import JSON
from gateway.translators import anthropic
from gateway.wire.jsontext import encode
from gateway.worker.snapshot import Target

_COUNTED = ("messages", "system", "thinking", "tool_choice", "tools")
"""What of a request has tokens; the rest is refused where they are counted."""


async def count_response(asked: Asked, target: Target) -> int | None:
    """Return how many tokens a request for a response has, None where nobody counts.

    Raises `GatewayError` for what cannot be translated, or is refused.
    """
    if target.provider.row.provider_type != "anthropic":
        return None
    route = targets.route_to(target, asked)
    body = between(responses, anthropic).prepare(asked, route).render({}).body
    question: JSON = {name: body[name] for name in _COUNTED if name in body}
    question["model"] = asked.model
    sent = asked.sent._replace(headers={}, raw=encode(question))
    counted = await count(Asked(asked.model, False, question, sent), target)
    return counted["input_tokens"] if counted is not None else None
