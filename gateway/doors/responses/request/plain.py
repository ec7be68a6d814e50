"""Plain requests, as most short ones are: messages of text, and figures.

To read one as any other took 1,000 steps of the interpreter, a seventh of its call:
tools, items that answer one another, losses and the way back to each field are looked
for first. Here they are known not to be there, in 350.
"""

from itertools import pairwise
from typing import Any

from gateway.doors.responses.request.fields import LEFT_OUT
from gateway.doors.talk import talk
from gateway.hub.protocol import JSON

_READ_BY_PARTS = frozenset(
    {
        "access_programs",
        "background",
        "context_management",
        "conversation",
        "image",
        "include",
        "previous_response_id",
        "prompt",
        "prompt_cache_options",
        "reasoning",
        "text",
        "tool_choice",
        "tools",
        "truncation",
    }
)
"""Fields that are refused, dropped or more than a figure."""

_SPEAKERS = frozenset({"user", "system", "developer", "assistant"})
_TWICE = ("assistant", "assistant")
"""Two answers one behind the other, which become one."""
_TEXTS = frozenset({"input_text", "output_text", "text"})
_MOST = 1_000
"""Messages that are read in one go."""


def plain_hub(body: JSON) -> JSON | None:
    """Return a plain request in the hub's format; None of any other, refused or not."""
    if not _READ_BY_PARTS.isdisjoint(body):
        return None
    messages = _messages(body.get("instructions"), body["input"])
    if messages is None:
        return None
    hub = {"model": body.get("model"), "messages": messages}
    if not LEFT_OUT.issuperset(body):
        hub |= {
            name: value
            for name, value in body.items()
            if name not in LEFT_OUT and value is not None
        }
    if (limit := body.get("max_output_tokens")) is not None:
        hub["max_completion_tokens"] = limit
    if body.get("stream"):
        hub["stream"] = True
        hub["stream_options"] = {"include_usage": True}
    return hub


def _messages(instructions: Any, given: Any) -> list[JSON] | None:
    """Return who said what, None where anything but text stands between them."""
    messages: list[JSON] = []
    if instructions:
        if type(instructions) is not str:
            return None
        messages.append({"role": "system", "content": instructions})
    if type(given) is str:
        messages.append({"role": "user", "content": given})
        return messages
    if len(given) > _MOST:
        return None
    if (said := talk(given)) is not None:
        roles, _ = said
        if not _SPEAKERS.issuperset(roles) or _TWICE in pairwise(roles):
            return None
        return [*messages, *given]
    before = ""
    for item in given:
        role = _speaker(item)
        if not role or (before, role) == _TWICE:
            return None
        content = item.get("content")
        if type(content) is not str:
            content = _only_text(content)
            if content is None:
                return None
        messages.append({"role": role, "content": content})
        before = role
    return messages


def _speaker(item: Any) -> str:
    """Return whose message an item is, "" for what may be no message."""
    if type(item) is not dict or item.get("type", "message") != "message":
        return ""
    role = item.get("role")
    return role if type(role) is str and role in _SPEAKERS else ""


def _only_text(content: Any) -> str | None:
    """Return the text of content that is one part of text, None of any other."""
    if type(content) is not list or len(content) != 1:
        return None
    (part,) = content
    if type(part) is not dict or "prompt_cache_breakpoint" in part:
        return None
    kind, text = part.get("type"), part.get("text")
    is_text = type(kind) is str and kind in _TEXTS and type(text) is str
    return text if is_text else None
