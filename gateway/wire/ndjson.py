"""Newline-delimited JSON: bytes to lines."""

from gateway.wire.bounds import MAX_EVENT, EventTooLarge

# Bytes are searched for a number in a tenth of the time.
_LF = ord("\n")


class NDJSONDecoder:
    """One stream of lines; the same lines however the bytes are cut."""

    def __init__(self, limit: int = MAX_EVENT) -> None:
        self._limit = limit
        self._parts: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> list[bytes]:
        """Return the non-blank lines completed by `data`, without line ends.

        Raises `EventTooLarge`, carrying the lines before it, when one line exceeds the
        bound; the decoder is of no use after that.
        """
        if _LF not in data:
            if data:
                self._parts.append(data)
                self._size += len(data)
            if self._size > self._limit:
                raise EventTooLarge(self._limit)
            return []
        self._parts.append(data)
        *lines, rest = b"".join(self._parts).split(b"\n")
        self._parts = [rest] if rest else []
        self._size = len(rest)
        complete: list[bytes] = []
        for line in lines:
            if len(line) > self._limit:
                raise EventTooLarge(self._limit, complete)
            if stripped := line.strip():
                complete.append(stripped)
        if self._size > self._limit:
            raise EventTooLarge(self._limit, complete)
        return complete

    def close(self) -> list[bytes]:
        """Return the last line when the upstream sent it without a line feed."""
        rest, self._parts = b"".join(self._parts), []
        return [line] if (line := rest.strip()) else []
