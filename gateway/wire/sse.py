"""Server-sent events: bytes to events and chunks to bytes.

The decoder follows https://html.spec.whatwg.org/multipage/server-sent-events.html
(section 9.2.6) and gives the same events however the bytes are cut.
"""

from collections.abc import Iterable
from functools import partial
from itertools import repeat
from typing import Any, NamedTuple

from gateway.wire.bounds import MAX_EVENT, EventTooLarge
from gateway.wire.jsontext import JSONError, encode_lines
from gateway.wire.mending import decode_mended

# Bytes are searched for a number in a tenth of the time.
_LF, _CR = ord("\n"), ord("\r")

_SILENT = frozenset({b"", b"id", b"retry"})
_MAX_FOREIGN = 64 * 1024

LOOKS = 16
"""How often an event that is not there yet is looked at for being several."""

_BOM = b"\xef\xbb\xbf"

KEEP_ALIVE = b": keep-alive\n\n"
"""A comment: bytes on the wire that no client sees as an event."""


class Event(NamedTuple):
    """One dispatched event; `data` joins its lines with a line feed."""

    data: bytes
    event: str = "message"


_MESSAGES = repeat("message")
_make_plain = partial(tuple.__new__, Event)


def _plain(head: bytes) -> list[bytes] | None:
    """Return the data of events that are one ``data: `` line each, as nearly always.

    They are where every line feed belongs to a blank line before ``data: ``. Such
    events are split off all at once, because a network read brings many. None where
    others are in `head`.
    """
    if not head.startswith(b"data: "):
        return None
    payloads = head[6:].split(b"\n\ndata: ")
    return payloads if head.count(b"\n") == 2 * (len(payloads) - 1) else None


def is_divided(block: bytes) -> bool:
    """Tell whether lines of a block are events each: a server forgot the blank lines.

    The standard makes one event of them. No JSON goes on behind its end though, and no
    event has two names.
    """
    value, is_named = None, False
    for line in block.split(b"\n"):
        is_data, is_name = line.startswith(b"data:"), line.startswith(b"event:")
        if value is not None and (is_data or (is_name and is_named)):
            return _is_object(value)
        if is_data:
            value = line[5:]
        is_named = is_named or is_name
    return False


def _is_object(text: bytes) -> bool:
    if not text.strip().startswith(b"{"):
        return False
    try:
        decode_mended(text)
    except JSONError:
        return False
    return True


class SSEDecoder:
    """One stream of server-sent events.

    ``id`` and ``retry`` are ignored: nobody reconnects to a completion. Events without
    a ``data`` line are not dispatched, as the standard demands. Where a server divides
    its events by one line feed each line is an event, from the second one on as soon as
    it is there, unless `is_strict`. `foreign` keeps the beginning of the lines that are
    no fields of the standard: what a server said that did not stream at all.
    """

    def __init__(self, limit: int = MAX_EVENT, *, is_strict: bool = False) -> None:
        self._limit = limit
        self._is_strict = is_strict
        self._parts: list[bytes] = []
        self._size = 0
        self._fresh = True
        self._after_cr = False
        self._is_divided = False
        self._looks = LOOKS
        self._name = ""
        self.foreign = b""

    @property
    def is_between(self) -> bool:
        """Whether nothing of an event is held, and events end with a blank line."""
        begun = self._fresh or self._after_cr or self._is_divided
        return not (self._parts or begun)

    def feed(self, data: bytes) -> list[Event]:
        """Return the events completed by `data`.

        Raises `EventTooLarge`, carrying the events before it, when one event exceeds
        the bound; the decoder is of no use after that.
        """
        data = self._normalise(data)
        if not data:
            return []
        if self._is_divided:
            return self._feed_lines(data)
        if not self._parts:
            buffer = data
        elif data.find(b"\n\n") >= 0 or (data[0] == _LF and self._parts[-1][-1] == _LF):
            self._parts.append(data)
            buffer = b"".join(self._parts)
        else:
            # No event ends here: keep the pieces unjoined, or a large event that
            # arrives in small reads would be copied once per read.
            buffer = b""
        if not buffer:
            self._parts.append(data)
            self._size += len(data)
            if _LF in data:
                return self._look([])
            self._check(data, [])
            return []
        end = buffer.rfind(b"\n\n")
        head = buffer[: max(end, 0)]
        payloads = _plain(head) if len(head) <= self._limit else None
        if payloads is not None:
            rest = buffer[end + 2 :]
            events = list(map(_make_plain, zip(payloads, _MESSAGES, strict=False)))
        else:
            *blocks, rest = buffer.split(b"\n\n")
            events = []
            self._parse(blocks, events)
        self._parts = [rest] if rest else []
        self._size = len(rest)
        self._looks = LOOKS
        if rest:
            if self._is_divided or rest.count(b"\n") > 1:
                return self._look(events)
            if self._size > self._limit:
                self._check(rest, events)
        return events

    def close(self) -> list[Event]:
        """Return the event that the upstream left without its closing blank line.

        The standard discards it. A server that forgets the last line feed is common
        though, and a cut-off event shows in its JSON, so the caller decides.
        """
        rest, self._parts = b"".join(self._parts), []
        events: list[Event] = []
        self._parse([rest], events)
        return events

    def _normalise(self, data: bytes) -> bytes:
        """Drop a leading byte order mark and turn CRLF and CR into LF."""
        if self._fresh:
            data = b"".join(self._parts) + data
            self._parts = []
            if len(data) < len(_BOM) and _BOM.startswith(data):
                self._parts = [data] if data else []
                return b""
            self._fresh = False
            data = data.removeprefix(_BOM)
        if self._after_cr and data:
            self._after_cr = False
            data = data.removeprefix(b"\n")
        if _CR in data:
            self._after_cr = data.endswith(b"\r")
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return data

    def _parse(self, blocks: list[bytes], events: list[Event]) -> None:
        """Append the events that `blocks`, without their blank lines, dispatch."""
        for block in blocks:
            if len(block) > self._limit:
                raise EventTooLarge(self._limit, events)
            # Who names events sends nearly all of them as one line of each kind.
            head, found, data = block.partition(b"\ndata: ")
            if found and head[:7] == b"event: " and not (_LF in head or _LF in data):
                name = head[7:].decode("utf-8", "replace") or "message"
                events.append(_make_plain((data, name)))
            elif block:
                self._dispatch(block, events)

    def _dispatch(self, block: bytes, events: list[Event]) -> None:
        lines = block.split(b"\n")
        if self._is_divided or (not self._is_strict and is_divided(block)):
            self._is_divided = True
            self._dispatch_each([*lines, b""], events)
            return
        values = [value for line in lines if (value := self._value(line)) is not None]
        if values:
            events.append(Event(b"\n".join(values), self._name or "message"))
        self._name = ""

    def _dispatch_each(self, lines: list[bytes], events: list[Event]) -> None:
        """Append an event for each line with data."""
        for line in lines:
            if len(line) > self._limit:
                raise EventTooLarge(self._limit, events)
            value = self._value(line)
            if value is not None:
                events.append(Event(value, self._name or "message"))
            if value is not None or not line:
                self._name = ""

    def _value(self, line: bytes) -> bytes | None:
        """Return the data of a line, None where it has none; note a name."""
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            return value
        if field == b"event":
            self._name = value.decode("utf-8", "replace")
        elif field == b"error":
            # No field of the standard, but one by which servers tell a failure.
            self._name = "error"
            return value
        elif field not in _SILENT and len(self.foreign) < _MAX_FOREIGN:
            self.foreign += line[:_MAX_FOREIGN] + b"\n"
        return None

    def _look(self, events: list[Event]) -> list[Event]:
        """Look at lines without the blank one behind them: some are events each."""
        if self._looks and not self._is_divided and not self._is_strict:
            self._looks -= 1
            self._parts = [b"".join(self._parts)]
            self._is_divided = is_divided(self._parts[0])
        if self._is_divided:
            return self._feed_lines(b"", events)
        self._check(self._parts[-1], events)
        return events

    def _feed_lines(
        self, data: bytes, before: list[Event] | None = None
    ) -> list[Event]:
        """Return the events of lines that are one each."""
        events = [] if before is None else before
        self._parts.append(data)
        self._size += len(data)
        if before is not None or _LF in data:
            *lines, rest = b"".join(self._parts).split(b"\n")
            self._parts, self._size = [rest], len(rest)
            self._dispatch_each(lines, events)
        if self._size > self._limit:
            raise EventTooLarge(self._limit, events)
        return events

    def _check(self, rest: bytes, events: list[Event]) -> None:
        # A line feed at the end may be half of the blank line that ends the event.
        if self._size - (rest[-1] == _LF) > self._limit:
            raise EventTooLarge(self._limit, events)


def encode(chunks: Iterable[Any]) -> bytes:
    """Return one ``data:`` event per JSON value, ready to send.

    >>> encode([{"a": 1}])
    b'data: {"a":1}\\n\\n'
    """
    lines = encode_lines([*chunks])
    if not lines:
        return b""
    # One call for all, because a network read brings many. Compact JSON holds no line
    # feed of its own: those in strings are escaped.
    return b"data: " + lines[:-1].replace(b"\n", b"\n\ndata: ") + b"\n\n"
