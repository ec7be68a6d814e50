"""Writes a streamed answer, whatever the upstream's way of telling it."""

from typing import Any

from gateway.hub.answers import citations
from gateway.hub.answers.calls.ids import call_id
from gateway.hub.answers.chunks import Chunks
from gateway.hub.answers.finish_reasons import FinishReasons
from gateway.hub.answers.state import StreamState
from gateway.hub.errors import upstream_errors
from gateway.hub.protocol import JSON, Reply


class AnswerWriter:
    """Writes one streamed answer as chunks, in the order that OpenAI's clients expect.

    Readers of an upstream's events say what they saw; `take` returns what there is to
    send. The role comes first and once; the end is written by `finish`.
    """

    def __init__(self, reply: Reply, reasons: FinishReasons) -> None:
        self.state = StreamState()
        self.length = 0
        """Characters of content so far; citations refer to them."""
        self.is_stopped = False
        self._reply = reply
        self._reasons = reasons
        self._chunks = Chunks(reply)
        self._out: list[JSON] = []
        self._has_role = False
        self._native: Any = None
        self._explanation: Any = None
        self._intervened = False
        self._tool_calls = 0
        self._thinking_blocks = 0
        self._annotations = 0
        self._citations = 0

    def take(self) -> list[JSON]:
        """Return the chunks written since the last call."""
        out, self._out = self._out, []
        return out

    def role(self) -> None:
        """Begin the answer, unless it has begun."""
        if not self._has_role:
            self._has_role = True
            self._out.append(self._chunks.role())

    def text(self, text: str, logprobs: JSON | None = None) -> None:
        """Write a piece of the answer; a blank one where it has `logprobs`."""
        if not text and logprobs is None:
            return
        # Nearly every chunk is one of these: it takes as few calls as can be.
        if not self._has_role:
            self.role()
        self.length += len(text)
        chunk = self._chunks.delta({"content": text})
        if logprobs is not None:
            chunk["choices"][0]["logprobs"] = logprobs
        self._out.append(chunk)

    def text_block(self, text: str, place: int) -> None:
        """Write a piece that begins another block of text.

        `place` is where it stands among the upstream's content blocks.
        """
        self.text(text)
        self._out[-1]["choices"][0]["delta"]["block_index"] = place

    def reasoning(self, text: str) -> None:
        """Write a piece of the thinking."""
        if text:
            self.role()
            self._out.append(self._chunks.reasoning(text))

    def refusal(self, text: str) -> None:
        """Write a piece of a refusal."""
        self.role()
        self._out.append(self._chunks.refusal(text))

    def tool_start(self, id: Any, name: str, arguments: str = "") -> int:
        """Begin a tool call and return its ordinal among the client's calls."""
        self.role()
        index = self._tool_calls
        self._tool_calls += 1
        given = call_id(id, self._reply, index)
        self._out.append(self._chunks.tool_start(index, given, name, arguments))
        return index

    def tool_arguments(self, index: int, fragment: str) -> None:
        """Write a piece of a call's arguments."""
        if fragment:
            self._out.append(self._chunks.tool_arguments(index, fragment))

    def thinking_block(self, block: JSON, place: int) -> None:
        """Write a thinking block (the writer's own from now on) that is complete.

        `place` is where it stands among the upstream's content blocks.
        """
        # The official stream helper merges list entries by `index`, so that must be
        # dense; the place, which a replay needs, stands beside it.
        block["index"] = self._thinking_blocks
        if place != self._thinking_blocks:
            block["block_index"] = place
        self._thinking_blocks += 1
        self.role()
        self._out.append(self._chunks.thinking_blocks([block]))

    def cite(self, found: list[Any], web_page: citations.WebPage, start: int) -> None:
        """Write the citations of the text that began at `start` and ends here."""
        self.role()
        annotations, others = citations.split(found, web_page, start, self.length)
        if annotations:
            numbered = [
                {"index": index, **annotation}
                for index, annotation in enumerate(annotations, self._annotations)
            ]
            self._annotations += len(annotations)
            self._out.append(self._chunks.annotations(numbered))
        if others:
            numbered = [
                {**citation, "index": index}
                for index, citation in enumerate(others, self._citations)
            ]
            self._citations += len(others)
            self._out.append(self._chunks.delta({"citations": numbered}))

    def stop(self, native: Any, explanation: Any = None) -> None:
        """Note why the answer ended; the first word stands.

        `explanation` is what a model that declined says about it. Raises `GatewayError`
        (502) where the model's output was not usable.
        """
        if not self.is_stopped:
            self._reasons.check(native)
            self._native = native
            self._explanation = explanation
            self.is_stopped = True

    def serve(self, tier: str | None) -> None:
        """Note the tier that serves the request, where it has a name at OpenAI."""
        if tier is not None:
            self._chunks.put_service_tier(tier)

    def intervene(self) -> None:
        """Note that a guardrail changed the answer."""
        self._intervened = True

    def finish(self, uncounted: JSON | None = None) -> None:
        """Write the end; raises `GatewayError` where no reason to end was seen.

        `uncounted` is the usage to tell where the upstream told none.
        """
        if self.state.done:
            return
        if not self.is_stopped:
            raise upstream_errors.truncated()
        self.state.done = True
        self.role()
        refusal = self._reasons.refusal(self._native, self._explanation)
        if refusal is not None:
            self._out.append(self._chunks.refusal(refusal))
        native = self._native if isinstance(self._native, str) else None
        self._out.append(self._chunks.finish(self._finish_reason(), native=native))
        usage = self.state.usage or uncounted
        if self._reply.include_usage and usage is not None:
            self._out.append(self._chunks.usage(usage))

    def _finish_reason(self) -> str:
        if self._intervened:
            return "content_filter"
        has_calls = self._tool_calls > 0
        return self._reasons.finish_reason(self._native, has_calls=has_calls)
