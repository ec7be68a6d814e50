"""Token counts: from OpenAI's usage object to the ledger's columns."""

from typing import Annotated, Any

import msgspec

from gateway.wire.jsontext import JSON
from gateway.wire.shapes import Shape, shaped

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


_Count = Annotated[int, msgspec.Meta(ge=0, le=_MOST)] | None


class _Prompt(Shape):
    cached_tokens: _Count = None
    cache_write_tokens: _Count = None


class _Completion(Shape):
    reasoning_tokens: _Count = None


class _Written(Shape):
    ephemeral_1h_input_tokens: _Count = None


class _Usage(Shape):
    """A usage whose counts are counts, as nearly each is."""

    prompt_tokens: _Count = None
    completion_tokens: _Count = None
    prompt_tokens_details: _Prompt | None = None
    completion_tokens_details: _Completion | None = None
    cache_creation: _Written | None = None


def usage_fields(usage: Any) -> dict[str, Any]:
    """Return the ledger's fields for `usage`; what is no count is left out.

    The tokens that are cached for an hour have no column: they are part of those
    written, and only the price tells them apart.
    """
    told = shaped(usage, _Usage)
    if told is None:
        return _any_fields(usage)
    # To ask for each count whether it is one costs a call 3 µs.
    counts = {
        "input_tokens": told.prompt_tokens,
        "output_tokens": told.completion_tokens,
    }
    if (prompt := told.prompt_tokens_details) is not None:
        counts["cached_tokens"] = prompt.cached_tokens
        counts["cache_write_tokens"] = prompt.cache_write_tokens
    if (completion := told.completion_tokens_details) is not None:
        counts["reasoning_tokens"] = completion.reasoning_tokens
    if (written := told.cache_creation) is not None:
        counts["cache_write_1h_tokens"] = written.ephemeral_1h_input_tokens
    if None in counts.values():
        return {name: counts[name] for name in counts if counts[name] is not None}
    return counts


def _any_fields(usage: Any) -> dict[str, Any]:
    """Return the ledger's fields for a usage, whatever it holds."""
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
