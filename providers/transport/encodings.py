"""Bodies that an upstream compressed although it was asked not to.

gzip and deflate are decoded as they arrive, in steps of bounded size, so that whoever
counts the bytes of a body counts those that it becomes. Other codings are refused when
the body is read, and not before: status and headers say enough of an error.

https://www.rfc-editor.org/rfc/rfc9110#section-8.4
"""

import zlib
from collections.abc import AsyncIterator
from typing import Any

import httpx

STEP = 256 * 1024
"""What one step of decoding may grow to."""

_PLAIN = frozenset({"", "identity", "none", "utf-8", "utf8", "binary", "8bit", "7bit"})
"""No coding at all; some servers put the character set here."""

_WINDOWS = {"gzip": 31, "x-gzip": 31, "deflate": zlib.MAX_WBITS}
_HEADER = 2  # bytes of zlib's own


class Encoded(httpx.RemoteProtocolError):
    """A body in a coding that is not decoded here; the text names it."""


def decoded(stream: httpx.AsyncByteStream, coding: str) -> httpx.AsyncByteStream:
    """Return `stream` without its coding, which is a Content-Encoding header's value.

    What comes back raises `Encoded`, or httpx.RemoteProtocolError for a body that is
    not what its header says, while it is read.
    """
    names = [name.strip().lower() for name in coding.split(",")]
    names = [name for name in names if name not in _PLAIN]
    if not names:
        return stream
    if len(names) == 1 and names[0] in _WINDOWS:
        return _Inflated(stream, names[0])
    return _Refused(stream, ", ".join(names))


class _Wrapped(httpx.AsyncByteStream):
    """A stream around another one, which is closed with it."""

    def __init__(self, inner: httpx.AsyncByteStream) -> None:
        self._inner = inner

    async def aclose(self) -> None:
        """Close the stream within."""
        await self._inner.aclose()


class _Refused(_Wrapped):
    """A body that cannot be read."""

    def __init__(self, inner: httpx.AsyncByteStream, coding: str) -> None:
        super().__init__(inner)
        self._coding = "".join(c for c in coding if c.isprintable())[:40]

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Raise `Encoded`."""
        raise Encoded(f"The answer is compressed ({self._coding}), unasked.")
        yield b""


class _Inflated(_Wrapped):
    """The body that a gzip or deflate stream becomes, as it arrives.

    Like the stream within it survives a wait that is cancelled: all that is known is
    kept in between.
    """

    def __init__(self, inner: httpx.AsyncByteStream, coding: str) -> None:
        super().__init__(inner)
        self._pieces = aiter(inner)
        self._coding = coding
        self._inflater: Any = None
        self._waiting = b""

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        """Return what the next bytes become, waiting for some if need be."""
        while True:
            if self._waiting and (piece := self._inflate()):
                return piece
            if not self._waiting or self._inflater is None:
                self._waiting += await anext(self._pieces)

    def _inflate(self) -> bytes:
        """Return a step of what is waiting; empty where it takes more bytes."""
        if self._inflater is None:
            if len(self._waiting) < _HEADER:
                return b""
            self._inflater = zlib.decompressobj(self._window())
        try:
            piece: bytes = self._inflater.decompress(self._waiting, STEP)
        except zlib.error:
            raise httpx.RemoteProtocolError(
                "The upstream's answer is not compressed as it says."
            ) from None
        self._waiting = self._inflater.unconsumed_tail
        if self._inflater.eof:
            # What follows is a further member, or nothing.
            self._waiting, self._inflater = self._inflater.unused_data, None
        return piece

    def _window(self) -> int:
        """Return how zlib is to read what waits: deflate comes with a header or bare.

        https://www.rfc-editor.org/rfc/rfc9110#name-deflate-coding
        """
        first, second = self._waiting[:_HEADER]
        has_header = first & 0x0F == zlib.DEFLATED and (first * 256 + second) % 31 == 0
        if self._coding == "deflate" and not has_header:
            return -zlib.MAX_WBITS
        return _WINDOWS[self._coding]
