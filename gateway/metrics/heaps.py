"""Rows of the ledger by what is told apart of calls, column by column.

To look at each of a call's values by its name takes the interpreter 250 steps of 5,000.
Calls that end within the same second are mostly alike, and what they come to is asked
once: whatever is asked of one call is asked of whole columns.
"""

from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from gateway.ledger.lines import PLACES, Row

TOKENS = (
    "input_tokens",
    "output_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
)
"""Columns of the ledger that count tokens."""

_KIND = ("door", "provider", "model", "outcome", "error_code")
_VALUES = ("duration_ms", "first_byte_ms", "caller", "calls", *TOKENS)
_kind_of = itemgetter(*map(PLACES.__getitem__, _KIND))
_values_of = itemgetter(*map(PLACES.__getitem__, _VALUES))

Told = tuple[str, str, str, str, str]


class Heap(NamedTuple):
    """Calls that are alike in the columns of `_KIND`, which are `told`.

    `calls` is how many each row stands for.
    """

    told: Told
    durations: Sequence[int]
    first_bytes: Sequence[int | None]
    callers: Sequence[str]
    calls: Sequence[int]
    tokens: Sequence[Sequence[int | None]]

    def by_caller(self) -> dict[str, int]:
        """Return how many calls each caller made."""
        first = self.callers[0]
        if self.callers.count(first) == len(self.callers):
            return {first: sum(self.calls)}
        counts: dict[str, int] = {}
        for caller, calls in zip(self.callers, self.calls, strict=True):
            counts[caller] = counts.get(caller, 0) + calls
        return counts


def heaps_of(rows: Sequence[Row]) -> Iterable[Heap]:
    """Yield calls, one at least, by what they have in common."""
    kinds = list(map(_kind_of, rows))
    if kinds.count(kinds[0]) == len(kinds):
        yield _heap(kinds[0], rows)
        return
    groups: dict[Told, list[Row]] = {}
    for kind, row in zip(kinds, rows, strict=True):
        groups.setdefault(kind, []).append(row)
    for kind, group in groups.items():
        yield _heap(kind, group)


def _heap(told: Told, rows: Sequence[Row]) -> Heap:
    columns: list[Sequence[Any]] = list(zip(*map(_values_of, rows), strict=True))
    durations, first_bytes, callers, calls, *tokens = columns
    # As nearly always: only refusals stand for several.
    calls = [each or 1 for each in calls] if any(calls) else [1] * len(rows)
    return Heap(told, durations, first_bytes, callers, calls, tokens)
