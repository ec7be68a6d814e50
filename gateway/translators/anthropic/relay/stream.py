"""A stream of the Messages API, passed on event for event.

https://platform.claude.com/docs/en/build-with-claude/streaming

Nearly all events carry a piece of the answer. They are recognised by how they begin and
are not decoded; where a network read brought nothing else it goes on as it came.
"""

import re
from collections.abc import Iterable
from typing import Any

from gateway.errors import GatewayError
from gateway.hub.answers.relay import Relayed, joined
from gateway.hub.answers.state import StreamState
from gateway.hub.errors import upstream_errors
from gateway.hub.protocol import JSON
from gateway.translators.anthropic.errors import WORDS
from gateway.translators.anthropic.relay.names import Names
from gateway.translators.anthropic.relay.tap import Tap
from gateway.translators.anthropic.relay.whole import checked, events_of
from gateway.wire import sse_blocks
from gateway.wire.bounds import MAX_EVENT, EventTooLarge
from gateway.wire.jsontext import JSONError, decode, encode
from gateway.wire.mending import decode_mended
from gateway.wire.sse import Event

NOTHING: Relayed[bytes] = Relayed(b"")
STOP: JSON = {"type": "message_stop"}

PIECE = b"event: content_block_delta\ndata: "
ENVELOPE = 115
"""Bytes of an event around the piece of the answer that it carries, about."""

_NEXT_PIECE = b"\n\n" + PIECE
_BLANK = b"\xef\xbb\xbf \t\r\n"
_MOST_FOREIGN = 64 * 1024
_is_name = re.compile(r"[a-z_]{1,64}").fullmatch


def framed(event: JSON) -> bytes:
    """Return one event as it stands in a stream."""
    return b"event: %b\ndata: %b\n\n" % (event["type"].encode(), encode(event))


class EventRelay:
    """One stream on its way; `is_ended` once its last event has been passed on.

    What a server answered whole although a stream was asked for is told in events.
    """

    def __init__(self, names: Names, largest: int = MAX_EVENT) -> None:
        self.tap = Tap()
        self.is_ended = False
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
            message = checked(_decoded(raw.lstrip(_BLANK)))
        except JSONError:
            self._fail(upstream_errors.no_answer("is not a stream"))
            return NOTHING
        except GatewayError as error:
            self._fail(error)
            return NOTHING
        return self._told(events_of(message))

    def _told(self, events: Iterable[JSON]) -> Relayed[bytes]:
        pieces = []
        for event in events:
            if event["type"] == "message_start":
                name = self._names.given(event["message"].get("model"))
                if name is not None:
                    event["message"]["model"] = name
            pieces.append(self._passed(framed(event), event))
        return joined(pieces)

    def _relayed(self, events: bytes) -> Relayed[bytes]:
        """Return what becomes of complete events."""
        if events.startswith(PIECE):
            count = events.count(_NEXT_PIECE) + 1
            if events.count(b"\n\n") == count:
                return Relayed(
                    events, max(0, len(events) - count * ENVELOPE), says=True
                )
        pieces = []
        for block in sse_blocks.blocks(events):
            pieces.append(self._block(block))
            if self.state.is_over:
                break
        return joined(pieces)

    def _block(self, block: bytes) -> Relayed[bytes]:
        if block.startswith(PIECE):
            return Relayed(block, max(0, len(block) - ENVELOPE), says=True)
        event, foreign = sse_blocks.read(block)
        if event is None:
            self._foreign += foreign[: _MOST_FOREIGN - len(self._foreign)]
            return NOTHING if foreign else Relayed(block)
        try:
            body = _decoded(event.data)
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
        return self._passed(block, body)

    def _passed(self, block: bytes, event: JSON) -> Relayed[bytes]:
        """Return an event that goes on as `block`, the ledger's figures taken."""
        self.tap.take(event)
        is_error = self.state.error is not None
        self.is_ended = self.is_ended or self.state.is_over
        kind = event["type"]
        is_piece = kind == "content_block_delta"
        size = max(0, len(block) - ENVELOPE) if is_piece else 0
        says = not is_error and kind != "ping"
        return Relayed(block, size, self.tap.finish_reason, says)

    def _last(self, rest: bytes) -> Relayed[bytes]:
        """Return an event without the blank line that ends it, where it is whole."""
        if not rest.strip():
            return NOTHING
        block = rest.rstrip(b"\r\n") + b"\n\n"
        event, foreign = sse_blocks.read(block)
        try:
            if event is not None:
                _decoded(event.data)
        except JSONError:
            return NOTHING
        self._foreign += foreign if event is None else b""
        return NOTHING if event is None else self._block(block)


def _decoded(data: bytes) -> Any:
    """Return what JSON text says, although it may be cut within a character."""
    try:
        return decode(data)
    except JSONError:
        return decode_mended(data)
