"""Server-sent events: bytes to events and chunks to bytes.

The decoder follows https://html.spec.whatwg.org/multipage/server-sent-events.html
(section 9.2.6) and gives the same events however the bytes are cut.
"""

from collections.abc import Iterable
from functools import partial
from itertools import repeat
from typing import Any, NamedTuple

import msgspec

from gateway.wire.bounds import MAX_EVENT, EventTooLarge

_encode_lines = msgspec.json.Encoder().encode_lines

# Bytes are searched for a number in a tenth of the time.
_LF, _CR = ord("\n"), ord("\r")

_SILENT = frozenset({b"", b"id", b"retry"})
_MAX_FOREIGN = 64 * 1024

_BOM = b"\xef\xbb\xbf"

KEEP_ALIVE = b": keep-alive\n\n"
"""A comment: bytes on the wire that no client sees as an event."""


class Event(NamedTuple):
    """One dispatched event; `data` joins its lines with a line feed."""

    data: bytes
    event: str = "message"


_MESSAGES = repeat("message")
_make_plain = partial(tuple.__new__, Event)


def _is_plain(head: bytes) -> bool:
    """Tell whether every event in `head` is one ``data: `` line, as nearly always.

    It is where every line feed belongs to a blank line before ``data: ``. Such events
    are split off all at once, because a network read brings many.
    """
    return head.startswith(b"data: ") and (
        head.count(b"\n") == 2 * head.count(b"\n\ndata: ")
    )


class SSEDecoder:
    """One stream of server-sent events.

    ``id`` and ``retry`` are ignored: nobody reconnects to a completion. Events without
    a ``data`` line are not dispatched, as the standard demands. `foreign` keeps the
    beginning of the lines that are no fields of the standard: what a server said that
    did not stream at all.
    """

    def __init__(self, limit: int = MAX_EVENT) -> None:
        self._limit = limit
        self._parts: list[bytes] = []
        self._size = 0
        self._fresh = True
        self._after_cr = False
        self.foreign = b""

    def feed(self, data: bytes) -> list[Event]:
        """Return the events completed by `data`.

        Raises `EventTooLarge`, carrying the events before it, when one event exceeds
        the bound; the decoder is of no use after that.
        """
        data = self._normalise(data)
        if not data:
            return []
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
            self._check(data, [])
            return []
        end = buffer.rfind(b"\n\n")
        head = buffer[: max(end, 0)]
        if len(head) <= self._limit and _is_plain(head):
            payloads = head[6:].split(b"\n\ndata: ")
            events = list(map(_make_plain, zip(payloads, _MESSAGES, strict=False)))
            rest = buffer[end + 2 :]
        else:
            *blocks, rest = buffer.split(b"\n\n")
            events = []
            self._parse(blocks, events)
        self._parts = [rest] if rest else []
        self._size = len(rest)
        if rest:
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
            if block and (event := self._event(block)) is not None:
                events.append(event)

    def _event(self, block: bytes) -> Event | None:
        # Who names events sends nearly all of them as one line of each kind.
        head, found, data = block.partition(b"\ndata: ")
        if found and head.startswith(b"event: ") and not (_LF in head or _LF in data):
            return _make_plain((data, head[7:].decode("utf-8", "replace") or "message"))
        name = ""
        values: list[bytes] = []
        for line in block.split(b"\n"):
            field, _, value = line.partition(b":")
            value = value.removeprefix(b" ")
            if field == b"data":
                values.append(value)
            elif field == b"event":
                name = value.decode("utf-8", "replace")
            elif field == b"error":
                # No field of the standard, but one by which servers tell a failure.
                name = "error"
                values.append(value)
            elif field not in _SILENT and len(self.foreign) < _MAX_FOREIGN:
                self.foreign += line[:_MAX_FOREIGN] + b"\n"
        if not values:
            return None
        return Event(b"\n".join(values), name or "message")

    def _check(self, rest: bytes, events: list[Event]) -> None:
        # A line feed at the end may be half of the blank line that ends the event.
        if self._size - (rest[-1] == _LF) > self._limit:
            raise EventTooLarge(self._limit, events)


def encode(chunks: Iterable[Any]) -> bytes:
    """Return one ``data:`` event per JSON value, ready to send.

    >>> encode([{"a": 1}])
    b'data: {"a":1}\\n\\n'
    """
    lines = _encode_lines([*chunks])
    if not lines:
        return b""
    # One call for all, because a network read brings many. Compact JSON holds no line
    # feed of its own: those in strings are escaped.
    return b"data: " + lines[:-1].replace(b"\n", b"\n\ndata: ") + b"\n\n"
