"""One stream that goes the short way where it can, and the long way elsewhere.

Both give the same frames, however the bytes are cut: the long way's parser is fed all
but the plain events, and told of these.
"""

from typing import Protocol, TypeGuard

from gateway.hub.answers.plain.around import BLANK
from gateway.hub.answers.plain.frames import PlainFormat, PlainFrames, is_plain
from gateway.hub.answers.plain.reads import LONGEST, Read
from gateway.hub.answers.plain.rows import Run
from gateway.hub.answers.relay import (
    Relayed,
    Text,
    TextRenderer,
    encoded,
    joined,
    relayed,
)
from gateway.hub.answers.state import StreamState
from gateway.hub.protocol import JSON, StreamParser

_LESSONS = 8
"""Events per stream that are looked at for being plain: some streams hold none."""

_LONGEST = 4 * 1024
"""What is held of an event that may be plain and is not whole."""

_NEAR = 2 * 1024
"""Bytes in which the next event ends, as nearly all do."""


class PlainParser(StreamParser, Protocol):
    """A parser of a stream in which plain text may be passed by."""

    @property
    def plain(self) -> PlainFormat:
        """How its upstream writes plain text."""
        ...

    @property
    def largest(self) -> int:
        """The most bytes that one event may have."""
        ...

    @property
    def is_between(self) -> bool:
        """Whether nothing is held, and each event would be read by itself."""
        ...

    def takes_text(self, part: int) -> bool:
        """Tell whether text of a part of the answer would be told, and no more."""
        ...

    def passed(self, part: int, characters: int) -> None:
        """Take note of text that did not come this way."""
        ...


def is_plain_parser(parser: StreamParser) -> TypeGuard[PlainParser]:
    """Tell whether plain text may be passed by `parser`.

    `isinstance` looks at all that a protocol has, 20 times as long.
    """
    return hasattr(parser, "plain")


class PlainStream:
    """A stream's bytes to frames, of `renderer` where it is told how."""

    def __init__(self, parser: PlainParser, renderer: TextRenderer | None) -> None:
        self._parser = parser
        self._state: StreamState = parser.state
        self._format = parser.plain
        self._renderer = renderer
        self._frames: PlainFrames | None = None
        self._is_fresh = True
        self._lessons = _LESSONS
        self._longest = min(_LONGEST, parser.largest)
        self._longest_read = min(LONGEST, parser.largest)
        self._held = b""
        self._chunks: list[JSON] = []
        """What came the long way and is not written yet."""
        self._short: PlainFrames | None = None
        """What went the short way last, unless the parser has read anything since."""
        self._read: Read | None = None
        """What reads the next text, as long as that goes the short way."""
        self._passed = 0
        """Characters of text that the parser has not been told of."""

    def text(self, data: bytes) -> Text[bytes] | None:
        """Return what `data` comes to where it brings text as the last reads did.

        None, and nothing has changed, where it is to be fed.
        """
        read = self._read
        if read is None:
            return None
        if self._held:
            data = self._held + data
        if len(data) > self._longest_read:
            return None
        told = read(data)
        if told is None:
            return None
        text, self._held = told
        self._passed += len(text.text)
        return text

    def feed(self, data: bytes) -> Relayed[bytes]:
        """Return the frames for `data`."""
        if self._held:
            data, self._held = self._held + data, b""
        known = self._frames
        if self._passed:
            self._tell_passed()
        if known is not None and (self._short is known or self._takes(known)):
            if not data.endswith(BLANK):
                data = self._whole(data)
                if not data:
                    return Relayed(b"", said={})
            told = known.rows.only(data, self._renderer)
            if told is not None:
                if self._short is not known:
                    self._short = known
                    self._read = known.reads.reader(self._renderer)
                self._parser.passed(known.part, told.characters)
                return told
        self._short = self._read = None
        pieces: list[Relayed[bytes]] = []
        position = 0
        while position < len(data) and not self._state.is_over:
            position = self._step(data, position, pieces)
        self._flush(pieces)
        return joined(pieces)

    def close(self) -> Relayed[bytes]:
        """Return the frames for what was held back."""
        chunks: list[JSON] = []
        if self._passed:
            self._tell_passed()
        if self._held:
            chunks = self._parser.feed(self._held)
            self._held = b""
        return self._rendered(chunks + self._parser.close())

    def _tell_passed(self) -> None:
        """Tell the parser of text before it reads anything else."""
        known, characters = self._frames, self._passed
        if known is not None:
            self._parser.passed(known.part, characters)
        self._passed = 0

    def _step(self, data: bytes, position: int, pieces: list[Relayed[bytes]]) -> int:
        """Read events from `position` on, the short way or the long one.

        Returns where they end.
        """
        known, parser = self._frames, self._parser
        if not parser.is_between:
            return self._to_between(data, position)
        if known is not None and parser.takes_text(known.part):
            run = known.run(data, position)
            if run is not None:
                self._pass(known, run, data, position, pieces)
                return run.end
        if self._is_begun(data, position):
            self._held = data[position:]
            return len(data)
        start = self._candidate(data, position)
        if start > position:
            self._long(data[position:start])
            return start
        end = _end(data, position)
        self._learn(data[position:end])
        return end

    def _to_between(self, data: bytes, position: int) -> int:
        """Read to the end of what has begun, or all where there is no such place.

        The begin of a stream is read up to its first plain event.
        """
        end = _end(data, position)
        if self._is_fresh:
            self._is_fresh = False
            end = max(end, self._candidate(data, position))
        self._long(data[position:end])
        if end < len(data) and not self._parser.is_between:
            self._long(data[end:])
            return len(data)
        return end

    def _takes(self, known: PlainFrames) -> bool:
        """Tell whether text may go the short way now."""
        parser = self._parser
        return (
            parser.is_between
            and parser.takes_text(known.part)
            and not self._state.is_over
        )

    def _pass(
        self,
        known: PlainFrames,
        run: Run,
        data: bytes,
        position: int,
        pieces: list[Relayed[bytes]],
    ) -> None:
        """Read plain events the short way, if they can go that after all."""
        self._flush(pieces)
        told = None
        if run.end - position <= self._parser.largest:
            told = known.told(run, self._renderer)
        if told is None:
            self._long(data[position : run.end])
        else:
            self._parser.passed(known.part, told.characters)
            pieces.append(told)

    def _candidate(self, data: bytes, position: int) -> int:
        """Return where an event begins that may be plain, at `position` or behind it.

        The end of `data`, where there is none.
        """
        if not self._lessons:
            known = self._frames
            place = data.find(BLANK + known.head, position) if known else -1
            return self._last(data, position) if place < 0 else place + len(BLANK)
        marked = self._marked(data, position)
        if marked < 0:
            return self._last(data, position)
        before = data.rfind(BLANK, position, marked)
        start = position if before < 0 else before + len(BLANK)
        return start if data.startswith(self._format.HEAD, start) else len(data)

    def _marked(self, data: bytes, position: int) -> int:
        """Return where the first mark of a plain event stands, -1 where none does.

        Nearly always that is near. A server writes one of the marks, and to find out
        that the other is nowhere in a long read takes 14 µs.
        """
        size = len(data)
        for end in (position + _NEAR, size):
            found = -1
            for mark in self._format.MARKS:
                place = data.find(mark, position, end)
                if place >= 0 and (found < 0 or place < found):
                    found = place
            if found >= 0 or end >= size:
                return found
        return -1

    def _last(self, data: bytes, position: int) -> int:
        """Return where the last event begins if that may be plain, else the end."""
        start = data.rfind(BLANK, position) + len(BLANK)
        is_begun = start > len(BLANK) and self._is_begun(data, start)
        return start if is_begun else len(data)

    def _whole(self, data: bytes) -> bytes:
        """Return `data` up to an event that may be plain and is there in part.

        That is held until its rest is there.
        """
        end = data.rfind(BLANK) + len(BLANK)
        end = 0 if end < len(BLANK) else end
        if self._is_begun(data, end):
            self._held = data[end:]
            return data[:end]
        return data

    def _is_begun(self, data: bytes, position: int) -> bool:
        """Tell whether at the end of `data` a plain event is there in part."""
        if not (self._frames or self._lessons):
            return False
        size, head = len(data) - position, self._format.HEAD
        if size > self._longest:
            return False
        if size <= len(head):
            return head.startswith(data[position:])
        line = position + len(head)
        return (
            data.startswith(head, position)
            and data.find(b"\r", line) < 0
            and data.find(b"\n", line) in (-1, len(data) - 1)
        )

    def _long(self, data: bytes) -> None:
        self._chunks += self._parser.feed(data)

    def _flush(self, pieces: list[Relayed[bytes]]) -> None:
        """Write what went the long way: all of it at once, which is a call fewer."""
        if self._chunks:
            chunks, self._chunks = self._chunks, []
            pieces.append(self._rendered(chunks))

    def _learn(self, event: bytes) -> None:
        """Translate one event the long way, and learn of it where it is plain."""
        chunks = self._parser.feed(event)
        if self._lessons and len(chunks) == 1 and is_plain(chunks[0]):
            payload = event[len(self._format.HEAD) : -len(BLANK)]
            if event.endswith(BLANK) and b"\n" not in payload:
                self._lessons -= 1
                known = PlainFrames.like(payload, chunks[0], self._format)
                self._frames = known or self._frames
        self._chunks += chunks

    def _rendered(self, chunks: list[JSON]) -> Relayed[bytes]:
        if self._renderer is None:
            return encoded(chunks)
        return relayed(chunks, self._renderer.render)


def _end(data: bytes, position: int) -> int:
    """Return where the event ends that stands at `position`, or is there in part."""
    end = data.find(BLANK, position)
    return len(data) if end < 0 else end + len(BLANK)
