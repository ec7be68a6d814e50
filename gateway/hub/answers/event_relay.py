"""A stream of server-sent events, passed on event for event; knows no format.

Nearly all events carry a piece of the answer. They are recognised by how they begin and
are not decoded; where a network read brought nothing else it goes on as it came. What
is learnt from the others, and what is changed in them, a `Tap` says.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, Protocol

from gateway.errors import GatewayError
from gateway.hub.answers.plain.alike import Alike
from gateway.hub.answers.plain.strings import said_in
from gateway.hub.answers.relay import Relayed, joined
from gateway.hub.answers.state import StreamState
from gateway.hub.errors import upstream_errors
from gateway.hub.errors.meanings import Vocabulary
from gateway.hub.protocol import JSON
from gateway.wire import sse_blocks
from gateway.wire.bounds import MAX_EVENT, EventTooLarge
from gateway.wire.jsontext import JSONError, encode
from gateway.wire.mending import decode_or_mend
from gateway.wire.sse import Event

NOTHING: Relayed[bytes] = Relayed(b"")
_BLANK = b"\xef\xbb\xbf \t\r\n"
_BLANK_LINE = b"\n\n"
_CARRIAGE_RETURN = ord("\r")
_MOST_FOREIGN = 64 * 1024
_is_name = re.compile(r"[a-z_.]{1,64}").fullmatch


class Tap(Protocol):
    """What one format learns of the events that pass, and changes in them.

    `PIECES` matches events behind each other that carry a piece of the answer each,
    `TEXT` the piece in one. `LAST_WORD` is the data of an event behind the last one,
    empty where there is none.
    """

    PIECES: re.Pattern[bytes]
    TEXT: re.Pattern[bytes]
    LAST_WORD: bytes
    WORDS: Vocabulary

    @property
    def state(self) -> StreamState: ...

    def passed(self, block: bytes, event: JSON) -> Relayed[bytes]:
        """Return an event that stands in `block` as it is passed on."""
        ...

    def events_of(self, payload: Any) -> Iterable[JSON]:
        """Return the events that would have told an answer that came whole.

        Raises `GatewayError` where it is none.
        """
        ...

    def is_complete(self) -> bool:
        """Tell whether an answer without its last event is complete all the same."""
        ...


class EventRelay:
    """One stream on its way.

    What a server answered whole although a stream was asked for is told in events.
    `recent` are the last that were passed on.
    """

    def __init__(self, tap: Tap, largest: int = MAX_EVENT) -> None:
        self.state = tap.state
        self.recent = b""
        self.tap = tap
        self._alike: Alike | None = None
        self._decoder = sse_blocks.BlockDecoder(largest)
        self._largest = largest
        self._is_fresh = True
        self._whole: list[bytes] | None = None
        """What came instead of a stream: JSON, from its first byte on."""
        self._size = 0
        self._foreign = b""

    def feed(self, data: bytes) -> Relayed[bytes]:
        """Return the events that `data` completes."""
        if self.state.is_over and not self.state.may_go_on:
            return NOTHING
        if self._is_fresh and (begun := data.lstrip(_BLANK)):
            self._is_fresh = False
            if begun.startswith(b"{"):
                self._whole = []
        if self._whole is not None:
            self._keep(self._whole, data)
            return NOTHING
        try:
            events = self._decoder.feed(data)
        except EventTooLarge:
            self._fail(upstream_errors.no_answer("holds an event that is too large"))
            return NOTHING
        return self._relayed(events) if events else NOTHING

    def close(self) -> Relayed[bytes]:
        """End of input: return what is whole of the rest; an error is the end else."""
        if self.state.is_over:
            return NOTHING
        if self._whole is not None:
            return self._close_whole(b"".join(self._whole))
        relayed = self._last(self._decoder.close())
        if not self.state.is_over:
            if self.tap.is_complete():
                self.state.done = True
            else:
                self._fail(upstream_errors.unfinished(self._foreign, self.tap.WORDS))
        return relayed

    def _fail(self, error: GatewayError) -> None:
        self.state.error = error

    def _keep(self, whole: list[bytes], data: bytes) -> None:
        """Keep a part of an answer that comes whole."""
        whole.append(data)
        self._size += len(data)
        if self._size > self._largest:
            self._fail(upstream_errors.no_answer("is too large"))

    def _close_whole(self, raw: bytes) -> Relayed[bytes]:
        try:
            events = self.tap.events_of(decode_or_mend(raw.lstrip(_BLANK)))
        except JSONError:
            self._fail(upstream_errors.no_answer("is not a stream"))
            return NOTHING
        except GatewayError as error:
            self._fail(error)
            return NOTHING
        return joined([self._passed(framed(each), each) for each in events])

    def _relayed(self, events: bytes) -> Relayed[bytes]:
        """Return what becomes of complete events."""
        if not self.state.done and (told := self._heard(events)) is not None:
            self.recent = events
            return told
        passed = []
        for run, are_pieces, told in self._runs(events):
            if self.state.is_over:
                if self.state.done and _data(run) == (self.tap.LAST_WORD or None):
                    passed.append(self._last_word(run))
            elif are_pieces:
                self.recent = run
                passed.append(told or self._pieces(run))
            else:
                passed.append(self._block(run))
        return joined(passed)

    def _runs(self, events: bytes) -> "Iterator[_Run]":
        """Yield complete events in runs."""
        if _CARRIAGE_RETURN in events:
            for block in sse_blocks.blocks(events):
                yield from (_Run(each) for each in sse_blocks.divided(block))
            return
        position, is_first = 0, True
        while position < len(events):
            end = events.index(_BLANK_LINE, position) + len(_BLANK_LINE)
            found = self.tap.PIECES.match(events, position, end)
            if found is None:
                yield from map(_Run, sse_blocks.divided(events[position:end]))
            elif is_first and (told := self._heard_from(events, position, end)):
                end = position + len(told.data)
                yield _Run(told.data, True, told)
            else:
                found = self.tap.PIECES.match(events, position)
                end = found.end() if found is not None else end
                yield _Run(events[position:end], True)
            is_first = is_first and found is None
            position = end

    def _heard_from(
        self, events: bytes, position: int, end: int
    ) -> Relayed[bytes] | None:
        """Return all pieces from that in between on, where they are like this one."""
        self._learn(events[position:end])
        known = self._alike
        if known is None:
            return None
        return self._heard(events[position : known.end_in(events)])

    def _heard(self, events: bytes) -> Relayed[bytes] | None:
        """Return pieces, as they are passed on, that are like one that was learnt."""
        known = self._alike
        said = known.said(events) if known is not None else None
        if said is None:
            return None
        (text,) = said.values()
        return Relayed(events, len(text), "", True, said)

    def _learn(self, event: bytes) -> None:
        """Learn how others look, of one that carries a piece and is another."""
        if self._alike is None or self._alike.said(event) is None:
            self._alike = Alike.of(event) or self._alike

    def _pieces(self, run: bytes) -> Relayed[bytes]:
        """Return pieces as they are passed on, and what they say if they are alike."""
        self._learn(run[: run.find(_BLANK_LINE) + len(_BLANK_LINE)])
        return self._heard(run) or pieces(run, self.tap.TEXT)

    def _last_word(self, block: bytes) -> Relayed[bytes]:
        self.state.may_go_on = False
        return Relayed(block)

    def _block(self, block: bytes) -> Relayed[bytes]:
        event, foreign = sse_blocks.read(block)
        if event is None:
            self._foreign += foreign[: _MOST_FOREIGN - len(self._foreign)]
            return NOTHING if foreign else Relayed(block)
        if self.tap.LAST_WORD and event.data.strip() == self.tap.LAST_WORD:
            return self._last_word(block)
        try:
            body = decode_or_mend(event.data)
        except JSONError:
            body = None
        return self._named(block, event, body)

    def _named(self, block: bytes, event: Event, body: Any) -> Relayed[bytes]:
        """Return a complete event, `body` what it holds, as it goes on.

        One without a name gets that of its type: SDKs do not see it otherwise. What has
        neither is none of these formats.
        """
        kind = body.get("type") if isinstance(body, dict) else None
        is_named = event.event != "message"
        if not isinstance(kind, str) or not _is_name(kind):
            if found := upstream_errors.found_in(body, self.tap.WORDS):
                self._fail(found)
                return NOTHING
            return Relayed(block, says=True) if is_named else NOTHING
        if not is_named:
            block = b"event: %b\n%b" % (kind.encode(), block.lstrip(b"\r\n"))
        return self._passed(block, body)

    def _passed(self, block: bytes, event: JSON) -> Relayed[bytes]:
        self.recent = block
        relayed = self.tap.passed(block, event)
        if relayed.said is None:
            return relayed._replace(said=said_in(event))
        return relayed

    def _last(self, rest: bytes) -> Relayed[bytes]:
        """Return an event without the blank line that ends it, where it is whole."""
        if not rest.strip():
            return NOTHING
        block = rest.rstrip(b"\r\n") + b"\n\n"
        event, foreign = sse_blocks.read(block)
        try:
            if event is not None and event.data.strip() != self.tap.LAST_WORD:
                decode_or_mend(event.data)
        except JSONError:
            return NOTHING
        self._foreign += foreign if event is None else b""
        return NOTHING if event is None else self._block(block)


def framed(event: JSON) -> bytes:
    """Return one event as it stands in a stream."""
    return b"event: %b\ndata: %b\n\n" % (event["type"].encode(), encode(event))


def pieces(run: bytes, text: re.Pattern[bytes]) -> Relayed[bytes]:
    """Return events as they are passed on that carry a piece each, found by `text`.

    What they say is not read: who must know reads it. How much it is about, is told by
    the first one, for the others are like it.
    """
    end = run.find(_BLANK_LINE) + len(_BLANK_LINE)
    if end < len(_BLANK_LINE):
        end = len(run)
    found = text.search(run, 0, end)
    around = end - (len(found[1]) if found else 0)
    count = 1 if end == len(run) else run.count(b"\n\n")
    return Relayed(run, max(len(run) - count * around, 0), says=True)


class _Run(NamedTuple):
    """Complete events: those that carry pieces and follow each other, or another.

    `told` is what becomes of pieces, where that is known.
    """

    data: bytes
    are_pieces: bool = False
    told: Relayed[bytes] | None = None


def _data(block: bytes) -> bytes:
    return block.partition(b"data:")[2].strip()
