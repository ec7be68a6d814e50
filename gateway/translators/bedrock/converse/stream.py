"""The events of ConverseStream; Nova's InvokeModel sends the same ones.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
"""

from dataclasses import dataclass, field
from typing import Any

from gateway.errors import upstream_error
from gateway.hub.answers.writer import AnswerWriter
from gateway.hub.errors.upstream_errors import no_answer
from gateway.hub.protocol import JSON, Reply
from gateway.translators.bedrock.converse.response import (
    HIDDEN_REASONING,
    annotate,
    cited,
    converse_usage,
)


@dataclass
class _Block:
    """One open content block of the answer."""

    index: int
    start: int
    tool: int | None = None
    has_arguments: bool = False
    is_server_side: bool = False
    reasons: bool = False
    thinking: str = ""
    signature: str = ""
    redacted: str = ""
    citations: list[JSON] = field(default_factory=list)


class ConverseEvents:
    """Reads the events of one answer, each given by its name and payload."""

    def __init__(self, reply: Reply) -> None:
        self.answer = AnswerWriter(reply)
        self._forced_tool = reply.forced_tool
        self._blocks: dict[int, _Block] = {}
        self._has_started = False
        self._has_metadata = False
        self._thinking_blocks = 0
        self._annotations = 0
        self._citations = 0

    def read(self, name: str, payload: JSON) -> None:
        """Take in one event; unknown ones are ignored.

        Raises `GatewayError` (502) where the events contradict each other.
        """
        match name:
            case "messageStart":
                self._start_message()
            case "contentBlockStart":
                self._start_block(payload)
            case "contentBlockDelta":
                self._read_delta(payload)
            case "contentBlockStop":
                self._stop_block(_block_index(payload))
            case "messageStop":
                self.answer.stop(payload.get("stopReason"))
            case "metadata":
                self._read_metadata(payload)
        if self.answer.is_stopped and self._has_metadata:
            self.close()

    def close(self) -> None:
        """End of input; raises `GatewayError` where the answer is not complete."""
        for index in list(self._blocks):
            self._stop_block(index)
        self.answer.finish()

    def _start_message(self) -> None:
        if self._has_started:
            raise no_answer("holds a second message in the same stream")
        self._has_started = True
        self.answer.role()

    def _start_block(self, payload: JSON) -> None:
        index = _block_index(payload)
        block = self._blocks[index] = _Block(index, self.answer.length)
        match payload.get("start"):
            case {"toolUse": {"type": "server_tool_use"}} | {"toolResult": _}:
                block.is_server_side = True
            case {"toolUse": {"name": str(name)} as tool}:
                block.tool = self.answer.tool_start(tool.get("toolUseId"), name)

    def _read_delta(self, payload: JSON) -> None:
        index = _block_index(payload)
        block = self._blocks.get(index)
        if block is None:
            # A block of text has no start event.
            block = self._blocks[index] = _Block(index, self.answer.length)
        match payload.get("delta"):
            case {"text": str(text)}:
                self.answer.text(text)
            case {"toolUse": {"input": str(fragment)}}:
                self._read_arguments(block, fragment)
            case {"reasoningContent": dict(reasoning)}:
                self._read_reasoning(block, reasoning)
            case {"citation": dict(citation)}:
                block.citations.append(citation)
            case {"citationsContent": dict(content)}:
                text, citations = cited(content)
                self.answer.text(text)
                block.citations += citations

    def _read_arguments(self, block: _Block, fragment: str) -> None:
        if block.is_server_side:
            return
        if block.tool is None:
            if not self._forced_tool:
                raise upstream_error(
                    502,
                    "malformed_model_output",
                    "The provider sent arguments of a tool call that it never began.",
                )
            block.tool = self.answer.tool_start("", self._forced_tool)
        block.has_arguments = block.has_arguments or bool(fragment)
        self.answer.tool_arguments(block.tool, fragment)

    def _read_reasoning(self, block: _Block, reasoning: JSON) -> None:
        block.reasons = True
        match reasoning:
            case {"text": str(text)}:
                held = block.thinking if _may_be_hidden(block.thinking) else ""
                block.thinking += text
                if not _may_be_hidden(block.thinking):
                    self.answer.reasoning(held + text)
            case {"signature": str(signature)}:
                block.signature += signature
            case {"redactedContent": str(redacted)}:
                block.redacted += redacted

    def _stop_block(self, index: int) -> None:
        block = self._blocks.pop(index, None)
        if block is None:
            return
        if block.tool is not None and not block.has_arguments:
            self.answer.tool_arguments(block.tool, "{}")
        if block.reasons:
            self._end_thinking(block)
        if block.citations:
            self._end_citations(block)

    def _end_thinking(self, block: _Block) -> None:
        if block.thinking == HIDDEN_REASONING:
            return
        if block.thinking and _may_be_hidden(block.thinking):
            self.answer.reasoning(block.thinking)
        thinking: JSON = {"type": "redacted_thinking", "data": block.redacted}
        if not block.redacted:
            thinking = {"type": "thinking", "thinking": block.thinking}
            if block.signature:
                thinking["signature"] = block.signature
        # The official stream helper wants dense indexes; a replay wants the place.
        thinking["index"] = self._thinking_blocks
        if block.index != self._thinking_blocks:
            thinking["block_index"] = block.index
        self._thinking_blocks += 1
        self.answer.delta({"thinking_blocks": [thinking]})

    def _end_citations(self, block: _Block) -> None:
        annotations, others = annotate(block.citations, block.start, self.answer.length)
        for annotation in annotations:
            annotation["index"] = self._annotations
            self._annotations += 1
        for citation in others:
            citation["index"] = self._citations
            self._citations += 1
        if annotations:
            self.answer.delta({"annotations": annotations})
        if others:
            self.answer.delta({"citations": others})

    def _read_metadata(self, payload: JSON) -> None:
        self._has_metadata = True
        usage = payload.get("usage")
        if isinstance(usage, dict):
            self.answer.state.usage = converse_usage(usage)


def _block_index(payload: JSON) -> int:
    index: Any = payload.get("contentBlockIndex")
    return index if isinstance(index, int) else 0


def _may_be_hidden(thinking: str) -> bool:
    """Say whether `thinking` may yet turn out to be Nova's placeholder."""
    return HIDDEN_REASONING.startswith(thinking)
