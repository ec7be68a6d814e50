"""Plain requests, as most short ones are: messages of text, a limit and no tools.

To read one as any other took 1,500 steps of the interpreter, a fifth of its call: what
its upstream understands, tools, results and the way back to each field are looked for
first. Here they are known not to be there, in 300.
"""

from typing import Any

from gateway.doors.messages.request import BILLING
from gateway.doors.messages.request.profile import cuts_silently, limit_field_of
from gateway.doors.talk import talk
from gateway.hub.protocol import Route
from gateway.wire.jsontext import JSON

_FIELDS = frozenset(
    {
        "max_tokens",
        "messages",
        "model",
        "stream",
        "system",
        "temperature",
        "top_p",
    }
)
_SAMPLING = ("temperature", "top_p")
_NEXT = {"user": "assistant", "assistant": "user"}
_MOST = 1_000
"""Messages that are read in one go."""


def plain_hub(body: JSON, route: Route) -> JSON | None:
    """Return a plain request in the hub's format; None of any other, refused or not."""
    if route.avoid or not _FIELDS.issuperset(body) or cuts_silently(route):
        return None
    messages, limit = _messages(body), body.get("max_tokens")
    if messages is None or type(limit) is not int or limit < 1:
        return None
    most = route.capabilities.get("max_output")
    if isinstance(most, int) and limit > most:
        return None
    hub = {"model": body["model"], "messages": messages, limit_field_of(route): limit}
    for field in _SAMPLING:
        if (value := body.get(field)) is not None:
            if type(value) not in (float, int) or not 0 <= value <= 1:
                return None
            hub[field] = value
    if body.get("stream") is True:
        hub["stream"] = True
        hub["stream_options"] = {"include_usage": True}
    return hub


def _messages(body: JSON) -> list[JSON] | None:
    """Return who said what; None unless two take turns, and by text alone."""
    messages: list[JSON] = []
    if (system := body.get("system")) is not None:
        text = _text(system)
        if not text or text.startswith(BILLING):
            return None
        messages.append({"role": "system", "content": text})
    given = body["messages"]
    if len(given) > _MOST:
        return None
    if (said := talk(given)) is not None and _take_turns(*said):
        return [*messages, *given]
    expected = ""
    for message in given:
        role = message.get("role") if type(message) is dict else None
        if (
            type(role) is not str
            or role not in _NEXT
            or (expected and role != expected)
        ):
            return None
        text = _text(message.get("content"))
        if not text:
            return None
        messages.append({"role": role, "content": text})
        expected = _NEXT[role]
    # What is put into the model's mouth is noted as a loss.
    return messages if expected == "assistant" else None


def _take_turns(roles: list[str], texts: list[str]) -> bool:
    """Tell whether a user begins, and ends, and nobody says nothing."""
    return (
        len(roles) % 2 == 1
        and set(roles[::2]) == {"user"}
        and {"assistant"}.issuperset(roles[1::2])
        and all(map(str.strip, texts))
    )


def _text(content: Any) -> str:
    """Return the one text that content is, "" for any other and for blanks."""
    if type(content) is list and len(content) == 1:
        (block,) = content
        if type(block) is not dict or block.get("type") != "text" or len(block) != 2:
            return ""
        content = block.get("text")
    return content if type(content) is str and content.strip() else ""
