"""Frames of ``application/vnd.amazon.eventstream``, whatever service they come from.

A frame is a length, a length of headers, a checksum of both, headers, a payload and a
checksum of it all. Headers and the outer checksum are botocore's work; how much to hand
it is decided here, so that a frame's size is known before its bytes are kept.
https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html
"""

from struct import Struct
from struct import error as StructError
from typing import NamedTuple
from zlib import crc32

from botocore.eventstream import EventStreamBuffer, ParserError

MAX_FRAME = 8 * 1024 * 1024
"""No frame of a model's answer comes near this; what does is an attack or noise."""

_PRELUDE = Struct("!III")
_SMALLEST = _PRELUDE.size + 4


class Frame(NamedTuple):
    """One message: its headers (names keep their leading colon) and its payload."""

    headers: dict[str, str]
    payload: bytes

    @property
    def kind(self) -> str:
        """Return ``event``, ``exception`` or ``error``."""
        return self.headers.get(":message-type", "event")

    @property
    def name(self) -> str:
        """Return the event's type, the exception's type or the error's code."""
        for header in (":event-type", ":exception-type", ":error-code"):
            if header in self.headers:
                return self.headers[header]
        return ""


class EventStreamDecoder:
    """Bytes in, frames out, the same however the bytes are cut.

    On a broken frame `error` says what is wrong; frames before it are still returned,
    and whatever is fed afterwards is ignored.
    """

    def __init__(self, max_frame: int = MAX_FRAME) -> None:
        self.error: str | None = None
        self._pending = bytearray()
        self._max_frame = max_frame
        self._buffer = EventStreamBuffer()

    @property
    def is_clean(self) -> bool:
        """Say whether the input so far ends at the end of a frame."""
        return not self._pending and self.error is None

    def feed(self, data: bytes) -> list[Frame]:
        """Return the frames that `data` completes."""
        frames: list[Frame] = []
        if self.error is not None:
            return frames
        pending = self._pending
        pending += data
        start = 0
        while (length := self._frame_length(start)) is not None:
            frame = self._frame(bytes(pending[start : start + length]))
            if frame is None:
                break
            frames.append(frame)
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
        elif total > self._max_frame:
            self.error = f"a frame is larger than {self._max_frame} bytes"
        elif headers + _SMALLEST > total:
            self.error = "a frame is shorter than its own headers"
        if self.error is not None or available < total:
            return None
        return int(total)

    def _frame(self, data: bytes) -> Frame | None:
        self._buffer.add_data(data)
        try:
            message = self._buffer.next()
        except (ParserError, StructError, KeyError, UnicodeDecodeError) as broken:
            # A header type outside the table is a KeyError, a cut value a StructError.
            self.error = f"a frame cannot be read ({type(broken).__name__})"
            return None
        headers = {
            name: value
            for name, value in message.headers.items()
            if isinstance(value, str)
        }
        return Frame(headers, message.payload)
