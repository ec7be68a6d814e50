"""Token counts: from OpenAI's usage object to the ledger's columns."""

from typing import Any

from gateway.wire.jsontext import JSON

_MOST = 2**31 - 1
"""The largest count that the ledger's columns hold; no answer costs more tokens."""


def usage_fields(usage: Any) -> dict[str, Any]:
    """Return the ledger's fields for `usage`; what is no count is left out.

    The tokens that are cached for an hour have no column: they are part of those
    written, and only the price tells them apart.
    """
    if not isinstance(usage, dict):
        return {}
    prompt = _object(usage.get("prompt_tokens_details"))
    completion = _object(usage.get("completion_tokens_details"))
    made = _object(usage.get("cache_creation"))
    counts = {
        "input_tokens": usage.get("prompt_tokens"),
        "output_tokens": usage.get("completion_tokens"),
        "cached_tokens": prompt.get("cached_tokens"),
        "cache_write_tokens": prompt.get("cache_write_tokens"),
        "cache_write_1h_tokens": made.get("ephemeral_1h_input_tokens"),
        "reasoning_tokens": completion.get("reasoning_tokens"),
    }
    return {name: count for name, count in counts.items() if _is_count(count)}


def _object(value: Any) -> JSON:
    return value if isinstance(value, dict) else {}


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value <= _MOST  # true is no count
