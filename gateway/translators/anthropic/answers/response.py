"""Claude's whole answer as a `chat.completion`.

https://platform.claude.com/docs/en/api/messages
"""

from collections.abc import Mapping
from typing import Any

from gateway.errors import GatewayError, upstream_error
from gateway.hub.answers import chunks, reply_rules
from gateway.hub.errors import upstream_errors
from gateway.hub.protocol import JSON, Reply
from gateway.hub.requests.tools.arguments import dump_arguments
from gateway.hub.requests.tools.ids import made_up_id
from gateway.translators.anthropic.answers.pausing import joined
from gateway.translators.anthropic.answers.usage import SERVICE_TIERS, parse_usage
from gateway.translators.anthropic.errors import WORDS

FINISH_REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "content_filter",
}

MALFORMED = frozenset({"malformed_tool_use", "malformed_model_output"})
"""Stop reasons that mean there is no answer."""

REFUSED = "The model declined to respond."


def parse_response(payload: JSON, headers: Mapping[str, str], reply: Reply) -> JSON:
    """Return Claude's answer as a `chat.completion`.

    Raises a `GatewayError` (502 unless the payload says better) when it is none.
    """
    return reply_rules.whole(parse_message(payload, reply), reply)


def parse_message(payload: Any, reply: Reply) -> JSON:
    """Return a Claude message as a `chat.completion`, before the common rules."""
    if not isinstance(payload, dict) or payload.get("type") == "error":
        raise upstream_errors.instead_of_answer(payload, WORDS)
    payload = joined(reply.earlier, payload)
    content = payload.get("content")
    if not isinstance(content, list):
        if "error" in payload:
            raise upstream_errors.instead_of_answer(payload, WORDS)
        raise upstream_errors.no_answer("has no content")
    answer = _Answer(reply)
    for index, block in enumerate(content):
        if isinstance(block, dict):
            answer.add(index, block)
    native = payload.get("stop_reason")
    native = native if isinstance(native, str) else None
    finish = finish_reason(native, bool(answer.tool_calls))
    usage = payload.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    message = answer.message(refusal_text(native, payload.get("stop_details")))
    return chunks.completion(
        reply,
        message,
        finish,
        parse_usage(usage) if usage else None,
        native=native,
        service_tier=service_tier(usage),
    )


def finish_reason(native: str | None, has_tool_calls: bool) -> str:
    """Return OpenAI's finish reason; raises a 502 for an answer that is broken.

    Unknown reasons end an answer like `end_turn`. A call ends it with `tool_calls`
    unless the answer was cut off or refused.
    """
    if native in MALFORMED:
        raise malformed()
    reason = FINISH_REASONS.get(native or "", "stop")
    if reason in ("stop", "tool_calls"):
        return "tool_calls" if has_tool_calls else "stop"
    return reason


def malformed() -> GatewayError:
    """Return the error for an answer that the model itself garbled."""
    return upstream_error(
        502,
        "malformed_model_output",
        "The model's output was malformed. Try the request again.",
    )


def refusal_text(native: str | None, details: Any) -> str | None:
    """Return what a refusing model says about it; None where it does not refuse."""
    if native != "refusal":
        return None
    explanation = details.get("explanation") if isinstance(details, dict) else None
    return explanation if isinstance(explanation, str) and explanation else REFUSED


def service_tier(usage: JSON) -> str | None:
    """Return OpenAI's name of the tier that served the request, if it has one."""
    tier = usage.get("service_tier")
    return SERVICE_TIERS.get(tier) if isinstance(tier, str) else None


def url_citation(citation: JSON, start: int, end: int) -> JSON | None:
    """Return a web search citation as OpenAI's annotation; None for other kinds.

    `start` and `end` are the span of the cited text in the answer's content.
    """
    if citation.get("type") != "web_search_result_location":
        return None
    url = citation.get("url")
    if not isinstance(url, str):
        return None
    title = citation.get("title")
    return {
        "type": "url_citation",
        "url_citation": {
            "url": url,
            "title": title if isinstance(title, str) else "",
            "start_index": start,
            "end_index": end,
        },
    }


class _Answer:
    """The pieces of a message, collected block by block."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self._text: list[str] = []
        self._length = 0
        self._reasoning: list[str] = []
        self._thinking_blocks: list[JSON] = []
        self._annotations: list[JSON] = []
        self._citations: list[JSON] = []
        self.tool_calls: list[JSON] = []

    def add(self, index: int, block: JSON) -> None:
        match block:
            case {"type": "text", "text": str(text)}:
                self._add_text(text, block.get("citations"))
            case {"type": "thinking", "thinking": str(text)}:
                self._reasoning.append(text)
                signature = block.get("signature")
                self._thinking_blocks.append(
                    thinking_block(text, signature or "", index)
                )
            case {"type": "redacted_thinking", "data": str(data)}:
                self._thinking_blocks.append(redacted_block(data, index))
            case {"type": "tool_use", "name": str(name)}:
                self._add_tool(block, name)
            case _:
                # Tools that the server ran itself, and what is not known yet.
                pass

    def _add_tool(self, block: JSON, name: str) -> None:
        id = block.get("id")
        if not isinstance(id, str) or not id:
            id = made_up_id(self._reply.completion_id, len(self.tool_calls))
        arguments = dump_arguments(block.get("input"))
        self.tool_calls.append(chunks.tool_call(id, name, arguments))

    def _add_text(self, text: str, citations: Any) -> None:
        start, end = self._length, self._length + len(text)
        self._text.append(text)
        self._length = end
        for citation in citations if isinstance(citations, list) else ():
            if not isinstance(citation, dict):
                continue
            annotation = url_citation(citation, start, end)
            if annotation is not None:
                self._annotations.append(annotation)
            else:
                self._citations.append(citation)

    def message(self, refusal: str | None) -> JSON:
        text: str | None = "".join(self._text)
        if not text and (not self._text or self.tool_calls or refusal):
            text = None
        message = chunks.message(
            self._reply,
            content=text,
            reasoning="".join(self._reasoning),
            tool_calls=self.tool_calls,
            refusal=refusal,
            thinking_blocks=self._thinking_blocks,
            annotations=self._annotations,
        )
        if self._citations:
            message["citations"] = self._citations
        return message


def thinking_block(text: str, signature: str, index: int) -> JSON:
    """Return a thinking block as clients replay it."""
    return {
        "type": "thinking",
        "thinking": text,
        "signature": signature,
        "index": index,
    }


def redacted_block(data: str, index: int) -> JSON:
    """Return an encrypted thinking block as clients replay it."""
    return {"type": "redacted_thinking", "data": data, "index": index}
