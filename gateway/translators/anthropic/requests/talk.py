"""Requests that only talk, rendered without the questions that all others raise.

Most short calls are such: texts by turns, a limit, no tools, no thinking. `request`
asks of each what it holds beyond that, in fifty functions: of one that holds nothing
that takes 17 µs where nothing else runs, and 43 of the 235 of a call; here it takes 5.
Whatever is not plain to see is left to those functions, what is wrong or is lost on the
way as well, and a test holds that both say the same.
"""

from typing import Any

from gateway.hub.protocol import JSON, Route
from gateway.translators.anthropic.requests.claude_models import claude_model
from gateway.translators.anthropic.requests.dialect import ANTHROPIC

_FIELDS = frozenset(
    {
        "max_completion_tokens",
        "max_tokens",
        "messages",
        "model",
        "stream",
        "stream_options",
        "temperature",
    }
)
_LIMITS = frozenset({"max_completion_tokens", "max_tokens"})


def talk(body: JSON, route: Route) -> JSON | None:
    """Return a request that only talks as Anthropic's body; None for any other.

    It has no `model` and no `stream` yet.
    """
    if not _FIELDS.issuperset(body) or route.avoid or route.shows_thinking:
        return None
    if not _is_sound(body):
        return None
    system, turns = _said(body.get("messages"))
    if not turns or turns[-1]["role"] != "user":
        return None
    model, given = claude_model(route), _limit(body)
    limit = given or route.default_output or ANTHROPIC.default_output
    rendered: JSON = {"max_tokens": min(limit, model.max_output)}
    if given > model.max_output:
        return None
    if system:
        rendered["system"] = system
    rendered["messages"] = turns
    if "temperature" in body:
        if model.thinks or model.sampling == "none":
            return None
        rendered["temperature"] = body["temperature"]
    return rendered


def _is_sound(body: JSON) -> bool:
    """Tell whether the fields beside the messages hold what Claude takes as it is."""
    limit, temperature = _limit(body), body.get("temperature", 1)
    return (
        type(limit) is int
        and (limit > 0 or _LIMITS.isdisjoint(body))
        and not _LIMITS.issubset(body)
        and type(temperature) in (int, float)
        and 0 <= temperature <= 1
        and type(body.get("stream", False)) is bool
        and type(body.get("stream_options", body)) is dict
    )


def _limit(body: JSON) -> Any:
    """Return the output limit by either name, 0 where none is given."""
    return body.get("max_tokens", body.get("max_completion_tokens", 0))


def _said(messages: Any) -> tuple[list[JSON], list[JSON]]:
    """Return the system's texts and the turns; no turns where there is more to it."""
    system: list[JSON] = []
    turns: list[JSON] = []
    last = ""
    for message in messages if type(messages) is list else ():
        if type(message) is not dict or len(message) != 2:
            return [], []
        role, text = message.get("role"), message.get("content")
        if type(text) is not str or not text.strip():
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
