"""A stream of the Messages API, passed on event for event.

https://platform.claude.com/docs/en/build-with-claude/streaming

Nearly all events carry a piece of the answer. They are recognised by how they begin and
are not decoded; where a network read brought nothing else it goes on as it came.
"""

import re
from collections.abc import Iterable
from typing import Any, Protocol

from gateway.errors import GatewayError
from gateway.hub.answers.names import Names
from gateway.hub.answers.relay import Relayed, joined
from gateway.hub.answers.state import StreamState
from gateway.hub.errors import upstream_errors
from gateway.hub.protocol import JSON
from gateway.translators.anthropic.errors import WORDS
from gateway.translators.anthropic.relay.pieces import Run, pieces, runs
from gateway.translators.anthropic.relay.tap import Tap
from gateway.translators.anthropic.relay.whole import checked, events_of
from gateway.wire import sse_blocks
from gateway.wire.bounds import MAX_EVENT, EventTooLarge
from gateway.wire.jsontext import JSONError, encode
from gateway.wire.mending import decode_or_mend
from gateway.wire.sse import Event

NOTHING: Relayed[bytes] = Relayed(b"")
_BLANK = b"\xef\xbb\xbf \t\r\n"
_MOST_FOREIGN = 64 * 1024
_is_name = re.compile(r"[a-z_]{1,64}").fullmatch


def framed(event: JSON) -> bytes:
    """Return one event as it stands in a stream."""
    return b"event: %b\ndata: %b\n\n" % (event["type"].encode(), encode(event))


PING = framed({"type": "ping"})
STOP = framed({"type": "message_stop"})


class MessageRelay(Protocol):
    """One streamed message on its way, however its events are framed.

    `is_ended` tells that its last event, which may be an error, has been passed on.
    """

    @property
    def is_ended(self) -> bool: ...

    @property
    def state(self) -> StreamState: ...

    def feed(self, data: bytes) -> Relayed[bytes]:
        """Return the events that `data` completes."""
        ...

    def close(self) -> Relayed[bytes]:
        """End of input: return what was held back."""
        ...


class EventRelay:
    """A stream of server-sent events; a `MessageRelay`.

    What a server answered whole although a stream was asked for is told in events.
    """

    def __init__(self, names: Names, largest: int = MAX_EVENT) -> None:
        self.tap = Tap()
        self._names = names
        self._decoder = sse_blocks.BlockDecoder(largest)
        self._largest = largest
        self._is_fresh = True
        self._whole: list[bytes] | None = None
        """What came instead of a stream: JSON, from its first byte on."""
        self._size = 0
        self._foreign = b""

    @property
    def state(self) -> StreamState:
        """How far the answer has come."""
        return self.tap.state

    @property
    def is_ended(self) -> bool:
        """Whether the last event has been passed on."""
        return self.tap.is_ended

    def feed(self, data: bytes) -> Relayed[bytes]:
        """Return the events that `data` completes."""
        if self.state.is_over:
            return NOTHING
        if self._is_fresh and (begun := data.lstrip(_BLANK)):
            self._is_fresh = False
            if begun.startswith(b"{"):
                self._whole = []
        if self._whole is not None:
            self._keep(data)
            return NOTHING
        try:
            events = self._decoder.feed(data)
        except EventTooLarge:
            self._fail(upstream_errors.no_answer("holds an event that is too large"))
            return NOTHING
        return self._relayed(events) if events else NOTHING

    def close(self) -> Relayed[bytes]:
        """End of input: return what is whole of the rest.

        A message that told why it ends is complete without its last event; of any other
        an error is the end.
        """
        if self.state.is_over:
            return NOTHING
        if self._whole is not None:
            return self._close_whole(b"".join(self._whole))
        relayed = self._last(self._decoder.close())
        if not self.state.is_over:
            if self.tap.finish_reason:
                self.state.done = True
            else:
                self._fail(upstream_errors.unfinished(self._foreign, WORDS))
        return relayed

    def _fail(self, error: GatewayError) -> None:
        self.state.error = error

    def _keep(self, data: bytes) -> None:
        """Keep a part of an answer that comes whole."""
        if self._whole is not None:
            self._whole.append(data)
        self._size += len(data)
        if self._size > self._largest:
            self._fail(upstream_errors.no_answer("is too large"))

    def _close_whole(self, raw: bytes) -> Relayed[bytes]:
        try:
            message = checked(decode_or_mend(raw.lstrip(_BLANK)))
        except JSONError:
            self._fail(upstream_errors.no_answer("is not a stream"))
            return NOTHING
        except GatewayError as error:
            self._fail(error)
            return NOTHING
        return self._told(events_of(message))

    def _told(self, events: Iterable[JSON]) -> Relayed[bytes]:
        passed = []
        for event in events:
            if event["type"] == "message_start":
                name = self._names.given(event["message"].get("model"))
                if name is not None:
                    event["message"]["model"] = name
            passed.append(self.tap.passed(framed(event), event))
        return joined(passed)

    def _relayed(self, events: bytes) -> Relayed[bytes]:
        """Return what becomes of complete events."""
        found: Iterable[Run] = runs(events)
        if b"\r" in events:
            found = [Run(block, False) for block in sse_blocks.blocks(events)]
        passed = []
        for run, are_pieces in found:
            passed.append(pieces(run) if are_pieces else self._block(run))
            if self.state.is_over:
                break
        return joined(passed)

    def _block(self, block: bytes) -> Relayed[bytes]:
        event, foreign = sse_blocks.read(block)
        if event is None:
            self._foreign += foreign[: _MOST_FOREIGN - len(self._foreign)]
            return NOTHING if foreign else Relayed(block)
        try:
            body = decode_or_mend(event.data)
        except JSONError:
            body = None
        return self._event(block, event, body)

    def _event(self, block: bytes, event: Event, body: Any) -> Relayed[bytes]:
        """Return a complete event, `body` what it holds, as it goes on.

        One without a name gets that of its type: SDKs do not see it otherwise. What has
        neither is none of this format.
        """
        kind = body.get("type") if isinstance(body, dict) else None
        is_named = event.event != "message"
        if not isinstance(kind, str) or not _is_name(kind):
            if found := upstream_errors.found_in(body, WORDS):
                self._fail(found)
                return NOTHING
            return Relayed(block, says=True) if is_named else NOTHING
        if not is_named:
            block = b"event: %b\n%b" % (kind.encode(), block.lstrip(b"\r\n"))
        if kind == "message_start":
            block = self._names.in_start(block, body.get("message"))
        return self.tap.passed(block, body)

    def _last(self, rest: bytes) -> Relayed[bytes]:
        """Return an event without the blank line that ends it, where it is whole."""
        if not rest.strip():
            return NOTHING
        block = rest.rstrip(b"\r\n") + b"\n\n"
        event, foreign = sse_blocks.read(block)
        try:
            if event is not None:
                decode_or_mend(event.data)
        except JSONError:
            return NOTHING
        self._foreign += foreign if event is None else b""
        return NOTHING if event is None else self._block(block)
