"""What the assistant said in an earlier turn, as one message of the hub."""

from dataclasses import dataclass, field
from typing import Any

from gateway.doors.messages.calls import VALUE, upstream_id
from gateway.doors.messages.request.blocks import KNOWN
from gateway.doors.messages.request.checks import (
    invalid,
    missing,
    text_in,
    unknown_tag,
)
from gateway.doors.messages.request.earlier import in_words
from gateway.doors.messages.request.turns import Turn
from gateway.hub.requests.tools.ids import ToolNames
from gateway.wire.jsontext import JSON, dumps

_SIGNED = frozenset({"redacted_thinking", "fallback"})
"""Claude's own, for nobody else."""


@dataclass
class Spoken:
    """The parts of an assistant's turn; `tools` are those called, by the call's id."""

    texts: list[str] = field(default_factory=list)
    thought: list[str] = field(default_factory=list)
    calls: list[JSON] = field(default_factory=list)
    tools: dict[str, str] = field(default_factory=dict)
    mark: JSON | None = None

    @property
    def message(self) -> JSON | None:
        """Return the message, None where nothing is left to say.

        Text stands before calls, for the hub has no other place for it.
        """
        text, reasoning = "".join(self.texts), "".join(self.thought)
        if not (text.strip() or reasoning or self.calls):
            return None
        content = text if text.strip() else None if self.calls else ""
        message: JSON = {"role": "assistant", "content": content}
        if reasoning:
            message["reasoning_content"] = reasoning
        if self.calls:
            message["tool_calls"] = self.calls
        return message


def spoken_of(turn: Turn, names: ToolNames) -> Spoken:
    """Return what an assistant's turn says; raises a 400 naming the place."""
    spoken = Spoken()
    before = ""
    for path, block in turn.blocks:
        kind = block["type"]
        if kind == "tool_use":
            _add_call(spoken, block, path, names)
        elif kind == "thinking":
            spoken.thought.append(_unsigned(block))
        elif kind not in _SIGNED:
            apart = "\n" if spoken.texts and before != "text" else ""
            spoken.texts.append(apart + _text(kind, block, path))
        if isinstance(mark := block.get("cache_control"), dict):
            spoken.mark = mark
        before = kind
    return spoken


def _text(kind: str, block: JSON, path: str) -> str:
    if kind == "text":
        return text_in(block, "text", path)
    words = in_words(kind, block)
    if words is not None:
        return words
    if kind in KNOWN:
        raise invalid(path, f"`{kind}` blocks are not allowed in assistant messages")
    raise unknown_tag(path, kind, KNOWN)


def _unsigned(block: JSON) -> str:
    """Return thinking that came from this door; what is signed is Claude's own.

    DeepSeek and Kimi want theirs back beside calls:
    https://github.com/decolua/9router/issues/355
    """
    text = block.get("thinking")
    return text if isinstance(text, str) and not block.get("signature") else ""


def _add_call(spoken: Spoken, block: JSON, path: str, names: ToolNames) -> None:
    id, name = text_in(block, "id", path), text_in(block, "name", path)
    if "input" not in block:
        raise missing(f"{path}.input")
    given: Any = block["input"]
    arguments = given if isinstance(given, dict) else {VALUE: given}
    spoken.tools[id] = name
    function = {"name": names.upstream(name), "arguments": dumps(arguments)}
    spoken.calls.append(
        {"id": upstream_id(id), "type": "function", "function": function}
    )
