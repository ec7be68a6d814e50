"""Collects a whole answer from an upstream's content blocks."""

from typing import Any

from gateway.hub.answers import chunks, citations
from gateway.hub.answers.calls.ids import call_id
from gateway.hub.answers.calls.whole import name_of_nameless
from gateway.hub.answers.finish_reasons import FinishReasons
from gateway.hub.protocol import JSON, Reply


class AnswerCollector:
    """The pieces of one whole answer; what `AnswerWriter` is to a streamed one."""

    def __init__(self, reply: Reply, reasons: FinishReasons) -> None:
        self.length = 0
        """Characters of content so far; citations refer to them."""
        self.tool_calls: list[JSON] = []
        self.place = 0
        """Where what is added next stands among the upstream's content blocks."""
        self._reply = reply
        self._reasons = reasons
        self._texts: list[str] = []
        self._blocks: list[JSON] = []
        self._reasoning: list[str] = []
        self._thinking_blocks: list[JSON] = []
        self._annotations: list[JSON] = []
        self._citations: list[JSON] = []

    @property
    def content(self) -> str | None:
        """Return the text so far; None where there was no piece of it."""
        return "".join(self._texts) if self._texts else None

    def text(self, text: str) -> None:
        """Add a piece of the answer."""
        self._texts.append(text)
        self.length += len(text)
        if self._reply.blocks:
            self._blocks.append({"block_index": self.place, "text": text})

    def cite(self, found: list[Any], web_page: citations.WebPage, start: int) -> None:
        """Add the citations of the text that began at `start` and ends here."""
        annotations, others = citations.split(found, web_page, start, self.length)
        self._annotations += annotations
        self._citations += others
        if self._blocks:
            self._blocks[-1] |= {"annotations": annotations, "citations": others}

    def reasoning(self, text: str) -> None:
        """Add a piece of the thinking."""
        self._reasoning.append(text)

    def thinking_block(self, block: JSON, place: int) -> None:
        """Add a thinking block (the answer's own from now on).

        `place` is where it stands among the upstream's content blocks.
        """
        block["index"] = place
        self._thinking_blocks.append(block)

    def tool_call(self, id: Any, name: Any, arguments: str) -> None:
        """Add a tool call; `arguments` is JSON text.

        Raises `GatewayError` (502) where nothing names the tool that they are for.
        """
        if not isinstance(name, str) or not name:
            name = name_of_nameless(arguments, self._reply)
        if not name:
            return
        given = call_id(id, self._reply, len(self.tool_calls))
        call = chunks.tool_call(given, name, arguments)
        if self._reply.blocks:
            call["block_index"] = self.place
        self.tool_calls.append(call)

    def completion(
        self,
        content: str | None,
        native: Any,
        usage: JSON | None,
        *,
        explanation: Any = None,
        service_tier: str | None = None,
    ) -> JSON:
        """Return the `chat.completion`, which ends with the upstream's word `native`.

        `explanation` is what a model that declined says about it. Raises `GatewayError`
        (502) where the model's output was not usable.
        """
        message = chunks.message(
            self._reply,
            content=content,
            reasoning="".join(self._reasoning),
            tool_calls=self.tool_calls,
            refusal=self._reasons.refusal(native, explanation),
            thinking_blocks=self._thinking_blocks,
            annotations=self._annotations,
        )
        if self._citations:
            message["citations"] = self._citations
        if self._blocks:
            message["text_blocks"] = self._blocks
        return chunks.completion(
            self._reply,
            message,
            self._reasons.finish_reason(native, has_calls=bool(self.tool_calls)),
            usage,
            native=native if isinstance(native, str) else None,
            service_tier=service_tier,
        )
