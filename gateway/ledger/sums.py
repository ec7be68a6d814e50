"""What calls came to, and how that is added up; pure.

`Sums` are stored and drawn; `Totals` are their figures alone, without names and
without the histograms that percentiles are read from.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar

NAMES = ("provider", "model", "caller_kind", "caller", "key_hint", "door")
"""The columns of the ledger that sums tell apart."""
OTHER_KEYS = "*"
"""Stands in `key_hint` for the keys of a caller that are not told apart."""
KEYS_TOLD = 100
"""Keys of one caller that a span of time tells apart."""
COUNTS = ("requests", "failed", "input_tokens", "output_tokens", "priced")
HISTOGRAMS = ("durations", "first_bytes")

# Upper bounds of the buckets that durations are counted in, in milliseconds: each a
# quarter above the one before, up to more than an hour.
BOUNDS = [round(8 * 1.25**n) for n in range(60)]

Histogram = dict[int, int]


class Sums(NamedTuple):
    """What calls of one provider, model, caller, key and door came to in a time."""

    starts_at: datetime
    provider: str
    model: str
    caller_kind: str
    caller: str
    key_hint: str
    door: str
    requests: int
    failed: int
    input_tokens: int
    output_tokens: int
    cost: Decimal | None
    priced: int
    durations: Histogram
    first_bytes: Histogram

    @property
    def error_percent(self) -> float:
        """The share that failed, in percent."""
        return _percent(self.failed, self.requests)


class Totals(NamedTuple):
    """What calls came to; `cost` is US dollars, None where no price is known."""

    requests: int = 0
    failed: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: Decimal | None = None

    @property
    def tokens(self) -> int:
        """All tokens, in and out."""
        return self.input_tokens + self.output_tokens

    @property
    def error_percent(self) -> float:
        """The share that failed, in percent."""
        return _percent(self.failed, self.requests)


Counted = TypeVar("Counted", Sums, Totals)


def together(parts: Iterable[Counted], *, spread: bool = True) -> Counted:
    """Return what `parts`, one at least, come to under the names of the first.

    Histograms are piled up only with `spread`.
    """
    parts = list(parts)
    first = parts[0]
    costs = [each.cost for each in parts if each.cost is not None]
    whole: dict[str, Any] = {"cost": sum(costs, Decimal()) if costs else None}
    for name in first._fields:
        if name in COUNTS:
            whole[name] = sum(getattr(each, name) for each in parts)
        elif spread and name in HISTOGRAMS:
            whole[name] = _piled(getattr(each, name) for each in parts)
    return first._replace(**whole)


def grouped(
    sums: Iterable[Sums], key: Callable[[Sums], Any], *, spread: bool = True
) -> dict[Any, Sums]:
    """Return what `sums` come to by a key of each."""
    groups: dict[Any, list[Sums]] = {}
    for each in sums:
        groups.setdefault(key(each), []).append(each)
    return {name: together(group, spread=spread) for name, group in groups.items()}


def without(one: Sums, other: Sums) -> Sums:
    """Return what is left of `one`, which `other` is a part of."""
    priced = one.priced - other.priced
    return one._replace(
        requests=one.requests - other.requests,
        failed=one.failed - other.failed,
        input_tokens=one.input_tokens - other.input_tokens,
        output_tokens=one.output_tokens - other.output_tokens,
        cost=(one.cost or Decimal()) - (other.cost or 0) if priced > 0 else None,
        priced=priced,
        durations=dict(Counter(one.durations) - Counter(other.durations)),
        first_bytes=dict(Counter(one.first_bytes) - Counter(other.first_bytes)),
    )


def with_few_keys(parts: list[Sums]) -> list[Sums]:
    """Return `parts` with the busiest `KEYS_TOLD` keys of each caller told apart.

    So that a caller which is given a key for each of its calls makes no row for each.
    """
    calls: dict[tuple[str, str], Counter[str]] = {}
    for each in parts:
        keys = calls.setdefault((each.caller_kind, each.caller), Counter())
        if each.key_hint != OTHER_KEYS:
            keys[each.key_hint] += each.requests
    if all(len(keys) <= KEYS_TOLD for keys in calls.values()):
        return parts
    told = {
        (*caller, key)
        for caller, keys in calls.items()
        for key, _calls in keys.most_common(KEYS_TOLD)
    }
    return [
        each
        if (each.caller_kind, each.caller, each.key_hint) in told
        else each._replace(key_hint=OTHER_KEYS)
        for each in parts
    ]


def percentile(histogram: Histogram, share: float) -> int | None:
    """Return the value below which `share` of the counted lie, about a tenth exact."""
    total = sum(histogram.values())
    if not total:
        return None
    wanted = share * total
    passed = 0
    for bucket in sorted(histogram):
        count = histogram[bucket]
        if passed + count >= wanted:
            low = BOUNDS[bucket - 1] if bucket else 0
            high = BOUNDS[min(bucket, len(BOUNDS) - 1)]
            return round(low + (high - low) * (wanted - passed) / count)
        passed += count
    return None


def _percent(part: int, whole: int) -> float:
    return 100 * part / whole if whole else 0.0


def _piled(histograms: Iterable[Histogram]) -> Histogram:
    whole: Histogram = {}
    for histogram in histograms:
        for bucket, count in histogram.items():
            whole[bucket] = whole.get(bucket, 0) + count
    return whole
