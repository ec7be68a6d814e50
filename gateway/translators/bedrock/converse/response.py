"""A whole answer of Converse as a `chat.completion`; Nova's InvokeModel gives the same.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
"""

from dataclasses import dataclass, field
from typing import Any

from gateway.hub.answers import chunks
from gateway.hub.answers.writer import (
    REFUSED,
    CallIds,
    count,
    finish_reason,
    token_usage,
)
from gateway.hub.errors.upstream_errors import no_answer
from gateway.hub.protocol import JSON, Reply
from gateway.wire.jsontext import dumps

HIDDEN_REASONING = "[REDACTED]"
"""What Nova 2 sends in place of its reasoning: not worth showing.

https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html
"""

SERVICE_TIERS = frozenset({"default", "flex", "priority", "reserved"})


@dataclass
class _Parts:
    """What the content blocks of one message hold."""

    ids: CallIds
    texts: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    thinking_blocks: list[JSON] = field(default_factory=list)
    tool_calls: list[JSON] = field(default_factory=list)
    annotations: list[JSON] = field(default_factory=list)
    citations: list[JSON] = field(default_factory=list)
    length: int = 0


def parse_converse(payload: JSON, reply: Reply) -> JSON:
    """Return the answer in `payload`; raises `GatewayError` (502) if it is none."""
    match payload.get("output"):
        case {"message": {"content": list(content)}}:
            pass
        case _:
            raise no_answer("holds no message")
    parts = _Parts(CallIds(reply))
    for index, block in enumerate(content):
        if isinstance(block, dict):
            _read_block(block, index, parts)
    native = payload.get("stopReason")
    message = chunks.message(
        reply,
        content="".join(parts.texts) if parts.texts else None,
        reasoning="".join(parts.reasoning),
        tool_calls=parts.tool_calls,
        refusal=REFUSED if native == "refusal" else None,
        thinking_blocks=parts.thinking_blocks,
        annotations=parts.annotations,
    )
    if parts.citations:
        message["citations"] = parts.citations
    usage = payload.get("usage")
    return chunks.completion(
        reply,
        message,
        finish_reason(native, bool(parts.tool_calls)),
        converse_usage(usage) if isinstance(usage, dict) else None,
        native=native if isinstance(native, str) else None,
        service_tier=_service_tier(payload),
    )


def _read_block(block: JSON, index: int, parts: _Parts) -> None:
    match block:
        case {"text": str(text)}:
            _add_text(parts, text)
        case {"toolUse": {"type": "server_tool_use"}} | {"toolResult": _}:
            pass  # run by the provider: nothing that a client could answer
        case {"toolUse": {"name": str(name)} as tool}:
            arguments = tool.get("input")
            parts.tool_calls.append(
                chunks.tool_call(
                    parts.ids.take(tool.get("toolUseId")),
                    name,
                    dumps(arguments if arguments is not None else {}),
                )
            )
        case {"reasoningContent": dict(reasoning)}:
            _read_reasoning(reasoning, index, parts)
        case {"citationsContent": dict(content)}:
            start = parts.length
            text, citations = cited(content)
            _add_text(parts, text)
            annotations, others = annotate(citations, start, parts.length)
            parts.annotations += annotations
            parts.citations += others


def _add_text(parts: _Parts, text: str) -> None:
    parts.texts.append(text)
    parts.length += len(text)


def _read_reasoning(reasoning: JSON, index: int, parts: _Parts) -> None:
    match reasoning:
        case {"reasoningText": {"text": str(text)} as block}:
            if text == HIDDEN_REASONING:
                return
            thinking: JSON = {"type": "thinking", "thinking": text}
            if isinstance(block.get("signature"), str):
                thinking["signature"] = block["signature"]
            parts.reasoning.append(text)
        case {"redactedContent": str(data)}:
            thinking = {"type": "redacted_thinking", "data": data}
        case _:
            return
    parts.thinking_blocks.append({**thinking, "index": index})


def cited(content: JSON) -> tuple[str, list[JSON]]:
    """Return the text of a `citationsContent` block, which is text of the answer."""
    parts = content.get("content")
    text = "".join(
        part["text"]
        for part in (parts if isinstance(parts, list) else ())
        if isinstance(part, dict) and isinstance(part.get("text"), str)
    )
    citations = content.get("citations")
    found = citations if isinstance(citations, list) else []
    return text, [citation for citation in found if isinstance(citation, dict)]


def annotate(
    citations: list[JSON], start: int, end: int
) -> tuple[list[JSON], list[JSON]]:
    """Return citations of web pages as OpenAI's annotations, and the others as copies.

    `start` and `end` are where the cited text stands in the answer's content.
    """
    annotations: list[JSON] = []
    others: list[JSON] = []
    for citation in citations:
        match citation.get("location"):
            case {"web": {"url": str(url)}}:
                annotations.append(_url_citation(citation, url, start, end))
            case _:
                others.append(dict(citation))
    return annotations, others


def _url_citation(citation: JSON, url: str, start: int, end: int) -> JSON:
    title: Any = citation.get("title")
    return {
        "type": "url_citation",
        "url_citation": {
            "url": url,
            "title": title if isinstance(title, str) else "",
            "start_index": start,
            "end_index": end,
        },
    }


def converse_usage(usage: JSON) -> JSON:
    """Return Converse's token counts in OpenAI's shape.

    Nova's InvokeModel names the cache's counts ``…TokenCount``, Converse ``…Tokens``.
    """
    return token_usage(
        count(usage.get("inputTokens")),
        count(usage.get("outputTokens")),
        _cache_count(usage, "cacheReadInputToken"),
        _cache_count(usage, "cacheWriteInputToken"),
    )


def _cache_count(usage: JSON, name: str) -> int | None:
    value = usage.get(f"{name}s", usage.get(f"{name}Count"))
    return None if value is None else count(value)


def _service_tier(payload: JSON) -> str | None:
    match payload.get("serviceTier"):
        case {"type": str(tier)} if tier in SERVICE_TIERS:
            return tier
    return None
