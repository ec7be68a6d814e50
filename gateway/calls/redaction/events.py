"""The events of a streamed answer, looked into: where its text stands, and rewritten.

Whatever the format: a piece is chunks, or frames with JSON, which are server-sent
events or lines.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from gateway.hub.answers.plain.strings import strings_in
from gateway.hub.answers.relay import Said
from gateway.wire import jsontext
from gateway.wire.jsontext import JSON

Find = Callable[[str, int], tuple[int, int] | None]
"""Returns the span of what is to be taken out of a text, from a place in it on."""

T = TypeVar("T")

_FRAMES = re.compile(rb"\{[^\n]*\n|.*?\n\n|.+\Z", re.DOTALL)
_END = b"\n\n"
_DATA = b"data: "


def said(data: Any) -> Said:
    """Return the text of each field that a piece brings."""
    texts: Said = {}
    for event in _events(data):
        for name, holder, key in event.strings():
            texts[name] = texts.get(name, "") + holder[key]
    return texts


def frames_of(data: bytes) -> list[bytes]:
    """Return the frames that `data` is."""
    return _FRAMES.findall(data)


def strings_of(frames: bytes) -> list[tuple[object, str, str]]:
    """Return each piece of text in some frames: its field, itself, and its key."""
    return [
        (name, holder[key], key)
        for event in _events(frames)
        for name, holder, key in event.strings()
    ]


def rewritten(data: T, find: Find, mark: str) -> T:
    """Return a piece with `mark` for what is to be found in the text of a field."""
    events = _events(data)
    trails: dict[object, _Trail] = {}
    for event in events:
        for name, holder, key in event.strings():
            trails.setdefault(name, _Trail()).add(event, holder, key)
    for trail in trails.values():
        from_ = 0
        while span := find(trail.text, from_):
            trail.replace(*span, mark)
            from_ = span[0] + len(mark)
    return cast(T, _joined(events))


def parted(data: Any, characters: int) -> tuple[Any, Any]:
    """Return the events of a piece before and from that with the last `characters`."""
    start = len(data)
    while characters > 0 and start > 0:
        end = start
        if isinstance(data, bytes):
            start = data.rfind(_END, 0, end - len(_END)) + len(_END)
            # A piece that is one event is not read.
            start = 0 if start < len(_END) else start
        else:
            start -= 1
        if start:
            texts = said(data[start:end]).values()
            characters -= sum(map(len, texts))
    return data[:start], data[start:]


@dataclass(eq=False)
class _Event:
    """One event: a frame of bytes and what it holds, or a chunk."""

    value: Any
    frame: bytes | None = None
    is_changed: bool = False

    def strings(self) -> Iterator[tuple[object, JSON, str]]:
        """Yield the field of each piece of the answer's text, and where it stands."""
        yield from strings_in(self.value)


@dataclass
class _Trail:
    """The text of a field, and the strings that it is made of."""

    text: str = ""
    places: list[tuple[_Event, JSON, str]] = field(default_factory=list)

    def add(self, event: _Event, holder: JSON, key: str) -> None:
        self.places.append((event, holder, key))
        self.text += holder[key]

    def replace(self, start: int, end: int, mark: str) -> None:
        """Put `mark` into the first of the strings from `start` to `end`."""
        position = 0
        for event, holder, key in self.places:
            old = holder[key]
            low, high = max(start - position, 0), min(end - position, len(old))
            position += len(old)
            if low < high:
                holder[key] = old[:low] + mark + old[high:]
                event.is_changed, mark = True, ""
        self.text = "".join(holder[key] for _, holder, key in self.places)


def _events(data: Any) -> list[_Event]:
    """Return the events of a piece, frames or chunks."""
    if not isinstance(data, bytes):
        return [_Event(chunk) for chunk in data]
    return [_Event(_value(frame), frame) for frame in frames_of(data)]


def _value(frame: bytes) -> Any:
    try:
        return jsontext.decode(frame if _is_line(frame) else frame.partition(_DATA)[2])
    except jsontext.JSONError:
        return None


def _is_line(frame: bytes) -> bool:
    """Tell whether a frame is a line of JSON, as Ollama's door writes them."""
    return frame.startswith(b"{")


def _joined(events: list[_Event]) -> Any:
    for event in events:
        if event.is_changed:
            _drop_tokens(event.value)
    if events[0].frame is None:
        return [event.value for event in events]
    return b"".join(map(_frame, events))


def _frame(event: _Event) -> bytes:
    frame = event.frame or b""
    if not event.is_changed:
        return frame
    if _is_line(frame):
        return jsontext.encode(event.value) + b"\n"
    head, data, _ = frame.partition(_DATA)
    return head + data + jsontext.encode(event.value) + b"\n\n"


def _drop_tokens(value: Any) -> None:
    """Take out the tokens of a text that was changed: they tell it once more."""
    if isinstance(value, list):
        for each in value:
            _drop_tokens(each)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key == "logprobs" and inner:
                value[key] = [] if isinstance(inner, list) else None
            else:
                _drop_tokens(inner)
