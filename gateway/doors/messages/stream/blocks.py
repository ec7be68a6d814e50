"""The content blocks of a streamed answer: one open at a time, numbered densely.

https://platform.claude.com/docs/en/build-with-claude/streaming
"""

from functools import lru_cache

from gateway.doors.messages.stream.frames import framed
from gateway.wire.jsontext import JSON, encode

_MARK = "0text0"


class Blocks:
    """Writes events of content blocks; `take` returns those since the last call."""

    def __init__(self) -> None:
        self.open = ""
        """The kind of the block that is open, empty where none is."""
        self._out: list[JSON] = []
        self._index = -1
        self._thought = ""
        self._blank = ""

    def take(self) -> list[JSON]:
        """Return the events written since the last call."""
        out, self._out = self._out, []
        return out

    def text(self, text: str) -> None:
        """Write a piece of text; a block of blanks alone is never begun.

        Brought back, Claude would refuse it.
        """
        if self.open != "text":
            self._blank += text
            if not self._blank.strip():
                return
            text = self._blank
            self.start("text", {"type": "text", "text": ""})
        self.delta({"type": "text_delta", "text": text})

    def texts(self, strings: list[bytes]) -> bytes:
        """Return the frames of more pieces of the open text, each one as JSON."""
        before, after = _around_text(self._index)
        return before + (after + before).join(strings) + after

    def thinking(self, text: str) -> None:
        """Write a piece of thinking that nobody signed, or not yet."""
        if not text:
            return
        self._start_thinking()
        self._thought += text
        self.delta({"type": "thinking_delta", "thinking": text})

    def thinking_block(self, block: JSON) -> None:
        """Write a thinking block that is complete, or what is missing of it."""
        data, signature = block.get("data"), block.get("signature")
        if isinstance(data, str) and data:
            self.start("redacted_thinking", {"type": "redacted_thinking", "data": data})
            self.close()
            return
        self._start_thinking()
        text = block.get("thinking")
        if isinstance(text, str) and text.startswith(self._thought):
            self.thinking(text[len(self._thought) :])
        if isinstance(signature, str) and signature:
            self.delta({"type": "signature_delta", "signature": signature})
        self.close()

    def cite(self, citations: list[JSON]) -> None:
        """Write what the open text cites, with which it ends."""
        if self.open != "text":
            return
        for citation in citations:
            self.delta({"type": "citations_delta", "citation": citation})
        self.close()

    def start(self, kind: str, block: JSON) -> None:
        """Begin a block; the one that is open ends."""
        self.close()
        self.open, self._blank = kind, ""
        self._index += 1
        self._out.append(
            {
                "type": "content_block_start",
                "index": self._index,
                "content_block": block,
            }
        )

    def delta(self, delta: JSON) -> None:
        """Write a piece of the open block."""
        self._out.append(_delta(self._index, delta))

    def close(self) -> None:
        """End the open block, where there is one."""
        if self.open:
            self._out.append({"type": "content_block_stop", "index": self._index})
        self.open, self._thought = "", ""

    def _start_thinking(self) -> None:
        if self.open != "thinking":
            self.start(
                "thinking", {"type": "thinking", "thinking": "", "signature": ""}
            )


def _delta(index: int, delta: JSON) -> JSON:
    return {"type": "content_block_delta", "index": index, "delta": delta}


@lru_cache(maxsize=64)
def _around_text(index: int) -> tuple[bytes, bytes]:
    """Return what stands before and behind a piece of text in its frame."""
    frame = framed([_delta(index, {"type": "text_delta", "text": _MARK})])
    before, _, after = frame.partition(encode(_MARK))
    return before, after
