"""A streamed answer as the Messages API's events.

https://platform.claude.com/docs/en/build-with-claude/streaming: a message begins, its
blocks follow one after the other, and one `message_delta` tells why it ended and what
it cost.
"""

from collections.abc import Mapping
from typing import Any

from gateway.doors.messages.answer import Wanted, message_id
from gateway.doors.messages.citations import citations_of
from gateway.doors.messages.errors import envelope
from gateway.doors.messages.stops import ending
from gateway.doors.messages.stream.blocks import Blocks
from gateway.doors.messages.stream.calls import StreamedCalls
from gateway.doors.messages.stream.frames import KEEP_ALIVE, PING, framed
from gateway.doors.messages.usage import counts, usage_of
from gateway.errors import GatewayError
from gateway.hub.answers.relay import Texts
from gateway.wire.jsontext import JSON

_NOTHING: Mapping[str, Any] = {}


class MessageEvents:
    """One streamed answer: chunks in, frames out; a `TextRenderer`."""

    media_type = "text/event-stream; charset=utf-8"

    def __init__(self, wanted: Wanted, request_id: str = "") -> None:
        self._wanted = wanted
        self._request_id = request_id
        self._blocks = Blocks()
        self._calls = StreamedCalls(
            self._blocks, wanted.names, is_single=wanted.is_single
        )
        self._held: list[tuple[str, str]] = []
        """Kind and text of what came amid calls that were not complete."""
        self._id = ""
        self._choice: JSON = {}
        self._usage: Any = None
        self._refusal = ""
        self._characters = 0

    def render(self, chunks: list[JSON]) -> bytes:
        """Return the frames for what was said."""
        out: list[JSON] = []
        for chunk in chunks:
            if isinstance(chunk.get("usage"), dict):
                self._usage = chunk["usage"]
            for choice in chunk["choices"]:
                if choice.get("index", 0) == 0:
                    self._begin(chunk, out)
                    self._take_in(choice)
        return framed(out + self._blocks.take())

    def render_texts(self, texts: Texts) -> bytes | None:
        """Return the frames for more of the text that is being told."""
        if self._blocks.open != "text" or self._choice or self._held:
            return None
        if self._calls.blocks_others or texts.chunk["choices"][0]["index"]:
            return None
        self._characters += len(texts.text)
        return self._blocks.texts(texts.strings) if texts.strings else b""

    @staticmethod
    def keep_alive(silent_for: float) -> bytes:
        """Return a frame that says nothing."""
        return KEEP_ALIVE

    def end(self) -> bytes:
        """Return the last frames of an answer that is complete."""
        out: list[JSON] = []
        self._begin({}, out)
        self._flush()
        self._blocks.close()
        told = ending(
            self._choice, has_calls=self._calls.any, refusal=self._refusal.strip()
        )
        out += self._blocks.take()
        out.append({"type": "message_delta", "delta": told, "usage": self._counted()})
        out.append({"type": "message_stop"})
        return framed(out)

    def fail(self, error: GatewayError) -> bytes:
        """Return the frame by which a started stream tells that it failed."""
        return framed([envelope(error, self._request_id)])

    def _begin(self, chunk: JSON, out: list[JSON]) -> None:
        if self._id:
            return
        self._id = str(chunk.get("id") or "message")
        message: JSON = {
            "id": message_id(self._id),
            "type": "message",
            "role": "assistant",
            "model": self._wanted.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": counts(self._wanted.input_tokens, 0, 0, 0),
        }
        out += [{"type": "message_start", "message": message}, PING]

    def _counted(self) -> JSON:
        """Return the usage to tell last.

        Clients keep the estimate of the beginning where this says nought.
        """
        told = usage_of(self._usage, self._wanted.input_tokens, self._characters)
        told["input_tokens"] = max(told["input_tokens"], 1)
        return told

    def _take_in(self, choice: JSON) -> None:
        delta = choice.get("delta") or _NOTHING
        if not self._choice:
            self._take_in_delta(delta)
        if choice.get("finish_reason") and not self._choice:
            self._choice = choice
            self._flush()
            self._blocks.close()

    def _take_in_delta(self, delta: Mapping[str, Any]) -> None:
        if len(delta) < 2:
            # Nearly every chunk is a piece of text, or an end.
            if (text := delta.get("content")) and isinstance(text, str):
                self._say("text", text)
                return
            if not delta:
                return
        thought = delta.get("reasoning_content") or delta.get("reasoning")
        if thought and isinstance(thought, str):
            self._say("thinking", thought)
        if blocks := delta.get("thinking_blocks"):
            self._thinking_blocks(blocks)
        if "block_index" in delta:
            self._part()
        if (text := delta.get("content")) and isinstance(text, str):
            self._say("text", text)
        if (refusal := delta.get("refusal")) and isinstance(refusal, str):
            self._refusal += refusal
            self._say("text", refusal)
        if "annotations" in delta or "citations" in delta:
            self._blocks.cite(citations_of(dict(delta)))
        for piece in delta.get("tool_calls") or ():
            self._calls.piece(piece, self._id)

    def _part(self) -> None:
        """End the text that is open: what comes is another block."""
        if self._blocks.open == "text" and not self._held:
            self._blocks.close()

    def _thinking_blocks(self, blocks: Any) -> None:
        if self._wanted.hides_thinking or self._calls.blocks_others:
            return
        self._calls.pause()
        for block in blocks:
            self._blocks.thinking_block(block)

    def _say(self, kind: str, text: str) -> None:
        """Tell a piece of text or thinking, or hold it until the calls are told."""
        self._characters += len(text)
        if kind == "thinking" and self._wanted.hides_thinking:
            return
        if self._held or self._calls.blocks_others:
            self._held.append((kind, text))
            return
        if self._blocks.open == "tool_use":
            if kind == "text" and not text.strip():
                return
            self._calls.pause()
        self._write(kind, text)

    def _write(self, kind: str, text: str) -> None:
        if kind == "text":
            self._blocks.text(text)
        else:
            self._blocks.thinking(text)

    def _flush(self) -> None:
        self._calls.flush()
        held, self._held = self._held, []
        for kind, text in held:
            self._write(kind, text)
