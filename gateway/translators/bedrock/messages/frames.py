"""Claude's events out of Bedrock's frames, as server-sent events.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ResponseStream.html
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStreamOutput.html
"""

from binascii import Error as Base64Error
from binascii import a2b_base64
from itertools import groupby
from typing import Any, NamedTuple, Protocol

from gateway.errors import GatewayError
from gateway.hub.answers.event_relay import NOTHING, framed, pieces
from gateway.hub.answers.names import Names
from gateway.hub.answers.relay import Relayed, joined
from gateway.hub.answers.state import StreamState
from gateway.hub.errors import upstream_errors
from gateway.hub.protocol import JSON, Reply
from gateway.translators.anthropic.relay.pieces import HEAD, TEXT
from gateway.translators.anthropic.relay.tap import Tap
from gateway.translators.bedrock.converse.claude_stream import ClaudeEvents
from gateway.translators.bedrock.messages.errors import unwrapped
from gateway.translators.bedrock.stream import (
    GUARDRAIL_ACTION,
    METRICS,
    TRACE,
    failure,
    metrics_usage,
)
from gateway.wire.eventstream import EventStreamDecoder, Frame
from gateway.wire.jsontext import JSONError, decode, encode
from gateway.wire.mending import decode_mended

_DELTA = (b'{"type":"content_block_delta"', b'{"type": "content_block_delta"')
_OF_AWS = b'"amazon-bedrock-'
_COUNTS_OF_CACHE = "cache_read_input_tokens"


class Told(NamedTuple):
    """One event as it goes on; `event` is None where it carries a piece of text.

    `metrics` are the counts that came beside it, `reason` why the answer ended where
    that is not the model's.
    """

    block: bytes
    event: JSON | None = None
    metrics: Any = None
    reason: str = ""


class FrameReader(Protocol):
    """Says what one kind of frames holds; both raise `GatewayError` where it is bad."""

    def read(self, frame: Frame) -> list[Told]:
        """Return the events in a frame."""
        ...

    def close(self) -> list[Told]:
        """End of input: return what is left, where the answer is complete."""
        ...


class FrameRelay:
    """One stream of frames, passed on as server-sent events."""

    def __init__(self, tap: Tap, reader: FrameReader, largest: int) -> None:
        self._tap = tap
        self._reader = reader
        self._decoder = EventStreamDecoder(largest)

    @property
    def state(self) -> StreamState:
        """How far the answer has come."""
        return self._tap.state

    def feed(self, data: bytes) -> Relayed[bytes]:
        """Return the events in the frames that `data` completes."""
        if self.state.is_over:
            return NOTHING
        told: list[Told] = []
        try:
            for frame in self._decoder.feed(data):
                if frame.kind != "event":
                    raise failure(frame)
                told += self._reader.read(frame)
            if self._decoder.error is not None:
                raise upstream_errors.no_answer(f"broke off: {self._decoder.error}")
        except GatewayError as error:
            relayed = self._passed(told)
            if not self.state.is_over:
                self.state.error = unwrapped(error)
            return relayed
        return self._passed(told)

    def close(self) -> Relayed[bytes]:
        """End of input: an error, unless the message told why it ends."""
        if self.state.is_over:
            return NOTHING
        try:
            return self._passed(self._reader.close())
        except GatewayError as error:
            self.state.error = error
        return NOTHING

    def _passed(self, told: list[Told]) -> Relayed[bytes]:
        """Return events as they go on; those that carry pieces are read at once."""
        passed: list[Relayed[bytes]] = []
        for are_pieces, run in groupby(told, lambda each: each.event is None):
            if are_pieces:
                passed.append(pieces(b"".join([each.block for each in run]), TEXT))
                continue
            for each in run:
                if self.state.is_over:
                    return joined(passed)
                passed.append(self._event(each))
        return joined(passed)

    def _event(self, told: Told) -> Relayed[bytes]:
        """Return one event as it goes on; what came beside it only the ledger reads."""
        relayed = self._tap.passed(told.block, told.event or {})
        counts = told.metrics
        if isinstance(counts, dict) and not self._tap.has_counts(_COUNTS_OF_CACHE):
            self.state.usage = metrics_usage(counts)
        if told.reason:
            self._tap.finish_reason = told.reason
        return relayed._replace(finish_reason=self._tap.finish_reason)


class InvokeFrames:
    """Claude's own events, as InvokeModel packs them; a `FrameReader`."""

    def __init__(self, names: Names, tap: Tap) -> None:
        self._names = names
        self._tap = tap

    def read(self, frame: Frame) -> list[Told]:
        """Return the event in a frame."""
        raw = _unpacked(frame)
        if not raw:
            return []
        if raw.startswith(_DELTA) and _OF_AWS not in raw and b"\n" not in raw:
            return [Told(b"%b%b\n\n" % (HEAD, raw))]
        event = _decoded(raw)
        if not isinstance(event.get("type"), str):
            return []
        metrics, reason = None, ""
        if _OF_AWS in raw or b"\n" in raw:
            metrics, reason = _taken_out(event)
            raw = encode(event)
        if event["type"] == "message_start":
            raw = self._names.in_start(raw, event.get("message"))
        block = b"event: %b\ndata: %b\n\n" % (event["type"].encode(), raw)
        return [Told(block, event, metrics, reason)]

    def close(self) -> list[Told]:
        """Return nothing more of a message that told why it ends."""
        if not self._tap.finish_reason:
            raise upstream_errors.truncated()
        self._tap.state.done = True
        return []


class ConverseFrames:
    """Converse's events, said as Claude's; a `FrameReader`."""

    def __init__(self, reply: Reply, estimate: int = 0) -> None:
        self._events = ClaudeEvents(reply, estimate)

    def read(self, frame: Frame) -> list[Told]:
        """Return the events that a frame comes to."""
        payload = _decoded(frame.payload or b"{}")
        return list(map(_told, self._events.read(frame.name, payload)))

    def close(self) -> list[Told]:
        """Return the end of a message whose counts did not come."""
        return list(map(_told, self._events.close()))


def _told(event: JSON) -> Told:
    is_piece = event["type"] == "content_block_delta"
    return Told(framed(event), None if is_piece else event)


def _taken_out(event: JSON) -> tuple[Any, str]:
    """Take what Bedrock adds out of an event; return the counts, and why it ended."""
    event.pop(TRACE, None)
    is_changed = event.pop(GUARDRAIL_ACTION, None) == "INTERVENED"
    return event.pop(METRICS, None), "content_filter" if is_changed else ""


def _unpacked(frame: Frame) -> bytes:
    """Return the event that a frame carries, empty where it carries none."""
    data = _decoded(frame.payload or b"{}").get("bytes")
    if frame.name != "chunk" or not isinstance(data, str):
        return b""
    try:
        return a2b_base64(data, strict_mode=True)
    except (Base64Error, ValueError):
        raise _no_json() from None


def _decoded(data: bytes) -> JSON:
    """Return the object that `data` says, although it may be cut within a character."""
    try:
        value: Any = decode(data)
    except JSONError:
        try:
            value = decode_mended(data)
        except JSONError:
            raise _no_json() from None
    return value if isinstance(value, dict) else {}


def _no_json() -> GatewayError:
    return upstream_errors.no_answer("holds a chunk that is not JSON")
