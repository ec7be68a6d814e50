"""Converse's answers said as Claude's: the counterpart of `from_claude`.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
"""

from typing import Any

from gateway.hub.answers.chunks import count
from gateway.hub.errors.upstream_errors import no_answer
from gateway.hub.protocol import JSON, Reply
from gateway.translators.bedrock.finish_reasons import FINISH_REASONS

_REASONS = {
    "end_turn": "end_turn",
    "tool_use": "tool_use",
    "max_tokens": "max_tokens",
    "stop_sequence": "stop_sequence",
    "model_context_window_exceeded": "model_context_window_exceeded",
    "guardrail_intervened": "refusal",
    "content_filtered": "refusal",
    "refusal": "refusal",
}

_PLACES = {
    "documentChar": ("char_location", "char_index"),
    "documentPage": ("page_location", "page_number"),
    "documentChunk": ("content_block_location", "block_index"),
}
"""Where in a document a citation leads: its type and what its ends are called."""


def message(payload: JSON, reply: Reply) -> JSON:
    """Return the message that `payload` is; raises a 502 where it is none."""
    match payload.get("output"):
        case {"message": {"content": list(content)}}:
            pass
        case _:
            raise no_answer("holds no message")
    blocks = [_block(each) for each in content if isinstance(each, dict)]
    usage = payload.get("usage")
    return {
        **head(reply),
        "content": [block for block in blocks if block is not None],
        **ending(payload),
        "usage": usage_of(usage if isinstance(usage, dict) else {}),
    }


def head(reply: Reply) -> JSON:
    """Return how a message begins."""
    id = reply.completion_id.rpartition("-")[2]
    who = {"type": "message", "role": "assistant", "model": reply.model}
    return {"id": f"msg_{id}", **who}


def ending(payload: JSON) -> JSON:
    """Return why a message ends; raises `GatewayError` (502) where it is garbled."""
    native = payload.get("stopReason")
    FINISH_REASONS.check(native)
    reason = _REASONS.get(native, "end_turn") if isinstance(native, str) else "end_turn"
    told: JSON = {"stop_reason": reason, "stop_sequence": _sequence(payload)}
    if reason == "refusal":
        details = {"type": "refusal", "category": None, "explanation": None}
        told["stop_details"] = details
    return told


def usage_of(usage: JSON) -> JSON:
    """Return Converse's counts by Claude's names; what is not told is zero."""
    counts: JSON = {
        "input_tokens": count(usage.get("inputTokens")),
        "cache_creation_input_tokens": count(usage.get("cacheWriteInputTokens")),
        "cache_read_input_tokens": count(usage.get("cacheReadInputTokens")),
        "output_tokens": count(usage.get("outputTokens")),
    }
    details = usage.get("cacheDetails")
    if isinstance(details, list) and details:
        counts["cache_creation"] = _lifetimes(details)
    return counts


def citation_of(citation: JSON) -> JSON | None:
    """Return a citation as Claude tells it, None for one that leads nowhere."""
    location = citation.get("location")
    title, cited = citation.get("title"), _cited(citation.get("sourceContent"))
    if not isinstance(location, dict):
        return None
    for name, (kind, end) in _PLACES.items():
        if isinstance(place := location.get(name), dict):
            return {
                "type": kind,
                "cited_text": cited,
                "document_index": place.get("documentIndex", 0),
                "document_title": title,
                f"start_{end}": place.get("start", 0),
                f"end_{end}": place.get("end", 0),
            }
    match location:
        case {"searchResultLocation": dict(place)}:
            return {
                "type": "search_result_location",
                "cited_text": cited,
                "search_result_index": place.get("searchResultIndex", 0),
                "source": citation.get("source") or "",
                "title": title,
                "start_block_index": place.get("start", 0),
                "end_block_index": place.get("end", 0),
            }
        case {"web": {"url": str(url)}}:
            return {
                "type": "web_search_result_location",
                "cited_text": cited,
                "encrypted_index": "",
                "title": title,
                "url": url,
            }
    return None


def _block(block: JSON) -> JSON | None:
    match block:
        case {"text": str(text)}:
            return {"type": "text", "text": text}
        case {"toolUse": {"name": str(name), "toolUseId": str(id)} as tool}:
            given = tool.get("input")
            given = given if given is not None else {}
            return {"type": "tool_use", "id": id, "name": name, "input": given}
        case {"reasoningContent": {"reasoningText": {"text": str(text)} as told}}:
            signature = told.get("signature") or ""
            return {"type": "thinking", "thinking": text, "signature": signature}
        case {"reasoningContent": {"redactedContent": str(data)}}:
            return {"type": "redacted_thinking", "data": data}
        case {"citationsContent": dict(content)}:
            return _cited_text(content)
    return None


def _cited_text(content: JSON) -> JSON:
    citations = content.get("citations")
    found = citations if isinstance(citations, list) else []
    told = [citation_of(each) for each in found if isinstance(each, dict)]
    return {
        "type": "text",
        "text": _cited(content.get("content")),
        "citations": [each for each in told if each is not None],
    }


def _cited(parts: Any) -> str:
    """Return the text of a list of parts."""
    texts = [
        part["text"]
        for part in (parts if isinstance(parts, list) else ())
        if isinstance(part, dict) and isinstance(part.get("text"), str)
    ]
    return "".join(texts)


def _sequence(payload: JSON) -> str | None:
    """Return the sequence that ended the answer, where Claude's own field tells it."""
    match payload.get("additionalModelResponseFields"):
        case {"stop_sequence": str(sequence)}:
            return sequence
    return None


def _lifetimes(details: list[Any]) -> JSON:
    found = {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0}
    for detail in details:
        match detail:
            case {"ttl": "5m" | "1h" as ttl, "inputTokens": tokens}:
                found[f"ephemeral_{ttl}_input_tokens"] += count(tokens)
    return found
