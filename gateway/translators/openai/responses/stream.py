"""A stream of the Responses API, passed on event for event.

Nearly all events carry a piece of the answer. They are recognised by how they look and
are not decoded; where a network read brought nothing else it goes on as it came.
https://platform.openai.com/docs/api-reference/responses-streaming
"""

import re
from itertools import groupby
from typing import Any

from gateway.errors import GatewayError
from gateway.hub.answers.names import Names
from gateway.hub.answers.relay import Relayed, joined
from gateway.hub.answers.state import StreamState
from gateway.hub.errors import upstream_errors
from gateway.hub.protocol import JSON
from gateway.translators.openai.errors import WORDS
from gateway.translators.openai.responses.errors import from_event
from gateway.translators.openai.responses.pieces import is_piece, pieces
from gateway.translators.openai.responses.usage import finish_reason, usage_of
from gateway.translators.openai.responses.whole import checked, events_of
from gateway.wire import sse_blocks
from gateway.wire.bounds import MAX_EVENT, EventTooLarge
from gateway.wire.jsontext import JSONError, encode
from gateway.wire.mending import decode_or_mend
from gateway.wire.sse import Event

NOTHING: Relayed[bytes] = Relayed(b"")
_BLANK = b"\xef\xbb\xbf \t\r\n"
_MOST_FOREIGN = 64 * 1024
_DONE = b"[DONE]"

_is_name = re.compile(r"[a-z_.]{1,64}").fullmatch
_NUMBER = re.compile(rb'"sequence_number":\s*(\d{1,15})')
_SILENT = frozenset(
    {"error", "keepalive", "response.created", "response.in_progress"}
    | {"response.queued"}
)
"""Events before which nothing of an answer has been said."""


class ResponseRelay:
    """One streamed response on its way.

    What a server answered whole although a stream was asked for is told in events.
    `response_id` is what the upstream calls it; `is_announced` and `is_failed` tell
    that an `error` event, and one of a failed response, have been passed on.
    """

    def __init__(self, names: Names, largest: int = MAX_EVENT) -> None:
        self.state = StreamState()
        self.response_id = ""
        self.is_announced = False
        self.is_failed = False
        self._names = names
        self._decoder = sse_blocks.BlockDecoder(largest)
        self._largest = largest
        self._is_fresh = True
        self._whole: list[bytes] | None = None
        """What came instead of a stream: JSON, from its first byte on."""
        self._size = 0
        self._done: dict[int, Any] = {}
        self._foreign = b""
        self._recent = b""

    @property
    def next_number(self) -> int:
        """The number of the event that comes behind those that were passed on."""
        found = _NUMBER.findall(self._recent)
        return int(found[-1]) + 1 if found else 0

    @property
    def output(self) -> list[Any]:
        """The items that were told whole, in their order."""
        return [self._done[index] for index in sorted(self._done)]

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
            self._fail(upstream_errors.unfinished(self._foreign, WORDS))
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
            response = checked(decode_or_mend(raw.lstrip(_BLANK)))
        except JSONError:
            self._fail(upstream_errors.no_answer("is not a stream"))
            return NOTHING
        except GatewayError as error:
            self._fail(error)
            return NOTHING
        return joined(
            [self._event(_framed(each), each) for each in events_of(response)]
        )

    def _relayed(self, events: bytes) -> Relayed[bytes]:
        """Return what becomes of complete events."""
        if not self.state.done and (only := pieces(events)):
            self._recent = events
            return only
        passed = []
        for are_pieces, run in groupby(sse_blocks.blocks(events), is_piece):
            if self.state.done:
                are_pieces = False
            if are_pieces and (together := pieces(joint := b"".join(run))):
                passed.append(together)
                continue
            for block in sse_blocks.blocks(joint) if are_pieces else run:
                if not self.state.is_over or self._is_done(block):
                    passed.append(self._block(block))
        self._recent = events if passed else self._recent
        return joined(passed)

    def _is_done(self, block: bytes) -> bool:
        """Tell whether a block is the last word, which says nothing."""
        return self.state.done and block.partition(b"data:")[2].strip() == _DONE

    def _block(self, block: bytes) -> Relayed[bytes]:
        event, foreign = sse_blocks.read(block)
        if event is None:
            self._foreign += foreign[: _MOST_FOREIGN - len(self._foreign)]
            return NOTHING if foreign else Relayed(block)
        if event.data.strip() == _DONE:
            self.state.may_go_on = False
            return Relayed(block)
        try:
            body = decode_or_mend(event.data)
        except JSONError:
            body = None
        return self._named(block, event, body)

    def _named(self, block: bytes, event: Event, body: Any) -> Relayed[bytes]:
        """Return a complete event, `body` what it holds, as it goes on.

        One without a name gets that of its type. What has neither is none of this
        format.
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
        return self._event(block, body)

    def _event(self, block: bytes, event: JSON) -> Relayed[bytes]:
        """Return an event that is passed on as `block`, its figures taken."""
        kind, response = event["type"], event.get("response")
        finish = ""
        if isinstance(response, dict):
            block = self._names.in_start(block, response)
            finish = self._take(kind, response)
        if kind == "response.output_item.done":
            self._keep_item(event)
        if kind in ("error", "response.failed"):
            self.is_announced |= kind == "error"
            self.is_failed = kind != "error"
            self._fail(from_event(event))
        says = kind not in _SILENT and kind != "response.failed"
        if kind.endswith(".delta"):
            return pieces(block) or Relayed(block, len(block), says=True)
        return Relayed(block, 0, finish, says, None if says else {})

    def _keep_item(self, event: JSON) -> None:
        if type(index := event.get("output_index")) is int:
            self._done[index] = event.get("item")

    def _take(self, kind: str, response: JSON) -> str:
        """Note what a response tells of itself; return why it ended."""
        if isinstance(id := response.get("id"), str):
            self.response_id = id
        self.state.usage = usage_of(response) or self.state.usage
        if kind not in ("response.completed", "response.incomplete"):
            return ""
        self.state.done = self.state.may_go_on = True
        return finish_reason(response)

    def _last(self, rest: bytes) -> Relayed[bytes]:
        """Return an event without the blank line that ends it, where it is whole."""
        if not rest.strip():
            return NOTHING
        block = rest.rstrip(b"\r\n") + b"\n\n"
        event, foreign = sse_blocks.read(block)
        try:
            if event is not None and event.data.strip() != _DONE:
                decode_or_mend(event.data)
        except JSONError:
            return NOTHING
        self._foreign += foreign if event is None else b""
        if event is None:
            return NOTHING
        self._recent = block
        return self._block(block)


def _framed(event: JSON) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (event["type"].encode(), encode(event))
