"""Frames of a Bedrock stream: what they hold, and what they say when it fails.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ResponseStream.html
"""

from base64 import b64decode
from binascii import Error as Base64Error
from typing import Any, Protocol

from gateway.errors import GatewayError
from gateway.hub.answers.writer import count, token_usage
from gateway.hub.errors.upstream_errors import from_object, no_answer
from gateway.hub.protocol import JSON
from gateway.translators.bedrock.errors import WORDS
from gateway.wire.eventstream import EventStreamDecoder, Frame
from gateway.wire.jsontext import JSONError, decode

METRICS = "amazon-bedrock-invocationMetrics"
GUARDRAIL_ACTION = "amazon-bedrock-guardrailAction"
_TRACE = "amazon-bedrock-trace"


class Answer(Protocol):
    """An answer being written as chunks; `AnswerStream` is one."""

    usage: JSON | None

    @property
    def is_stopped(self) -> bool: ...

    @property
    def is_finished(self) -> bool: ...

    def take(self) -> list[JSON]: ...

    def intervened(self, *, is_last: bool) -> None: ...


class EventReader(Protocol):
    """Reads an answer's events into `answer`."""

    @property
    def answer(self) -> Answer: ...

    def read(self, name: str, payload: JSON) -> None:
        """Take in one event; raises `GatewayError` where it makes no sense."""
        ...

    def close(self) -> None:
        """End of input; raises `GatewayError` where the answer is not complete."""
        ...


class BodyReader(Protocol):
    """Reads the pieces of an answer that a model family streams, into `answer`."""

    @property
    def answer(self) -> Answer: ...

    def read(self, body: JSON) -> None: ...

    def close(self) -> None: ...


class FrameParser:
    """One event stream of Bedrock; a `StreamParser`."""

    def __init__(self, reader: EventReader) -> None:
        self.usage: JSON | None = None
        self.error: GatewayError | None = None
        self.done = False
        self._reader = reader
        self._answer = reader.answer
        self._decoder = EventStreamDecoder()

    def feed(self, data: bytes) -> list[JSON]:
        """Return the chunks that `data` completes; sets `error` where it fails."""
        if self._is_over():
            return []
        for frame in self._decoder.feed(data):
            self._read(frame)
            if self._is_over():
                break
        if self._decoder.error is not None and not self._is_over():
            self.error = no_answer(f"broke off: {self._decoder.error}")
        return self._taken()

    def close(self) -> list[JSON]:
        """End of input: return what was held back, or set `error`."""
        if not self._is_over():
            try:
                self._reader.close()
            except GatewayError as error:
                self.error = error
        return self._taken()

    def _taken(self) -> list[JSON]:
        self.usage = self._answer.usage
        self.done = self._answer.is_finished
        return self._answer.take()

    def _is_over(self) -> bool:
        return self.error is not None or self._answer.is_finished

    def _read(self, frame: Frame) -> None:
        try:
            if frame.kind == "event":
                self._reader.read(frame.name, _payload(frame))
            else:
                self.error = _failure(frame)
        except GatewayError as error:
            self.error = error


def _payload(frame: Frame) -> JSON:
    try:
        payload = decode(frame.payload or b"{}")
    except JSONError:
        raise no_answer("holds an event that is not JSON") from None
    return payload if isinstance(payload, dict) else {}


def _failure(frame: Frame) -> GatewayError:
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


class InvokeEvents:
    """Unwraps the chunks of InvokeModelWithResponseStream for a family's reader."""

    def __init__(self, reader: BodyReader) -> None:
        self.answer = reader.answer
        self._reader = reader

    def read(self, name: str, payload: JSON) -> None:
        """Take in one ``chunk`` event."""
        data = payload.get("bytes")
        if name != "chunk" or not isinstance(data, str):
            return
        body = _inner(data)
        if not isinstance(body, dict):
            return  # Writer ends with the JSON text "[DONE]"
        metrics = body.pop(METRICS, None)
        trace = body.pop(_TRACE, None)
        if body.pop(GUARDRAIL_ACTION, None) == "INTERVENED":
            self.answer.intervened(is_last=trace is not None)
        is_last = isinstance(metrics, dict)
        if is_last and self.answer.usage is None:
            # Before reading: what the body itself says overwrites it.
            self.answer.usage = metrics_usage(metrics)
        self._reader.read(body)
        if is_last and self.answer.is_stopped:
            self.close()

    def close(self) -> None:
        """End of input."""
        self._reader.close()


def _inner(data: str) -> Any:
    try:
        return decode(b64decode(data, validate=True))
    except (Base64Error, ValueError, *JSONError):
        raise no_answer("holds a chunk that is not JSON") from None


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
