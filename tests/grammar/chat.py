"""The grammar of streamed chat completions, and what such a stream says.

https://platform.openai.com/docs/api-reference/chat-streaming
"""

import json
from typing import Any, NamedTuple

Event = dict[str, Any]

_END = b"data: [DONE]\n\n"


class Told(NamedTuple):
    """What the first choice of a stream says; `failure` is an error's object."""

    text: str
    calls: list[tuple[str, Any]]
    finish_reason: str
    usage: Event | None
    failure: Event | None


def events_in(raw: bytes) -> list[Event]:
    """Return the events of a stream, each framed by the letter, comments left out."""
    frames = raw.split(b"\n\n")
    assert frames.pop() == b"", raw[-80:]
    frames = [frame for frame in frames if not frame.startswith(b":")]
    assert all(frame.startswith(b"data: ") for frame in frames), frames
    return [json.loads(frame[6:]) for frame in frames]


def checked(raw: bytes) -> Told:
    """Return what a stream says; fails where a rule is broken.

    It ends in `[DONE]` behind one finish reason, or in an error with neither.
    """
    is_whole = raw.endswith(_END)
    chunks = events_in(raw.removesuffix(_END))
    failure = None if is_whole else chunks.pop()["error"]
    assert not any("error" in chunk for chunk in chunks)
    assert len({(chunk["id"], chunk["created"]) for chunk in chunks}) <= 1
    choices = [choice for chunk in chunks for choice in chunk["choices"]]
    reasons = [each["finish_reason"] for each in choices if each.get("finish_reason")]
    assert len(reasons) == int(is_whole), reasons
    usages = [chunk["usage"] for chunk in chunks if chunk.get("usage")]
    assert len(usages) <= 1
    deltas = [choice["delta"] for choice in choices]
    text = "".join(delta.get("content") or "" for delta in deltas)
    calls = _calls_in(deltas) if is_whole else []
    reason, usage = "".join(reasons), usages[0] if usages else None
    return Told(text, calls, reason, usage, failure)


def _calls_in(deltas: list[Event]) -> list[tuple[str, Any]]:
    names: dict[int, str] = {}
    arguments: dict[int, str] = {}
    for call in (call for delta in deltas for call in delta.get("tool_calls") or ()):
        index, function = call["index"], call["function"]
        if index not in names:
            assert call["id"]
            assert call["type"] == "function"
            names[index] = function["name"]
        arguments[index] = arguments.get(index, "") + (function.get("arguments") or "")
    assert list(names) == list(range(len(names)))
    return [(names[index], json.loads(arguments[index])) for index in names]
