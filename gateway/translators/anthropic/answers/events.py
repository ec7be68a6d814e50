"""The events of a streamed Claude message as chunks, however they were framed.

https://platform.claude.com/docs/en/build-with-claude/streaming
"""

from collections.abc import Callable
from typing import Any

from gateway.errors import GatewayError
from gateway.hub.answers.chunks import Chunks
from gateway.hub.errors import upstream_errors
from gateway.hub.protocol import JSON, Reply
from gateway.hub.requests.tools.arguments import dump_arguments
from gateway.hub.requests.tools.ids import made_up_id
from gateway.translators.anthropic.answers.assembly import Assembly
from gateway.translators.anthropic.answers.pausing import PAUSE, summed_usage
from gateway.translators.anthropic.answers.response import (
    MALFORMED,
    finish_reason,
    malformed,
    redacted_block,
    refusal_text,
    thinking_block,
    url_citation,
)
from gateway.translators.anthropic.answers.usage import parse_usage
from gateway.translators.anthropic.errors import WORDS


class _Block:
    """One content block while it is open; `kind` is empty for hidden ones."""

    __slots__ = (
        "citations",
        "index",
        "input",
        "kind",
        "pieces",
        "signature",
        "start",
        "tool_index",
    )

    def __init__(self, index: int, kind: str, start: int) -> None:
        self.index = index
        self.kind = kind
        self.start = start
        self.pieces: list[str] = []
        self.signature = ""
        self.citations: list[JSON] = []
        self.tool_index = 0
        self.input: Any = None
        """A tool's input while no fragment of it came."""


class MessageEvents:
    """One Claude message, fed with decoded events, out come chunks.

    `usage`, `error` and `done` are those of `StreamParser`, `paused` that of
    `PausingParser`. Events that make no sense where they come set `error`; unknown ones
    are ignored, as Anthropic asks.
    """

    def __init__(self, reply: Reply) -> None:
        self.usage: JSON | None = None
        self.error: GatewayError | None = None
        self.done = False
        self.paused: JSON | None = None
        self._reply = reply
        self._assembly = Assembly() if reply.goes_on else None
        self._blocks_before = 0
        self._chunks = Chunks(reply)
        self._began = False
        self._counts: JSON = {}
        self._blocks: dict[int, _Block] = {}
        self._length = 0
        self._tools = 0
        self._thinking_blocks = 0
        self._annotations = 0
        self._citations = 0
        self._ending: JSON | None = None
        self._receivers: dict[Any, Callable[[JSON, list[JSON]], None]] = {
            "message_start": self._on_message_start,
            "content_block_start": self._on_block_start,
            "content_block_delta": self._on_block_delta,
            "content_block_stop": self._on_block_stop,
            "message_delta": self._on_message_delta,
            "message_stop": self._on_message_stop,
            "error": self._on_error,
        }

    def receive(self, event: Any, out: list[JSON]) -> None:
        """Append the chunks for `event`; nothing behind the message's last one."""
        if self.done or self.error is not None or self.paused is not None:
            return
        if not isinstance(event, dict):
            self.fail("holds an event that is no object")
            return
        kind = event.get("type")
        receiver = self._receivers.get(kind) if isinstance(kind, str) else None
        if receiver is not None:
            if not self._began and kind not in ("message_start", "error"):
                self.fail("begins without 'message_start'")
                return
            receiver(event, out)
            if self._assembly is not None and self.error is None:
                self._assembly.receive(event)

    def resume(self, reply: Reply) -> None:
        """Expect the message that goes on with this one, which paused."""
        self.paused = None
        self._reply = reply
        self._assembly = Assembly()
        self._blocks_before = sum(len(part["content"]) for part in reply.earlier)
        self._began = False
        self._counts = {}
        self._blocks = {}
        self._ending = None

    def close(self, foreign: bytes = b"") -> None:
        """End of input: set `error` unless the message came to its end.

        `foreign` is what came instead of events; a piece of a line is not worth naming.
        """
        if not self.done and self.error is None:
            is_other = not self._began and foreign.lstrip().startswith((b"{", b"<"))
            self.error = upstream_errors.unfinished(foreign if is_other else b"", WORDS)

    def fail(self, why: str) -> None:
        """Set `error` unless the message ended before; `why` completes a sentence."""
        if not self.done and self.error is None:
            self.error = upstream_errors.no_answer(why)

    def _on_message_start(self, event: JSON, out: list[JSON]) -> None:
        if self._began:
            self.fail("begins twice")
            return
        self._began = True
        message = event.get("message")
        if isinstance(message, dict):
            self._add_usage(message.get("usage"))
        if not self._reply.earlier:
            out.append(self._chunks.role())

    def _on_block_start(self, event: JSON, out: list[JSON]) -> None:
        index, start = event.get("index"), event.get("content_block")
        if not isinstance(index, int) or not isinstance(start, dict):
            self.fail("holds a content block without index or content")
            return
        if index in self._blocks:
            self.fail("begins a content block twice")
            return
        block = _Block(self._blocks_before + index, "", self._length)
        self._blocks[index] = block
        match start:
            case {"type": "text"}:
                block.kind = "text"
                self._add_text(start.get("text"), out)
                citations = start.get("citations")
                for citation in citations if isinstance(citations, list) else ():
                    self._add_citation(block, citation)
            case {"type": "thinking"}:
                block.kind = "thinking"
                self._add_thinking(block, start.get("thinking"), out)
                self._add_signature(block, start.get("signature"))
            case {"type": "redacted_thinking", "data": str(data)}:
                block.kind = "redacted_thinking"
                block.pieces.append(data)
            case {"type": "tool_use", "name": str(name)}:
                block.kind = "tool_use"
                self._begin_tool(block, start, name, out)

    def _begin_tool(
        self, block: _Block, start: JSON, name: str, out: list[JSON]
    ) -> None:
        block.tool_index = self._tools
        self._tools += 1
        block.input = start.get("input") or {}
        id = start.get("id")
        if not isinstance(id, str) or not id:
            id = made_up_id(self._reply.completion_id, block.tool_index)
        out.append(self._chunks.tool_start(block.tool_index, id, name))

    def _on_block_delta(self, event: JSON, out: list[JSON]) -> None:
        delta = event.get("delta")
        if not isinstance(delta, dict):
            return
        index = event.get("index")
        block = self._blocks.get(index) if isinstance(index, int) else None
        kind = delta.get("type")
        if block is None:
            self.fail("holds a piece of a content block that never began")
        elif not block.kind:
            return
        elif kind == "text_delta":
            self._add_text(delta.get("text"), out)
        elif kind == "input_json_delta":
            self._add_input(block, delta.get("partial_json"), out)
        elif kind == "thinking_delta":
            self._add_thinking(block, delta.get("thinking"), out)
        elif kind == "signature_delta":
            self._add_signature(block, delta.get("signature"))
        elif kind == "citations_delta":
            self._add_citation(block, delta.get("citation"))

    def _add_text(self, text: Any, out: list[JSON]) -> None:
        if text and isinstance(text, str):
            self._length += len(text)
            out.append(self._chunks.content(text))

    def _add_input(self, block: _Block, fragment: Any, out: list[JSON]) -> None:
        if block.kind == "tool_use" and fragment and isinstance(fragment, str):
            block.input = None
            out.append(self._chunks.tool_arguments(block.tool_index, fragment))

    def _add_thinking(self, block: _Block, text: Any, out: list[JSON]) -> None:
        if block.kind == "thinking" and text and isinstance(text, str):
            block.pieces.append(text)
            out.append(self._chunks.reasoning(text))

    def _add_signature(self, block: _Block, signature: Any) -> None:
        if isinstance(signature, str):
            block.signature += signature

    def _add_citation(self, block: _Block, citation: Any) -> None:
        if block.kind == "text" and isinstance(citation, dict):
            block.citations.append(citation)

    def _on_block_stop(self, event: JSON, out: list[JSON]) -> None:
        index = event.get("index")
        block = self._blocks.pop(index, None) if isinstance(index, int) else None
        if block is not None:
            self._finish_block(block, out)

    def _finish_block(self, block: _Block, out: list[JSON]) -> None:
        match block.kind:
            case "tool_use":
                if block.input is not None:
                    arguments = dump_arguments(block.input)
                    out.append(self._chunks.tool_arguments(block.tool_index, arguments))
            case "thinking":
                text = "".join(block.pieces)
                replayable = thinking_block(text, block.signature, block.index)
                self._emit_thinking_block(replayable, out)
            case "redacted_thinking":
                replayable = redacted_block("".join(block.pieces), block.index)
                self._emit_thinking_block(replayable, out)
            case "text":
                if block.citations:
                    self._emit_citations(block, out)

    def _emit_thinking_block(self, block: JSON, out: list[JSON]) -> None:
        # The official stream helper merges list entries by `index`, so that must be
        # dense; the place among the blocks, needed for the replay, stands beside it.
        if block["index"] != self._thinking_blocks:
            block["block_index"] = block["index"]
            block["index"] = self._thinking_blocks
        self._thinking_blocks += 1
        out.append(self._chunks.thinking_blocks([block]))

    def _emit_citations(self, block: _Block, out: list[JSON]) -> None:
        annotations: list[JSON] = []
        others: list[JSON] = []
        for citation in block.citations:
            annotation = url_citation(citation, block.start, self._length)
            if annotation is not None:
                annotations.append({"index": self._annotations, **annotation})
                self._annotations += 1
            else:
                others.append({**citation, "index": self._citations})
                self._citations += 1
        if annotations:
            out.append(self._chunks.annotations(annotations))
        if others:
            out.append(self._chunks.delta({"citations": others}))

    def _on_message_delta(self, event: JSON, out: list[JSON]) -> None:
        delta = event.get("delta")
        if isinstance(delta, dict):
            self._ending = {**(self._ending or {}), **delta}
        self._add_usage(event.get("usage"))

    def _add_usage(self, usage: Any) -> None:
        """Overwrite the counts given: Claude restates totals, it does not add."""
        if isinstance(usage, dict):
            self._counts.update(
                {name: value for name, value in usage.items() if value is not None}
            )
            parts = (*self._reply.earlier, {"usage": self._counts})
            self.usage = parse_usage(summed_usage(parts))

    def _on_message_stop(self, event: JSON, out: list[JSON]) -> None:
        ending = self._ending
        if ending is None:
            # The reason comes before: without it the answer may be cut anywhere.
            self.error = upstream_errors.truncated()
            return
        native = ending.get("stop_reason")
        native = native if isinstance(native, str) else None
        if native in MALFORMED:
            self.error = malformed()
            return
        for block in self._blocks.values():
            self._finish_block(block, out)
        if native == PAUSE and self._assembly is not None:
            content = self._assembly.content()
            if content is not None:
                counts = {"usage": self._counts} if self._counts else {}
                self.paused = {"content": content, "stop_reason": native, **counts}
                return
        self.finish(out)

    def finish(self, out: list[JSON]) -> None:
        """Append what ends the answer, as the message said it ends."""
        ending = self._ending or {}
        native = ending.get("stop_reason")
        native = native if isinstance(native, str) else None
        refusal = refusal_text(native, ending.get("stop_details"))
        if refusal is not None:
            out.append(self._chunks.refusal(refusal))
        reason = finish_reason(native, self._tools > 0)
        out.append(self._chunks.finish(reason, native=native))
        if self._reply.include_usage:
            out.append(self._chunks.usage(self.usage or parse_usage({})))
        self.done = True

    def _on_error(self, event: JSON, out: list[JSON]) -> None:
        self.error = upstream_errors.from_object(event, WORDS)
