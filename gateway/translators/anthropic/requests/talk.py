"""Requests that only talk, rendered without the questions that all others raise.

Most short calls are such: texts by turns, a limit, no tools, no thinking. `request`
asks of each what it holds beyond that, in fifty functions: of one that holds nothing
that takes 17 µs where nothing else runs, and 43 of the 235 of a call; here it takes 3,
for its shape is compared as a whole. Whatever is not plain to see is left to those
functions, what is wrong or is lost on the way as well, and a test holds that both say
the same.
"""

from typing import Any, Literal

from gateway.hub.protocol import JSON, Route
from gateway.translators.anthropic.requests.claude_models import claude_model
from gateway.translators.anthropic.requests.dialect import ANTHROPIC
from gateway.wire.shapes import (
    ABSENT,
    Absent,
    AtLeastOne,
    Count,
    Shape,
    Share,
    Text,
    shaped,
)


class _Turn(Shape, forbid_unknown_fields=True):
    role: Literal["user", "assistant", "system", "developer"]
    content: Text


class _Talk(Shape, forbid_unknown_fields=True):
    messages: AtLeastOne[_Turn]
    model: Any = None
    max_tokens: Count | Absent = ABSENT
    max_completion_tokens: Count | Absent = ABSENT
    temperature: Share | Absent = ABSENT
    stream: bool = False
    stream_options: dict[str, Any] | Absent = ABSENT


def talk(body: JSON, route: Route) -> JSON | None:
    """Return a request that only talks as Anthropic's body; None for any other.

    It has no `model` and no `stream` yet.
    """
    if route.avoid or route.shows_thinking or (told := shaped(body, _Talk)) is None:
        return None
    given = _limit(told)
    system, turns = _said(told.messages)
    if given is None or not turns or turns[-1]["role"] != "user":
        return None
    model = claude_model(route)
    if given > model.max_output:
        return None
    limit = given or route.default_output or ANTHROPIC.default_output
    rendered: JSON = {"max_tokens": min(limit, model.max_output)}
    if system:
        rendered["system"] = system
    rendered["messages"] = turns
    if told.temperature is not ABSENT:
        if model.thinks or model.sampling == "none":
            return None
        # As it was written: a whole number stays one.
        rendered["temperature"] = body["temperature"]
    return rendered


def _limit(told: _Talk) -> int | None:
    """Return the output limit by either name, 0 where none is given; None for two."""
    limit, other = told.max_tokens, told.max_completion_tokens
    if other is ABSENT:
        return 0 if limit is ABSENT else limit
    return other if limit is ABSENT else None


def _said(messages: list[_Turn]) -> tuple[list[JSON], list[JSON]]:
    """Return the system's texts and the turns; no turns where there is more to it."""
    system: list[JSON] = []
    turns: list[JSON] = []
    last = ""
    for message in messages:
        role, text = message.role, message.content
        if text.isspace():
            return [], []
        block = {"type": "text", "text": text}
        if role == last:
            turns[-1]["content"].append(block)
        elif role == "user" or (role == "assistant" and turns):
            turns.append({"role": role, "content": [block]})
            last = role
        elif role in ("system", "developer") and not turns:
            system.append(block)
        else:
            return [], []
    return system, turns
