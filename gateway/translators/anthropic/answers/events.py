"""The events of a streamed Claude message, however they were framed.

https://platform.claude.com/docs/en/build-with-claude/streaming
"""

from dataclasses import dataclass, field
from typing import Any

from gateway.hub.answers.calls.whole import name_of_nameless
from gateway.hub.answers.writer import AnswerWriter
from gateway.hub.errors import upstream_errors
from gateway.hub.errors.upstream_errors import no_answer
from gateway.hub.protocol import JSON, Reply
from gateway.hub.requests.tools.arguments import dump_arguments
from gateway.translators.anthropic.answers.assembly import Assembly
from gateway.translators.anthropic.answers.pausing import PAUSE, summed_usage
from gateway.translators.anthropic.answers.response import (
    FINISH_REASONS,
    explained,
    redacted_block,
    service_tier,
    thinking_block,
    web_page,
)
from gateway.translators.anthropic.answers.usage import parse_usage
from gateway.translators.anthropic.errors import WORDS

_UNCOUNTED = parse_usage({})
"""What is told of a message that holds no counts at all."""

# What comes only in a message that has begun.
_WITHIN = (
    "content_block_start",
    "content_block_delta",
    "content_block_stop",
    "message_delta",
    "message_stop",
)


@dataclass(slots=True)
class _OpenBlock:
    """One content block until its end; `kind` is empty for those that stay hidden."""

    place: int
    start: int
    """How much of the answer's text was before it."""
    kind: str = ""
    pieces: list[str] = field(default_factory=list)
    signature: str = ""
    citations: list[JSON] = field(default_factory=list)
    call: int = 0
    input: Any = None
    """A tool's input while no fragment of it came."""


class MessageReader:
    """Reads the decoded events of one Claude message, and has them written.

    Of an answer that paused, each message has a reader of its own.
    """

    def __init__(self, reply: Reply, writer: AnswerWriter) -> None:
        self._reply = reply
        self._writer = writer
        self._assembly = Assembly() if reply.goes_on else None
        self._blocks_before = sum(len(part["content"]) for part in reply.earlier)
        self._has_begun = False
        self._counts: JSON = {}
        self._open: dict[int, _OpenBlock] = {}
        self._ending: JSON | None = None

    def read(self, event: Any) -> None:
        """Take in one event; unknown ones are ignored, as Anthropic asks.

        Raises `GatewayError` (502 unless the event says better) where it makes no sense
        or is an error.
        """
        if not isinstance(event, dict):
            raise no_answer("holds an event that is no object")
        kind = event.get("type")
        if not self._has_begun and kind in _WITHIN:
            raise no_answer("begins without 'message_start'")
        match kind:  # the most frequent comes first
            case "content_block_delta":
                self._read_block_delta(event)
            case "content_block_start":
                self._read_block_start(event)
            case "content_block_stop":
                self._read_block_stop(event)
            case "message_start":
                self._read_message_start(event)
            case "message_delta":
                self._read_message_delta(event)
            case "message_stop":
                self._read_message_stop()
            case "error":
                raise upstream_errors.from_object(event, WORDS)
        if self._assembly is not None:
            self._assembly.receive(event)

    def takes_text(self, index: int) -> bool:
        """Tell whether text of a content block would be told."""
        block = self._open.get(index)
        return block is not None and bool(block.kind)

    def close(self, foreign: bytes = b"") -> None:
        """End of input before the message's end: raise `GatewayError`.

        `foreign` is what came instead of events; a piece of a line is not worth naming.
        """
        is_other = not self._has_begun and foreign.lstrip().startswith((b"{", b"<"))
        raise upstream_errors.unfinished(foreign if is_other else b"", WORDS)

    def finish(self) -> None:
        """Write what ends the answer, as the message said it ends."""
        ending = self._ending or {}
        explanation = explained(ending.get("stop_details"))
        self._writer.stop(ending.get("stop_reason"), explanation)
        self._writer.finish(_UNCOUNTED)

    def _read_message_start(self, event: JSON) -> None:
        if self._has_begun:
            raise no_answer("begins twice")
        self._has_begun = True
        message = event.get("message")
        if isinstance(message, dict):
            self._add_usage(message.get("usage"))
            self._writer.serve(service_tier(self._counts))
        self._writer.role()

    def _read_block_start(self, event: JSON) -> None:
        index, start = event.get("index"), event.get("content_block")
        if not isinstance(index, int) or not isinstance(start, dict):
            raise no_answer("holds a content block without index or content")
        if index in self._open:
            raise no_answer("begins a content block twice")
        block = _OpenBlock(self._blocks_before + index, self._writer.length)
        self._open[index] = block
        match start:
            case {"type": "text"}:
                block.kind = "text"
                if isinstance(text := start.get("text"), str):
                    self._writer.text(text)
                citations = start.get("citations")
                for citation in citations if isinstance(citations, list) else ():
                    self._read_citation(block, citation)
            case {"type": "thinking"}:
                block.kind = "thinking"
                self._read_thinking(block, start)
                self._read_signature(block, start)
            case {"type": "redacted_thinking", "data": str(data)}:
                block.kind = "redacted_thinking"
                block.pieces.append(data)
            case {"type": "tool_use", "name": str(name)}:
                block.kind = "tool_use"
                block.input = start.get("input") or {}
                block.call = self._writer.tool_start(start.get("id"), name)
            case {"type": "tool_use"}:
                block.kind = "nameless"
                block.input = start.get("input") or {}

    def _read_block_delta(self, event: JSON) -> None:
        delta = event.get("delta")
        if not isinstance(delta, dict):
            return
        index = event.get("index")
        block = self._open.get(index) if isinstance(index, int) else None
        if block is None:
            raise no_answer("holds a piece of a content block that never began")
        if not block.kind:
            return
        match delta.get("type"):
            case "text_delta":
                if isinstance(text := delta.get("text"), str):
                    self._writer.text(text)
            case "input_json_delta":
                self._read_input(block, delta)
            case "thinking_delta":
                self._read_thinking(block, delta)
            case "signature_delta":
                self._read_signature(block, delta)
            case "citations_delta":
                self._read_citation(block, delta.get("citation"))

    def _read_input(self, block: _OpenBlock, delta: JSON) -> None:
        fragment = delta.get("partial_json")
        if block.kind == "tool_use" and fragment and isinstance(fragment, str):
            block.input = None
            self._writer.tool_arguments(block.call, fragment)
        elif block.kind == "nameless" and isinstance(fragment, str):
            block.pieces.append(fragment)

    def _read_thinking(self, block: _OpenBlock, delta: JSON) -> None:
        text = delta.get("thinking")
        if block.kind == "thinking" and isinstance(text, str):
            block.pieces.append(text)
            self._writer.reasoning(text)

    def _read_signature(self, block: _OpenBlock, delta: JSON) -> None:
        signature = delta.get("signature")
        if isinstance(signature, str):
            block.signature += signature

    def _read_citation(self, block: _OpenBlock, citation: Any) -> None:
        if block.kind == "text" and isinstance(citation, dict):
            block.citations.append(citation)

    def _read_block_stop(self, event: JSON) -> None:
        index = event.get("index")
        block = self._open.pop(index, None) if isinstance(index, int) else None
        if block is not None:
            self._end(block)

    def _end(self, block: _OpenBlock) -> None:
        match block.kind:
            case "tool_use" if block.input is not None:
                arguments = dump_arguments(block.input)
                self._writer.tool_arguments(block.call, arguments)
            case "nameless":
                arguments = "".join(block.pieces) or dump_arguments(block.input)
                name_of_nameless(arguments, self._reply)
            case "thinking":
                thinking = thinking_block("".join(block.pieces), block.signature)
                self._writer.thinking_block(thinking, block.place)
            case "redacted_thinking":
                redacted = redacted_block("".join(block.pieces))
                self._writer.thinking_block(redacted, block.place)
            case "text" if block.citations:
                self._writer.cite(block.citations, web_page, block.start)

    def _read_message_delta(self, event: JSON) -> None:
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
            counts = self._counts
            if self._reply.earlier:
                counts = summed_usage((*self._reply.earlier, {"usage": counts}))
            self._writer.state.usage = parse_usage(counts)

    def _read_message_stop(self) -> None:
        if self._ending is None:
            # The reason comes before: without it the answer may be cut anywhere.
            raise upstream_errors.truncated()
        FINISH_REASONS.check(self._ending.get("stop_reason"))
        for block in self._open.values():
            self._end(block)
        if self._ending.get("stop_reason") == PAUSE:
            self._writer.state.paused = self._paused()
        if self._writer.state.paused is None:
            self.finish()

    def _paused(self) -> JSON | None:
        """Return the message that waits to go on; None where it cannot."""
        content = self._assembly.content() if self._assembly is not None else None
        if content is None:
            return None
        paused = {"content": content, "stop_reason": PAUSE}
        return {**paused, "usage": self._counts} if self._counts else paused
