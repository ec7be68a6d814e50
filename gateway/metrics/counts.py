"""One worker's counts of calls, kept in plain lists.

A call adds to one short list of numbers, found by what it was, where counters and
histograms of the client library for Prometheus take 20 µs together. They are filled in
when somebody asks (gateway/metrics/exposition.py). Those that are in the ledger as rows
are counted some at once (gateway/metrics/heaps.py).
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from gateway.ledger.lines import Row
from gateway.metrics.heaps import TOKENS, Heap, heaps_of

DURATIONS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
FIRST_BYTES = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper bounds of the histograms' buckets, in seconds; one more takes the rest."""

MOST_KINDS = 5000
MOST_CAUSES = 100
MOST_CALLERS = 2000
OTHER = "other"
MANY = 200
"""Rows that wait to be counted at the most: 0.2 ms, and they are the ledger's."""

_CALLS = 0
_TOKENS = 1
_DURATION_SUM = _TOKENS + len(TOKENS)
_DURATIONS = _DURATION_SUM + 1
_FIRST_SUM = _DURATIONS + len(DURATIONS) + 1
_FIRST_BYTES = _FIRST_SUM + 1
_SIZE = _FIRST_BYTES + len(FIRST_BYTES) + 1


_TOKEN_PLACES = tuple((name, place) for place, name in enumerate(TOKENS, _TOKENS))


class Kind(NamedTuple):
    """What calls are told apart by; a call that was refused here has no provider.

    `cause` is the error's code. `model` is one of the registry's, never a word that a
    client made up.
    """

    door: str
    provider: str
    model: str
    outcome: str
    cause: str


class Numbers(NamedTuple):
    """What calls of a kind came to; times are seconds, buckets are not cumulated."""

    calls: int
    tokens: list[int]
    duration: float
    durations: list[int]
    first_byte: float
    first_bytes: list[int]


class Example(NamedTuple):
    """A traced call that fell into a bucket of the durations, `seconds` long."""

    provider: str
    model: str
    bucket: int
    trace_id: str
    seconds: float


class Counts:
    """Calls by their kind and by their caller, and dollars by provider and model.

    What calls cost is known once they are stored: who stores them puts it here.
    """

    def __init__(self) -> None:
        self.callers: dict[str, int] = {}
        self.costs: dict[tuple[str, str], float] = {}
        self.examples: dict[tuple[str, str, int], Example] = {}
        self._kinds: dict[Kind, list[float]] = {}
        self._causes: set[str] = set()
        self._waiting: list[Row] = []

    def put_off(self, row: Row) -> None:
        """Count a call that is over, by its row in the ledger, as `note` does.

        With others, before anybody is told: 1 µs for one of 200, where `note` takes 5.
        """
        waiting = self._waiting
        waiting.append(row)
        if len(waiting) == MANY:
            self._settle()

    def note(self, fields: dict[str, Any], trace_id: str = "") -> None:
        """Count a call that is over; `fields` are the ledger's.

        `trace_id` names the trace that tells more of it.
        """
        provider = fields.get("provider", "")
        cause = fields.get("error_code", "")
        if cause and cause not in self._causes:
            cause = self._known_cause(cause)
        model = fields.get("model", "") if provider else ""
        # To make a Kind costs more than to find the one that equals this.
        told = (fields.get("door", "chat"), provider, model, fields["outcome"], cause)
        numbers = self._kinds.get(told)  # type: ignore[call-overload]
        if numbers is None:
            numbers = self._new(Kind(*told))
        calls = fields.get("calls") or 1
        numbers[_CALLS] += calls
        for name, place in _TOKEN_PLACES:
            if name in fields and (count := fields[name]):
                numbers[place] += count
        seconds = fields["duration_ms"] / 1000
        bucket = bisect_left(DURATIONS, seconds)
        numbers[_DURATION_SUM] += seconds
        numbers[_DURATIONS + bucket] += 1
        if trace_id:
            example = Example(provider, model, bucket, trace_id, seconds)
            self.examples[provider, model, bucket] = example
        first = fields.get("first_byte_ms")
        if first is not None:
            seconds = first / 1000
            numbers[_FIRST_SUM] += seconds
            numbers[_FIRST_BYTES + bisect_left(FIRST_BYTES, seconds)] += 1
        if caller := fields.get("caller"):
            if caller in self.callers:
                self.callers[caller] += calls
            else:
                self._count_new_caller(caller, calls)

    def dump(self) -> dict[str, Any]:
        """Return all of it as JSON, as it is now, for `merge` of another process."""
        self._settle()
        kinds = [[*kind, [*numbers]] for kind, numbers in self._kinds.items()]
        costs = [[*key, dollars] for key, dollars in self.costs.items()]
        return {
            "kinds": kinds,
            "callers": {**self.callers},
            "costs": costs,
            "examples": list(self.examples.values()),
        }

    def merge(self, dumped: dict[str, Any]) -> None:
        """Add what another worker has `dump`ed; what is no such thing is left out."""
        for *names, numbers in dumped.get("kinds", ()):
            # Of another version's shape: counted by nobody rather than wrongly.
            if len(numbers) != _SIZE or len(names) != len(Kind._fields):
                continue
            kind = Kind(*names)
            own = self._kinds.setdefault(kind, [0] * _SIZE)
            self._kinds[kind] = [a + b for a, b in zip(own, numbers, strict=True)]
        for caller, calls in dumped.get("callers", {}).items():
            self.callers[caller] = self.callers.get(caller, 0) + calls

        for provider, model, dollars in dumped.get("costs", ()):
            key = (provider, model)
            self.costs[key] = self.costs.get(key, 0.0) + dollars

        for told in dumped.get("examples", ()):
            example = Example(*told)
            self.examples[example.provider, example.model, example.bucket] = example

    def items(self) -> Iterable[tuple[Kind, Numbers]]:
        """Yield each kind with its numbers."""
        self._settle()
        for kind, numbers in self._kinds.items():
            whole = [int(each) for each in numbers]
            yield (
                kind,
                Numbers(
                    whole[_CALLS],
                    whole[_TOKENS:_DURATION_SUM],
                    numbers[_DURATION_SUM],
                    whole[_DURATIONS:_FIRST_SUM],
                    numbers[_FIRST_SUM],
                    whole[_FIRST_BYTES:],
                ),
            )

    def _settle(self) -> None:
        """Count what was put off."""
        rows, self._waiting = self._waiting, []
        for heap in heaps_of(rows) if rows else ():
            self._add(heap)

    def _add(self, heap: Heap) -> None:
        """Count calls that are alike, as `note` does of each."""
        door, provider, model, outcome, cause = heap.told
        if cause and cause not in self._causes:
            cause = self._known_cause(cause)
        kind = Kind(door, provider, model if provider else "", outcome, cause)
        numbers = self._kinds.get(kind) or self._new(kind)
        numbers[_CALLS] += sum(heap.calls)
        for place, counts in enumerate(heap.tokens, _TOKENS):
            numbers[place] += sum(filter(None, counts))
        numbers[_DURATION_SUM] += sum(heap.durations) / 1000
        _spread(numbers, _DURATIONS, DURATIONS, heap.durations)
        firsts = [each for each in heap.first_bytes if each is not None]
        numbers[_FIRST_SUM] += sum(firsts) / 1000
        _spread(numbers, _FIRST_BYTES, FIRST_BYTES, firsts)
        for caller, calls in heap.by_caller().items():
            if caller in self.callers:
                self.callers[caller] += calls
            elif caller:
                self._count_new_caller(caller, calls)

    def _new(self, kind: Kind) -> list[float]:
        if len(self._kinds) >= MOST_KINDS:
            kind = Kind(kind.door, OTHER, OTHER, kind.outcome, OTHER)
        return self._kinds.setdefault(kind, [0] * _SIZE)

    def _known_cause(self, cause: str) -> str:
        """Return `cause`, or "other" where upstreams have made up too many."""
        if len(self._causes) >= MOST_CAUSES:
            return OTHER
        self._causes.add(cause)
        return cause

    def _count_new_caller(self, caller: str, calls: int) -> None:
        if len(self.callers) >= MOST_CALLERS:
            caller = OTHER
        self.callers[caller] = self.callers.get(caller, 0) + calls


def _spread(
    numbers: list[float], start: int, bounds: Sequence[float], times: Sequence[int]
) -> None:
    """Count times, milliseconds, in the buckets that begin at `start`."""
    if times and max(times) / 1000 <= bounds[0]:
        numbers[start] += len(times)
        return
    for each in times:
        numbers[start + bisect_left(bounds, each / 1000)] += 1
