"""Token counts: from OpenAI's usage object to the ledger's columns."""

from typing import Any

from gateway.wire.jsontext import JSON


def usage_fields(usage: JSON | None) -> dict[str, Any]:
    """Return the ledger's fields for `usage`; what is no count is left out."""
    if not usage:
        return {}
    prompt = usage.get("prompt_tokens_details") or {}
    completion = usage.get("completion_tokens_details") or {}
    counts = {
        "input_tokens": usage.get("prompt_tokens"),
        "output_tokens": usage.get("completion_tokens"),
        "cached_tokens": prompt.get("cached_tokens"),
        "cache_write_tokens": prompt.get("cache_write_tokens"),
        "reasoning_tokens": completion.get("reasoning_tokens"),
    }
    return {name: count for name, count in counts.items() if _is_count(count)}


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
