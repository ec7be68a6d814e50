"""A whole answer told as a stream, for models that do not stream when they have tools.

"This model doesn't support tool use in streaming mode", Bedrock says of Llama and
Writer. The client asked for a stream and gets one, all of it at the end.
https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-supported-models-features.html
"""

from collections.abc import Iterator
from typing import Any

from gateway.hub.answers.writer import AnswerWriter
from gateway.hub.errors.upstream_errors import instead_of_answer, no_answer
from gateway.hub.protocol import JSON, Reply
from gateway.translators.bedrock.converse.stream import ConverseReader
from gateway.translators.bedrock.errors import WORDS
from gateway.wire.jsontext import JSONError, dumps
from gateway.wire.mending import decode_mended


class WholeReader:
    """Collects one JSON answer and reads it as if streamed; a `ByteReader`."""

    def __init__(self, reply: Reply, writer: AnswerWriter) -> None:
        self._events = ConverseReader(reply, writer)
        self._pieces: list[bytes] = []
        self._size = 0
        self._largest = reply.largest

    def feed(self, data: bytes) -> None:
        """Keep `data`: nothing can be told before all of it is there."""
        self._pieces.append(data)
        self._size += len(data)
        if self._size > self._largest:
            self._pieces.clear()
            raise no_answer(f"is larger than {self._largest} bytes")

    def close(self) -> None:
        """Read the answer; raises `GatewayError` where it is none."""
        for name, payload in _events_of(self._payload()):
            self._events.read(name, payload)
        self._events.close()

    def _payload(self) -> JSON:
        try:
            payload: Any = decode_mended(b"".join(self._pieces))
        except JSONError:
            raise no_answer("is not JSON") from None
        match payload:
            case {"output": {"message": {"content": list()}}}:
                return dict(payload)
        raise instead_of_answer(payload, WORDS)


def _events_of(payload: JSON) -> Iterator[tuple[str, JSON]]:
    """Yield the events that would have told `payload`."""
    yield "messageStart", {}
    for index, block in enumerate(payload["output"]["message"]["content"]):
        place = {"contentBlockIndex": index}
        if not isinstance(block, dict):
            continue
        match block:
            case {"toolUse": dict(tool)}:
                yield "contentBlockStart", {**place, "start": {"toolUse": tool}}
                arguments = tool.get("input")
                text = dumps(arguments if arguments is not None else {})
                delta: JSON = {"toolUse": {"input": text}}
                yield "contentBlockDelta", {**place, "delta": delta}
            case {"reasoningContent": {"reasoningText": dict(reasoning)}}:
                for part in ("text", "signature"):
                    delta = {"reasoningContent": {part: reasoning.get(part)}}
                    yield "contentBlockDelta", {**place, "delta": delta}
            case _:
                yield "contentBlockDelta", {**place, "delta": block}
        yield "contentBlockStop", place
    yield "messageStop", {"stopReason": payload.get("stopReason")}
    yield "metadata", {"usage": payload.get("usage")}
