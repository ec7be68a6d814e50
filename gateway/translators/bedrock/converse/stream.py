"""The events of ConverseStream; Nova's InvokeModel sends the same ones.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
"""

from dataclasses import dataclass, field
from typing import Any

from gateway.errors import upstream_error
from gateway.hub.answers.calls.ids import CallIds
from gateway.hub.answers.writer import AnswerWriter
from gateway.hub.errors.upstream_errors import no_answer
from gateway.hub.protocol import JSON, Reply
from gateway.translators.bedrock.converse.response import (
    HIDDEN_REASONING,
    as_claude_tells,
    cited,
    converse_usage,
    redacted_block,
    service_tier,
    thinking_block,
    web_page,
)


@dataclass(slots=True)
class _OpenBlock:
    """One content block of the answer until its end."""

    place: int
    start: int
    """How much of the answer's text was before it."""
    call: int | None = None
    has_arguments: bool = False
    is_server_side: bool = False
    is_border: bool = False
    """Its text has yet to be told from the one before."""
    reasons: bool = False
    thinking: str = ""
    signature: str = ""
    redacted: str = ""
    citations: list[JSON] = field(default_factory=list)


class ConverseReader:
    """Reads the events of one answer, each given by its name and payload."""

    def __init__(self, reply: Reply, writer: AnswerWriter) -> None:
        self._writer = writer
        self._ids = CallIds(reply)
        self._forced_tool = reply.forced_tool
        self._tells_blocks = reply.blocks
        self._open: dict[int, _OpenBlock] = {}
        self._has_started = False
        self._has_metadata = False

    def read(self, name: str, payload: JSON) -> None:
        """Take in one event; unknown ones are ignored.

        Raises `GatewayError` (502) where the events contradict each other.
        """
        match name:  # the most frequent comes first
            case "contentBlockDelta":
                self._read_block_delta(payload)
            case "contentBlockStart":
                self._read_block_start(payload)
            case "contentBlockStop":
                self._end(_block_index(payload))
            case "messageStart":
                self._read_message_start()
            case "messageStop":
                self._writer.stop(payload.get("stopReason"))
            case "metadata":
                self._read_metadata(payload)
        if self._has_metadata and self._writer.is_stopped:
            self.close()

    def close(self) -> None:
        """End of input; raises `GatewayError` where the answer is not complete."""
        for index in list(self._open):
            self._end(index)
        self._writer.finish()

    def _read_message_start(self) -> None:
        if self._has_started:
            raise no_answer("holds a second message in the same stream")
        self._has_started = True
        self._writer.role()

    def _read_block_start(self, payload: JSON) -> None:
        block = self._begin(_block_index(payload))
        match payload.get("start"):
            case {"toolUse": {"type": "server_tool_use"}} | {"toolResult": _}:
                block.is_server_side = True
            case {"toolUse": {"name": str(name)} as tool}:
                id = self._ids.take(tool.get("toolUseId"))
                block.call = self._writer.tool_start(id, name)

    def _begin(self, index: int) -> _OpenBlock:
        block = self._open[index] = _OpenBlock(index, self._writer.length)
        block.is_border = self._tells_blocks and self._writer.length > 0
        return block

    def _read_block_delta(self, payload: JSON) -> None:
        index = _block_index(payload)
        # A block of text has no start event.
        block = self._open.get(index) or self._begin(index)
        delta = payload.get("delta")
        if isinstance(delta, dict) and isinstance(text := delta.get("text"), str):
            self._say(block, text)
            return
        match delta:
            case {"toolUse": {"input": str(fragment)}}:
                self._read_arguments(block, fragment)
            case {"reasoningContent": dict(reasoning)}:
                self._read_reasoning(block, reasoning)
            case {"citation": dict(citation)}:
                block.citations.append(citation)
            case {"citationsContent": dict(content)}:
                text, citations = cited(content)
                self._say(block, text)
                block.citations += citations

    def _say(self, block: _OpenBlock, text: str) -> None:
        if block.is_border and text:
            block.is_border = False
            self._writer.text_block(text, block.place)
        else:
            self._writer.text(text)

    def _read_arguments(self, block: _OpenBlock, fragment: str) -> None:
        if block.is_server_side:
            return
        if block.call is None:
            if not self._forced_tool:
                raise upstream_error(
                    502,
                    "malformed_model_output",
                    "The provider sent arguments of a tool call that it never began.",
                )
            id = self._ids.take("")
            block.call = self._writer.tool_start(id, self._forced_tool)
        block.has_arguments = block.has_arguments or bool(fragment)
        self._writer.tool_arguments(block.call, fragment)

    def _read_reasoning(self, block: _OpenBlock, reasoning: JSON) -> None:
        block.reasons = True
        match reasoning:
            case {"text": str(text)}:
                held = block.thinking if _may_be_hidden(block.thinking) else ""
                block.thinking += text
                if not _may_be_hidden(block.thinking):
                    self._writer.reasoning(held + text)
            case {"signature": str(signature)}:
                block.signature += signature
            case {"redactedContent": str(redacted)}:
                block.redacted += redacted

    def _end(self, index: int) -> None:
        block = self._open.pop(index, None)
        if block is None:
            return
        if block.call is not None and not block.has_arguments:
            self._writer.tool_arguments(block.call, "{}")
        if block.reasons:
            self._end_thinking(block)
        if block.citations:
            found = block.citations
            if self._tells_blocks:
                found = as_claude_tells(found)
            self._writer.cite(found, web_page, block.start)

    def _end_thinking(self, block: _OpenBlock) -> None:
        if block.thinking == HIDDEN_REASONING:
            return
        if block.thinking and _may_be_hidden(block.thinking):
            self._writer.reasoning(block.thinking)
        thinking = thinking_block(block.thinking, block.signature or None)
        if block.redacted:
            thinking = redacted_block(block.redacted)
        self._writer.thinking_block(thinking, block.place)

    def _read_metadata(self, payload: JSON) -> None:
        self._has_metadata = True
        self._writer.serve(service_tier(payload))
        usage = payload.get("usage")
        if isinstance(usage, dict):
            self._writer.state.usage = converse_usage(usage)


def _block_index(payload: JSON) -> int:
    index: Any = payload.get("contentBlockIndex")
    return index if isinstance(index, int) else 0


def _may_be_hidden(thinking: str) -> bool:
    """Say whether `thinking` may yet turn out to be Nova's placeholder."""
    return HIDDEN_REASONING.startswith(thinking)
