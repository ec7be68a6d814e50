"""Frames of a Bedrock stream: what they hold, and what they say when it fails.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ResponseStream.html
"""

from binascii import Error as Base64Error
from binascii import a2b_base64
from typing import Any, Protocol

from gateway.errors import GatewayError
from gateway.hub.answers.chunks import count, token_usage
from gateway.hub.answers.state import StreamState
from gateway.hub.answers.writer import AnswerWriter
from gateway.hub.errors.upstream_errors import from_object, no_answer
from gateway.hub.protocol import JSON
from gateway.translators.bedrock.errors import WORDS
from gateway.wire.eventstream import EventStreamDecoder, Frame
from gateway.wire.jsontext import JSONError, decode
from gateway.wire.mending import Mender

METRICS = "amazon-bedrock-invocationMetrics"
GUARDRAIL_ACTION = "amazon-bedrock-guardrailAction"
TRACE = "amazon-bedrock-trace"


class EventReader(Protocol):
    """Reads an answer's events, each given by its name and payload."""

    def read(self, name: str, payload: JSON) -> None:
        """Take in one event; raises `GatewayError` where it makes no sense."""
        ...

    def close(self) -> None:
        """End of input; raises `GatewayError` where the answer is not complete."""
        ...


class BodyReader(Protocol):
    """Reads the pieces of an answer that a model family streams."""

    def read(self, body: JSON) -> None: ...

    def close(self) -> None: ...


class EventStreamReader:
    """Reads one event stream of Bedrock; a `ByteReader`.

    Of a frame, which may hold an image, `largest` bytes are taken.
    """

    def __init__(self, events: EventReader, state: StreamState, largest: int) -> None:
        self._decoder = EventStreamDecoder(largest)
        self._events = events
        self._state = state
        self._mender = Mender()

    def feed(self, data: bytes) -> None:
        """Take in what arrived."""
        read, state, mender = self._events.read, self._state, self._mender
        for frame in self._decoder.feed(data):
            if frame.kind != "event":
                raise failure(frame)
            try:
                # A name stands for the payloads of others, which are never null.
                payload = decode(frame.payload or b"{}") if not mender.held else None
            except JSONError:
                payload = None
            if payload is None:
                self._read_mended(frame)
            else:
                read(frame.name, payload if isinstance(payload, dict) else {})
            if state.done:
                return
        if self._decoder.error is not None:
            raise no_answer(f"broke off: {self._decoder.error}")

    def close(self) -> None:
        """End of input."""
        for data, name in self._mender.rest():
            self._read_decoded(name, data)
        if not self._state.done:
            self._events.close()

    def _read_mended(self, frame: Frame) -> None:
        """Read a payload that is cut within a character, or follows one that was."""
        try:
            for data, name in self._mender.mend(frame.payload or b"{}", frame.name):
                self._read_decoded(name, data)
        except JSONError:
            raise no_answer("holds an event that is not JSON") from None

    def _read_decoded(self, name: str, data: bytes) -> None:
        payload = decode(data)
        self._events.read(name, payload if isinstance(payload, dict) else {})


def failure(frame: Frame) -> GatewayError:
    """Return the error that an exception or error frame tells.

    botocore reports a 400 for all of them; the frame's own name says what it was.
    """
    try:
        body: Any = decode(frame.payload or b"{}")
    except JSONError:
        body = {}
    if frame.kind == "error":
        body = {"message": frame.headers.get(":error-message", "")}
    return from_object(body, WORDS, kind=frame.name)


class InvokeReader:
    """Unwraps the chunks of InvokeModelWithResponseStream for a family's reader.

    Where the family's own pieces do not always tell that the answer is over (not
    `tells_end`), what Bedrock adds to its last piece does.
    """

    def __init__(
        self, body: BodyReader, writer: AnswerWriter, *, tells_end: bool
    ) -> None:
        self._body = body
        self._writer = writer
        self._tells_end = tells_end
        self._mender = Mender()

    def read(self, name: str, payload: JSON) -> None:
        """Take in one ``chunk`` event."""
        data = payload.get("bytes")
        if name != "chunk" or not isinstance(data, str):
            return
        try:
            raw = a2b_base64(data, strict_mode=True)
            body = decode(raw) if self._mender.held is None else None
        except JSONError:
            body = None
        except (Base64Error, ValueError):
            raise no_answer("holds a chunk that is not JSON") from None
        if body is None:
            self._read_mended(raw)
        else:
            self._read_body(body)

    def _read_mended(self, raw: bytes) -> None:
        """Read a piece that is cut within a character, or follows one that was."""
        try:
            for mended, _ in self._mender.mend(raw):
                self._read_body(decode(mended))
        except JSONError:
            raise no_answer("holds a chunk that is not JSON") from None

    def _read_body(self, body: Any) -> None:
        if not isinstance(body, dict):
            return  # Writer ends with the JSON text "[DONE]"
        metrics = body.pop(METRICS, None)
        trace = body.pop(TRACE, None)
        if body.pop(GUARDRAIL_ACTION, None) == "INTERVENED":
            self._intervene(is_whole=trace is not None)
        state = self._writer.state
        is_last = isinstance(metrics, dict)
        if is_last and state.usage is None:
            # Before reading: what the body itself says overwrites it.
            state.usage = metrics_usage(metrics)
        self._body.read(body)
        if is_last and self._writer.is_stopped and not self._tells_end:
            self._body.close()

    def close(self) -> None:
        """End of input."""
        for mended, _ in self._mender.rest():
            self._read_body(decode(mended))
        if not self._writer.state.done:
            self._body.close()

    def _intervene(self, *, is_whole: bool) -> None:
        """Note that a guardrail changed the answer.

        Where it blocked the question its message is the whole answer, and nothing else
        tells why that ends.
        """
        self._writer.intervene()
        if is_whole and not self._tells_end:
            self._writer.stop("guardrail_intervened")


def metrics_usage(metrics: JSON) -> JSON:
    """Return the token counts that Bedrock itself adds to a stream's last piece."""
    return token_usage(
        count(metrics.get("inputTokenCount")),
        count(metrics.get("outputTokenCount")),
        _optional(metrics, "cacheReadInputTokenCount"),
        _optional(metrics, "cacheWriteInputTokenCount"),
    )


def _optional(metrics: JSON, name: str) -> int | None:
    return count(metrics[name]) if name in metrics else None
