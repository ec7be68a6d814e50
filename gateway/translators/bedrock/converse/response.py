"""A whole answer of Converse as a `chat.completion`; Nova's InvokeModel gives the same.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
"""

from typing import Any

from gateway.hub.answers.calls.ids import CallIds
from gateway.hub.answers.chunks import count, token_usage
from gateway.hub.answers.collector import AnswerCollector
from gateway.hub.errors.upstream_errors import no_answer
from gateway.hub.protocol import JSON, Reply
from gateway.translators.bedrock.converse.to_claude import citation_of
from gateway.translators.bedrock.finish_reasons import FINISH_REASONS
from gateway.wire.jsontext import dumps

HIDDEN_REASONING = "[REDACTED]"
"""What Nova 2 sends in place of its reasoning: not worth showing.

https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html
"""

SERVICE_TIERS = frozenset({"default", "flex", "priority", "reserved"})


def parse_converse(payload: JSON, reply: Reply) -> JSON:
    """Return the answer in `payload`; raises `GatewayError` (502) if it is none."""
    match payload.get("output"):
        case {"message": {"content": list(content)}}:
            pass
        case _:
            raise no_answer("holds no message")
    answer, ids = AnswerCollector(reply, FINISH_REASONS), CallIds(reply)
    for index, block in enumerate(content):
        if isinstance(block, dict):
            answer.place = index
            _read_block(block, index, answer, ids, tells_blocks=reply.blocks)
    usage = payload.get("usage")
    return answer.completion(
        answer.content,
        payload.get("stopReason"),
        converse_usage(usage) if isinstance(usage, dict) else None,
        service_tier=service_tier(payload),
    )


def _read_block(
    block: JSON,
    index: int,
    answer: AnswerCollector,
    ids: CallIds,
    *,
    tells_blocks: bool,
) -> None:
    match block:
        case {"text": str(text)}:
            answer.text(text)
        case {"toolUse": {"type": "server_tool_use"}} | {"toolResult": _}:
            pass  # run by the provider: nothing that a client could answer
        case {"toolUse": dict(tool)}:
            arguments = tool.get("input")
            text = dumps(arguments if arguments is not None else {})
            answer.tool_call(ids.take(tool.get("toolUseId")), tool.get("name"), text)
        case {"reasoningContent": dict(reasoning)}:
            _read_reasoning(reasoning, index, answer)
        case {"citationsContent": dict(content)}:
            start = answer.length
            text, citations = cited(content)
            answer.text(text)
            if tells_blocks:
                citations = as_claude_tells(citations)
            answer.cite(citations, web_page, start)


def _read_reasoning(reasoning: JSON, index: int, answer: AnswerCollector) -> None:
    match reasoning:
        case {"reasoningText": {"text": str(text)} as block}:
            if text == HIDDEN_REASONING:
                return
            answer.reasoning(text)
            thinking = thinking_block(text, block.get("signature"))
            answer.thinking_block(thinking, index)
        case {"redactedContent": str(data)}:
            answer.thinking_block(redacted_block(data), index)


def thinking_block(text: str, signature: Any) -> JSON:
    """Return a thinking block as clients replay it."""
    block: JSON = {"type": "thinking", "thinking": text}
    if isinstance(signature, str):
        block["signature"] = signature
    return block


def redacted_block(data: str) -> JSON:
    """Return an encrypted thinking block as clients replay it."""
    return {"type": "redacted_thinking", "data": data}


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


def as_claude_tells(citations: list[JSON]) -> list[JSON]:
    """Return citations in Claude's words, but for web pages, which all clients know."""
    told = [
        each if web_page(each) is not None else citation_of(each) for each in citations
    ]
    return [each for each in told if each is not None]


def web_page(citation: JSON) -> tuple[str, Any] | None:
    """Return address and title of a citation of a web page; None for others."""
    match citation.get("location"):
        case {"web": {"url": str(url)}}:
            return url, citation.get("title")
    return None


def converse_usage(usage: JSON) -> JSON:
    """Return Converse's token counts in OpenAI's shape.

    Nova's InvokeModel names the cache's counts ``…TokenCount``, Converse ``…Tokens``.
    """
    counts = token_usage(
        count(usage.get("inputTokens")),
        count(usage.get("outputTokens")),
        _cache_count(usage, "cacheReadInputToken"),
        _cache_count(usage, "cacheWriteInputToken"),
    )
    if lasting := _lifetimes(usage.get("cacheDetails")):
        counts["cache_creation"] = lasting
    return counts


def _lifetimes(details: Any) -> JSON:
    """Return what was written to the cache by lifetime, under Claude's names.

    https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_CacheDetail.html
    """
    found: JSON = {}
    for detail in details if isinstance(details, list) else ():
        match detail:
            case {"ttl": "5m" | "1h" as ttl, "inputTokens": tokens}:
                found[f"ephemeral_{ttl}_input_tokens"] = count(tokens)
    return found


def _cache_count(usage: JSON, name: str) -> int | None:
    value = usage.get(f"{name}s", usage.get(f"{name}Count"))
    return None if value is None else count(value)


def service_tier(payload: JSON) -> str | None:
    """Return the tier that served an answer, where its payload or metadata tells."""
    match payload.get("serviceTier"):
        case {"type": str(tier)} if tier in SERVICE_TIERS:
            return tier
    return None
