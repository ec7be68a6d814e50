"""Frames of ``application/vnd.amazon.eventstream``, whatever service they come from.

A frame is a length, a length of headers, a checksum of both, headers, a payload and a
checksum of it all. Headers are read by botocore; they are the same few in every stream,
so each is read once. A frame's size is checked before its bytes are kept.
https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html
"""

from collections.abc import Mapping
from functools import lru_cache
from struct import Struct
from struct import error as StructError
from typing import NamedTuple
from zlib import crc32

from gateway.wire.bounds import MAX_EVENT

_PRELUDE = Struct("!III")
_CHECKSUM = Struct("!I")
_SHORT = 256  # what is longer is an error's text, which never comes twice
_SMALLEST = _PRELUDE.size + _CHECKSUM.size

_NAMES = (":event-type", ":exception-type", ":error-code")


class ChecksumMismatch(Exception):
    """What came is not what was sent."""


class BrokenHeaders(Exception):
    """They are not what botocore takes."""


# A header type outside botocore's table is a KeyError, a cut value a StructError.
_BROKEN = (
    ChecksumMismatch,
    BrokenHeaders,
    StructError,
    KeyError,
    UnicodeDecodeError,
)


class Frame(NamedTuple):
    """One message.

    `kind` is ``event``, ``exception`` or ``error``; `name` the event's type, the
    exception's type or the error's code. Names of `headers` keep their leading colon.
    """

    kind: str
    name: str
    headers: Mapping[str, str]
    payload: bytes


class EventStreamDecoder:
    """Bytes in, frames out, the same however the bytes are cut.

    On a broken frame `error` says what is wrong; frames before it are still returned,
    and whatever is fed afterwards is ignored.
    """

    def __init__(self, limit: int = MAX_EVENT) -> None:
        self.error: str | None = None
        self._pending = bytearray()
        self._limit = limit

    def feed(self, data: bytes) -> list[Frame]:
        """Return the frames that `data` completes."""
        frames: list[Frame] = []
        if self.error is not None:
            return frames
        pending = self._pending
        pending += data
        start = 0
        while (length := self._frame_length(start)) is not None:
            try:
                frames.append(_frame(bytes(pending[start : start + length])))
            except _BROKEN as broken:
                self.error = f"a frame cannot be read ({type(broken).__name__})"
                break
            start += length
        if self.error is not None:
            pending.clear()
        elif start:
            del pending[:start]
        return frames

    def _frame_length(self, start: int) -> int | None:
        """Return the length of the frame at `start` once all of it is there."""
        available = len(self._pending) - start
        if available < _PRELUDE.size:
            return None
        total, headers, checksum = _PRELUDE.unpack_from(self._pending, start)
        if crc32(self._pending[start : start + 8]) != checksum:
            self.error = "the checksum of a frame's prelude does not match"
        elif total > self._limit:
            self.error = f"a frame is larger than {self._limit} bytes"
        elif headers + _SMALLEST > total:
            self.error = "a frame is shorter than its own headers"
        if self.error is not None or available < total:
            return None
        return int(total)


def _frame(data: bytes) -> Frame:
    """Return the frame that `data` is; raises one of `_BROKEN` where it is none."""
    (checksum,) = _CHECKSUM.unpack_from(data, len(data) - _CHECKSUM.size)
    if crc32(data[: -_CHECKSUM.size]) != checksum:
        raise ChecksumMismatch
    end = _PRELUDE.size + _PRELUDE.unpack_from(data)[1]
    read = _known_headers if end < _SHORT else _headers
    kind, name, headers = read(data[_PRELUDE.size : end])
    return Frame(kind, name, headers, data[end : -_CHECKSUM.size])


def _headers(data: bytes) -> tuple[str, str, Mapping[str, str]]:
    """Return a frame's kind, name and textual headers."""
    # Here, because only who has a model on AWS need load botocore.
    from botocore.eventstream import EventStreamHeaderParser, ParserError

    try:
        found = EventStreamHeaderParser().parse(data)
    except ParserError as error:
        raise BrokenHeaders from error
    headers = {name: value for name, value in found.items() if isinstance(value, str)}
    named = (headers[each] for each in _NAMES if each in headers)
    return headers.get(":message-type", "event"), next(named, ""), headers


_known_headers = lru_cache(maxsize=64)(_headers)
