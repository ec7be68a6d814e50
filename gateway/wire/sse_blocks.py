"""Server-sent events to the letter, for who passes them on as they stand.

`gateway.wire.sse` reads what events say; here their bytes are only taken apart, at the
blank lines that end them, the same however they arrive.
"""

import re

from gateway.wire.bounds import MAX_EVENT, EventTooLarge
from gateway.wire.sse import LOOKS, Event, SSEDecoder, is_divided

_CR, _LF = ord("\r"), ord("\n")
_BOM = b"\xef\xbb\xbf"

_BLANK = re.compile(rb"(?:\r\n|\r(?!\n)|\n){2}")
"""The ends of two lines, one behind the other."""

_LINE = re.compile(rb"[^\r\n]*+(\r\n|\r|\n)")
_DATA = b"data:"


class BlockDecoder:
    """One stream of events, each given with the blank line that ends it.

    Where a server divides its events by one line feed each gets its blank line, from
    the second one on as soon as it is there: no client would see them otherwise.
    """

    def __init__(self, limit: int = MAX_EVENT) -> None:
        self._limit = limit
        self._parts: list[bytes] = []
        self._size = 0
        self._is_fresh = True
        self._is_divided = False
        self._looks = LOOKS

    def feed(self, data: bytes) -> bytes:
        """Return the events that `data` completes, as one text.

        Raises `EventTooLarge` where one exceeds the bound; the decoder is of no use
        after that.
        """
        if self._is_fresh:
            data = self._without_mark(data)
        if not data:
            return b""
        may_end = _may_end(self._parts[-1] if self._parts else b"", data)
        self._parts.append(data)
        self._size += len(data)
        if self._is_divided:
            has_line = _LF in data or _CR in data
            return self._lines() if has_line else self._kept()
        # Kept unjoined while no event ends, or a large one that arrives in small reads
        # would be copied once per read.
        if not may_end:
            return self._looked_at() if _LF in data else self._kept()
        buffer = b"".join(self._parts) if len(self._parts) > 1 else data
        end = _end(buffer)
        rest = buffer[end:]
        self._keep(rest)
        if end:
            self._looks = LOOKS
        if rest and (rest.count(b"\n") > 1 or rest.count(b"\r") > 1):
            return buffer[:end] + self._looked_at()
        self._kept()
        return buffer[:end]

    def close(self) -> bytes:
        """Return what stands behind the last complete event."""
        rest, self._parts, self._size = b"".join(self._parts), [], 0
        return rest

    def _keep(self, rest: bytes) -> None:
        self._parts, self._size = [rest] if rest else [], len(rest)

    def _looked_at(self) -> bytes:
        """Return the events in lines without a blank one, where they are one each."""
        if self._looks:
            self._looks -= 1
            self._keep(b"".join(self._parts))
            self._is_divided = is_divided(_plain(self._parts[0]))
        return self._lines() if self._is_divided else self._kept()

    def _lines(self) -> bytes:
        """Return the events of a server that divides them by one line feed."""
        buffer = b"".join(self._parts)
        events, end = _with_blanks(buffer)
        self._keep(buffer[end:])
        self._kept()
        return events

    def _kept(self) -> bytes:
        if self._size > self._limit:
            raise EventTooLarge(self._limit)
        return b""

    def _without_mark(self, data: bytes) -> bytes:
        """Return how the stream begins, a byte order mark left out."""
        data = b"".join(self._parts) + data
        self._parts, self._size = [], 0
        if len(data) < len(_BOM) and _BOM.startswith(data):
            self._parts = [data] if data else []
            return b""
        self._is_fresh = False
        return data.removeprefix(_BOM)


def _may_end(before: bytes, data: bytes) -> bool:
    """Tell whether an event may end within `data`, or where it begins."""
    if b"\n\n" in data or _CR in data or before.endswith(b"\r"):
        return True
    return data[0] == _LF and before.endswith(b"\n")


def _end(buffer: bytes) -> int:
    """Return where the last complete event of `buffer` ends, 0 where there is none."""
    if _CR not in buffer:
        return buffer.rfind(b"\n\n") + 2 if b"\n\n" in buffer else 0
    # Whether a CR is a line's end by itself only the next byte tells.
    ends = [found.end() for found in _BLANK.finditer(buffer.removesuffix(b"\r"))]
    return ends[-1] if ends else 0


def _with_blanks(lines: bytes) -> tuple[bytes, int]:
    """Return lines with a blank one behind each event, and where the last one ends.

    An event ends with its data.
    """
    events, begun, end = [], 0, 0
    # Whether a CR is a line's end by itself only the next byte tells.
    for line in _LINE.finditer(lines.removesuffix(b"\r")):
        if line[0].startswith(_DATA):
            end = line.end()
            events.append(lines[begun:end] + line[1])
            begun = end
    return b"".join(events), end


def _plain(text: bytes) -> bytes:
    return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def divided(block: bytes) -> list[bytes]:
    """Return the events that a complete block is, if a server forgot blank lines.

    >>> divided(b'data: {}\ndata: {}\n\n')
    [b'data: {}\n\n', b'data: {}\n\n']
    """
    lines = block.strip(b"\r\n")
    if lines.count(b"\n") + lines.count(b"\r") == 0 or lines.count(_DATA) < 2:
        return [block]
    if not is_divided(_plain(lines)):
        return [block]
    events, end = _with_blanks(block)
    rest = block[end:].strip(b"\r\n")
    return blocks(events) + ([rest + b"\n\n"] if rest else [])


def blocks(events: bytes) -> list[bytes]:
    """Return complete events one by one, to the letter.

    >>> blocks(b"data: 1\\n\\ndata: 2\\n\\n")
    [b'data: 1\\n\\n', b'data: 2\\n\\n']
    """
    if _CR not in events:
        return [each + b"\n\n" for each in events[:-2].split(b"\n\n")]
    ends = [found.end() for found in _BLANK.finditer(events)]
    return [events[a:b] for a, b in zip([0, *ends], ends, strict=False)]


def read(block: bytes) -> tuple[Event | None, bytes]:
    """Return what one complete event says, None for comments and the like.

    Beside it stands what is no field of the standard, and so no event at all.
    """
    decoder = SSEDecoder(len(block), is_strict=True)
    events = decoder.feed(block)
    return (events[0] if events else None), decoder.foreign
