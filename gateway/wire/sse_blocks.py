"""Server-sent events to the letter, for who passes them on as they stand.

`gateway.wire.sse` reads what events say; here their bytes are only taken apart, at the
blank lines that end them, the same however they arrive.
"""

import re

from gateway.wire.bounds import MAX_EVENT, EventTooLarge
from gateway.wire.sse import Event, SSEDecoder

_CR, _LF = ord("\r"), ord("\n")
_BOM = b"\xef\xbb\xbf"

_BLANK = re.compile(rb"(?:\r\n|\r(?!\n)|\n){2}")
"""The ends of two lines, one behind the other."""


class BlockDecoder:
    """One stream of events, each given with the blank line that ends it."""

    def __init__(self, limit: int = MAX_EVENT) -> None:
        self._limit = limit
        self._parts: list[bytes] = []
        self._size = 0
        self._is_fresh = True

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
        # Kept unjoined while no event ends, or a large one that arrives in small reads
        # would be copied once per read.
        if not may_end:
            return self._kept()
        buffer = b"".join(self._parts) if len(self._parts) > 1 else data
        end = _end(buffer)
        rest = buffer[end:]
        self._parts, self._size = [rest] if rest else [], len(rest)
        self._kept()
        return buffer[:end]

    def close(self) -> bytes:
        """Return what stands behind the last complete event."""
        rest, self._parts, self._size = b"".join(self._parts), [], 0
        return rest

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
