"""Claude's whole answer as a `chat.completion`.

https://platform.claude.com/docs/en/api/messages
"""

from collections.abc import Mapping
from typing import Any, Literal

from gateway.hub.answers import chunks, reply_rules
from gateway.hub.answers.collector import AnswerCollector
from gateway.hub.answers.finish_reasons import FinishReasons
from gateway.hub.errors import upstream_errors
from gateway.hub.protocol import JSON, Reply
from gateway.hub.requests.tools.arguments import dump_arguments
from gateway.translators.anthropic.answers.pausing import joined
from gateway.translators.anthropic.answers.usage import SERVICE_TIERS, parse_usage
from gateway.translators.anthropic.errors import WORDS
from gateway.wire.shapes import ExactlyOne, Shape, Text, shaped

FINISH_REASONS = FinishReasons(
    {
        "end_turn": "stop",
        "stop_sequence": "stop",
        "pause_turn": "stop",
        "tool_use": "tool_calls",
        "max_tokens": "length",
        "model_context_window_exceeded": "length",
        "refusal": "content_filter",
    },
    malformed=frozenset({"malformed_tool_use", "malformed_model_output"}),
    sentence="The model's output was malformed. Try the request again.",
    refused="refusal",
)


class _Text(Shape, forbid_unknown_fields=True):
    type: Literal["text"]
    text: Text


class _Said(Shape):
    """A message that is one text, as of most short calls."""

    content: ExactlyOne[_Text]
    type: Literal["message"] = "message"
    stop_reason: str | None = None
    stop_details: Any = None
    usage: dict[str, Any] = {}


def parse_response(payload: JSON, headers: Mapping[str, str], reply: Reply) -> JSON:
    """Return Claude's answer as a `chat.completion`.

    Raises a `GatewayError` (502 unless the payload says better) when it is none.
    """
    return reply_rules.whole(parse_message(payload, reply), reply)


def parse_message(payload: Any, reply: Reply) -> JSON:
    """Return a Claude message as a `chat.completion`, before the common rules."""
    if not (reply.earlier or reply.blocks) and (said := shaped(payload, _Said)):
        return _told(said, reply)
    return _any_message(payload, reply)


def _any_message(payload: Any, reply: Reply) -> JSON:
    """Return any message as a `chat.completion`, whatever it holds."""
    if not isinstance(payload, dict) or payload.get("type") == "error":
        raise upstream_errors.instead_of_answer(payload, WORDS)
    payload = joined(reply.earlier, payload)
    content = payload.get("content")
    if not isinstance(content, list):
        if "error" in payload:
            raise upstream_errors.instead_of_answer(payload, WORDS)
        raise upstream_errors.no_answer("has no content")
    answer = AnswerCollector(reply, FINISH_REASONS)
    for index, block in enumerate(content):
        if isinstance(block, dict):
            _read_block(block, index, answer)
    native, said = payload.get("stop_reason"), answer.content
    if not said and (answer.tool_calls or FINISH_REASONS.refusal(native)):
        said = None
    usage = _usage_of(payload)
    return answer.completion(
        said,
        native,
        parse_usage(usage) if usage else None,
        explanation=explained(payload.get("stop_details")),
        service_tier=service_tier(usage),
    )


def _told(said: _Said, reply: Reply) -> JSON:
    """Return an answer that is a text: to collect it costs a call 8 µs."""
    native, usage = said.stop_reason, said.usage
    refusal = None
    if native == FINISH_REASONS.refused:
        refusal = FINISH_REASONS.refusal(native, explained(said.stop_details))
    return chunks.completion(
        reply,
        {"role": "assistant", "content": said.content[0].text, "refusal": refusal},
        FINISH_REASONS.finish_reason(native, has_calls=False),
        parse_usage(usage) if usage else None,
        native=native,
        service_tier=service_tier(usage),
    )


def _usage_of(payload: JSON) -> JSON:
    usage = payload.get("usage")
    return usage if isinstance(usage, dict) else {}


def _read_block(block: JSON, index: int, answer: AnswerCollector) -> None:
    match block:
        case {"type": "text", "text": str(text)}:
            start = answer.length
            answer.text(text)
            if isinstance(citations := block.get("citations"), list):
                answer.cite(citations, web_page, start)
        case {"type": "thinking", "thinking": str(text)}:
            answer.reasoning(text)
            thinking = thinking_block(text, block.get("signature") or "")
            answer.thinking_block(thinking, index)
        case {"type": "redacted_thinking", "data": str(data)}:
            answer.thinking_block(redacted_block(data), index)
        case {"type": "tool_use"}:
            arguments = dump_arguments(block.get("input"))
            answer.tool_call(block.get("id"), block.get("name"), arguments)
        case _:
            # Tools that the server ran itself, and what is not known yet.
            pass


def explained(details: Any) -> Any:
    """Return what a refusing model says about it, if anything."""
    return details.get("explanation") if isinstance(details, dict) else None


def service_tier(usage: JSON) -> str | None:
    """Return OpenAI's name of the tier that served the request, if it has one."""
    tier = usage.get("service_tier")
    return SERVICE_TIERS.get(tier) if isinstance(tier, str) else None


def web_page(citation: JSON) -> tuple[str, Any] | None:
    """Return address and title of a citation by the web search; None for others."""
    url = citation.get("url")
    is_page = citation.get("type") == "web_search_result_location"
    return (url, citation.get("title")) if is_page and isinstance(url, str) else None


def thinking_block(text: str, signature: str) -> JSON:
    """Return a thinking block as clients replay it."""
    return {"type": "thinking", "thinking": text, "signature": signature}


def redacted_block(data: str) -> JSON:
    """Return an encrypted thinking block as clients replay it."""
    return {"type": "redacted_thinking", "data": data}
