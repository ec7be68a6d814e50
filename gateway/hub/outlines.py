"""Long requests in the hub's format by their outline: what is long stays as it came.

A request to a server that speaks the same format changes nothing of its messages and
tools, and one that only talks needs their texts and roles alone. So messages are read
as structs, which are made sooner than dictionaries and have no room for anything that
somebody here would change; of tools that were sent before the text alone is compared.
Coding agents send the same ones with every turn.
"""

from typing import Any, Literal

from gateway.hub.protocol import JSON
from gateway.wire.framing import Seen, Shapes
from gateway.wire.jsontext import JSONError, decode
from gateway.wire.members import Members
from gateway.wire.shapes import ABSENT, Absent, Shape, reader_of

MESSAGES, TOOLS = "messages", "tools"

_SHORTEST, _LONGEST, _MOST = 2 * 1024, 128 * 1024, 512 * 1024
"""Bytes of tools that are kept: of one request, and of all. Read, they take six times
of that."""


class Said(Shape, forbid_unknown_fields=True, gc=False):
    """A message that is a text and nothing else."""

    role: Literal["user", "assistant", "system", "developer"]
    content: str


class _Mark(Shape, forbid_unknown_fields=True):
    type: str
    ttl: str | Absent = ABSENT


class _Image(Shape, forbid_unknown_fields=True):
    url: str
    detail: str | Absent = ABSENT


class _Part(Shape, forbid_unknown_fields=True):
    type: str
    text: str | Absent = ABSENT
    image_url: _Image | Absent = ABSENT
    cache_control: _Mark | Absent = ABSENT


class _Function(Shape, forbid_unknown_fields=True):
    name: str
    arguments: str


class _Call(Shape, forbid_unknown_fields=True):
    id: str
    function: _Function
    type: str | Absent = ABSENT


class _Message(Shape, forbid_unknown_fields=True):
    """Any message that goes on as it is, and holds no number."""

    role: str
    content: str | list[_Part] | Absent | None = ABSENT
    name: str | Absent | None = ABSENT
    tool_calls: list[_Call] | Absent | None = ABSENT
    tool_call_id: str | Absent = ABSENT
    refusal: str | Absent | None = ABSENT
    reasoning_content: str | Absent | None = ABSENT
    reasoning: str | Absent | None = ABSENT
    cache_control: _Mark | Absent = ABSENT


_said = reader_of(list[Said])
_messages = reader_of(list[_Message])


class Tools(list[Any]):
    """The tools of a request, and the text that they are."""

    def __init__(self, text: bytes, tools: list[Any]) -> None:
        super().__init__(tools)
        self.text = text


def _read_messages(text: memoryview) -> list[Any]:
    try:
        return _said(text)
    except JSONError:
        return _messages(text)


def _tools(text: bytes, tools: Any) -> Any:
    """Return what is kept of tools; only a list is to be."""
    return Tools(text, tools) if isinstance(tools, list) else tools


def shapes(sizes: range) -> Shapes:
    """Return how requests of some sizes are read by their outlines."""
    return Shapes(
        sizes,
        MESSAGES,
        _read_messages,
        TOOLS,
        _tools,
        Seen(range(_SHORTEST, _LONGEST), _MOST),
    )


class Outline(Shape):
    """A request of which the messages are structs, and the text of these."""

    body: JSON
    text: memoryview

    @classmethod
    def of(cls, body: JSON, raw: bytes, members: Members | None) -> "Outline | None":
        """Return the outline that was read of `raw`, None where it was none."""
        if members is None:
            return None
        start, end = members[MESSAGES]
        return cls(body, memoryview(raw)[start:end])

    def whole(self) -> JSON:
        """Return the request as any other is read."""
        return {**self.body, MESSAGES: decode(self.text)}
