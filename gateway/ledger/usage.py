"""Token counts: from OpenAI's usage object to the ledger's columns."""

from typing import Any

from gateway.wire.jsontext import JSON

_MOST = 2**31 - 1
"""The largest count that the ledger's columns hold; no answer costs more tokens."""

Columns = tuple[tuple[str, str], ...]
"""What a count is called in the answer, and its column."""

_COUNTS: Columns = (
    ("prompt_tokens", "input_tokens"),
    ("completion_tokens", "output_tokens"),
)
_DETAILS: tuple[tuple[str, Columns], ...] = (
    (
        "prompt_tokens_details",
        (
            ("cached_tokens", "cached_tokens"),
            ("cache_write_tokens", "cache_write_tokens"),
        ),
    ),
    ("completion_tokens_details", (("reasoning_tokens", "reasoning_tokens"),)),
    (
        "cache_creation",
        (("ephemeral_1h_input_tokens", "cache_write_1h_tokens"),),
    ),
)


def usage_fields(usage: Any) -> dict[str, Any]:
    """Return the ledger's fields for `usage`; what is no count is left out.

    The tokens that are cached for an hour have no column: they are part of those
    written, and only the price tells them apart.
    """
    if not isinstance(usage, dict):
        return {}
    counts: JSON = {}
    _take(counts, _COUNTS, usage)
    for name, columns in _DETAILS:
        if isinstance(details := usage.get(name), dict):
            _take(counts, columns, details)
    return counts


def _take(counts: JSON, columns: Columns, told: JSON) -> None:
    for name, column in columns:
        count = told.get(name)
        if type(count) is int and 0 <= count <= _MOST:  # true is no count
            counts[column] = count
