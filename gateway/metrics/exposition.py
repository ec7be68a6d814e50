"""The text of `/metrics`, from what the workers of a host have counted.

Names and units follow https://prometheus.io/docs/practices/naming/
"""

from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from prometheus_client.samples import Exemplar

from gateway.metrics import vitals
from gateway.metrics.counts import (
    DURATIONS,
    FIRST_BYTES,
    OTHER,
    Counts,
    Numbers,
)
from gateway.metrics.heaps import TOKENS
from gateway.worker.call_settings import call_settings
from gateway.worker.troubles import LIMITS, REGISTRY, USAGE
from providers.models import ModelProvider

MOST_AGENTS = 200

_BY_MODEL = ["provider", "model"]
_TOKEN_KINDS = {name: name.removesuffix("_tokens") for name in TOKENS}


def text(
    accept: str,
    counts: Counts,
    workers: list[dict[str, Any]],
    troubles: Iterable[str],
) -> tuple[bytes, str]:
    """Return the metrics and their media type, in the format that `accept` asks for.

    `workers` is what `vitals.of_worker` told in each, `troubles` what the host lacks.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Told(_families(counts, workers, set(troubles))))
    encode, media_type = choose_encoder(accept)
    return encode(registry), media_type


class _Told(Collector):
    """What is told, as the library wants it."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        """Return the families; they are asked for once."""
        return self._families


def _families(
    counts: Counts, workers: list[dict[str, Any]], troubles: set[str]
) -> Iterator[Metric]:
    yield from _calls(counts)
    yield from _by_model(counts)
    yield _costs(counts)
    yield _agents(counts)
    yield from _states(workers)
    yield from _host(workers, troubles)
    yield from _processes(workers)


def _calls(counts: Counts) -> Iterator[Metric]:
    calls = CounterMetricFamily(
        "runagents_calls",
        "Calls that are over; refused ones have no provider, others no cause.",
        labels=["door", "provider", "model", "outcome", "cause"],
    )
    for kind, numbers in counts.items():
        calls.add_metric(kind, numbers.calls)
    yield calls


def _by_model(counts: Counts) -> Iterator[Metric]:
    tokens = CounterMetricFamily(
        "runagents_tokens",
        "Tokens that providers counted; cached and cache_write are part of input, "
        "reasoning of output.",
        labels=[*_BY_MODEL, "kind"],
    )
    durations = HistogramMetricFamily(
        "runagents_call_duration_seconds",
        "From the request's receipt to the end of the answer.",
        labels=_BY_MODEL,
    )
    first_bytes = HistogramMetricFamily(
        "runagents_first_byte_seconds",
        "From the request's receipt to the first byte of a provider's answer.",
        labels=_BY_MODEL,
    )
    for labels, numbers in _sums_by_model(counts).items():
        for name, count in zip(TOKENS, numbers.tokens, strict=True):
            if count:
                tokens.add_metric([*labels, _TOKEN_KINDS[name]], count)
        buckets = _buckets(DURATIONS, numbers.durations)
        durations.add_metric(
            labels, _with_examples(buckets, labels, counts), numbers.duration
        )
        if any(numbers.first_bytes):
            first_bytes.add_metric(
                labels, _buckets(FIRST_BYTES, numbers.first_bytes), numbers.first_byte
            )
    yield from (tokens, durations, first_bytes)


def _sums_by_model(counts: Counts) -> dict[tuple[str, str], Numbers]:
    """Return the numbers of calls that reached a provider, by it and the model."""
    sums: dict[tuple[str, str], Numbers] = {}
    for kind, numbers in counts.items():
        if not kind.provider:
            continue
        key = (kind.provider, kind.model)
        sums[key] = _sum(sums[key], numbers) if key in sums else numbers
    return sums


def _sum(one: Numbers, other: Numbers) -> Numbers:
    def added(a: list[int], b: list[int]) -> list[int]:
        return [x + y for x, y in zip(a, b, strict=True)]

    return Numbers(
        one.calls + other.calls,
        added(one.tokens, other.tokens),
        one.duration + other.duration,
        added(one.durations, other.durations),
        one.first_byte + other.first_byte,
        added(one.first_bytes, other.first_bytes),
    )


def _buckets(bounds: tuple[float, ...], counts: list[int]) -> list[tuple[str, int]]:
    """Return a histogram's buckets, each with all that are below its bound."""
    names = [*map(str, bounds), "+Inf"]
    return list(zip(names, accumulate(counts), strict=True))


def _costs(counts: Counts) -> Metric:
    costs = CounterMetricFamily(
        "runagents_cost_dollars",
        "What calls cost in US dollars, where the price is known.",
        labels=_BY_MODEL,
    )
    for key, dollars in counts.costs.items():
        costs.add_metric(key, dollars)
    return costs


def _with_examples(
    buckets: list[tuple[str, int]], labels: tuple[str, str], counts: Counts
) -> list[tuple[str, float] | tuple[str, float, Exemplar]]:
    """Return buckets, each with a traced call that fell into it, where there is one."""
    found: list[tuple[str, float] | tuple[str, float, Exemplar]] = []
    for place, (bound, count) in enumerate(buckets):
        example = counts.examples.get((*labels, place))
        if example is None:
            found.append((bound, float(count)))
        else:
            told = Exemplar({"trace_id": example.trace_id}, example.seconds)
            found.append((bound, float(count), told))
    return found


def _agents(counts: Counts) -> Metric:
    """Return the calls of the busiest callers; the others' are one number."""
    calls = CounterMetricFamily(
        "runagents_agent_calls",
        f"Calls by agent or key; beyond the busiest {MOST_AGENTS} together.",
        labels=["agent"],
    )
    busiest = sorted(counts.callers.items(), key=lambda each: each[1], reverse=True)
    others = sum(number for _, number in busiest[MOST_AGENTS:])
    for name, number in busiest[:MOST_AGENTS]:
        if name == OTHER:
            others += number
        else:
            calls.add_metric([name], number)
    if others:
        calls.add_metric([OTHER], others)
    return calls


def _states(workers: list[dict[str, Any]]) -> Iterator[Metric]:
    status = GaugeMetricFamily(
        "runagents_provider_status",
        "1 for the status that a provider has.",
        labels=["provider", "status"],
    )
    gate = GaugeMetricFamily(
        "runagents_provider_gate_closed",
        "1 while a provider that does not answer is left alone, but for trials.",
        labels=["provider"],
    )
    proposals = GaugeMetricFamily(
        "runagents_model_list_proposals",
        "Changes of what a provider lists that wait for a person's decision.",
        labels=["provider"],
    )
    waiting = {k: n for told in workers for k, n in told.get("proposals", {}).items()}
    closed = {name for told in workers for name in told.get("closed_gates", ())}
    for provider, found in sorted(vitals.statuses().items()):
        for value in ModelProvider.Status.values:
            status.add_metric([provider, value], float(value == found))
        gate.add_metric([provider], float(provider in closed))
        proposals.add_metric([provider], waiting.get(provider, 0))
    yield from (status, gate, proposals)


def _host(workers: list[dict[str, Any]], troubles: set[str]) -> Iterator[Metric]:
    leading = [told for told in workers if told.get("is_leader")]
    yield _gauge(
        "runagents_calls_open",
        "Calls that are open now.",
        _total(workers, "calls_open"),
    )
    yield _gauge(
        "runagents_calls_open_limit",
        "As many calls may be open.",
        call_settings.CALLS_PER_WORKER * len(workers),
    )
    yield _gauge(
        "runagents_request_bytes_held",
        "Bytes of requests that are held now.",
        _total(workers, "bytes_held"),
    )
    yield _gauge(
        "runagents_registry_age_seconds",
        "How long ago the registry was read last, in the worker where that is longest.",
        max((told["registry_age_seconds"] for told in workers), default=0),
    )
    yield _gauge(
        "runagents_usage_lag_seconds",
        "How long ago usage was carried to the database last.",
        max((told["stored_ago_seconds"] for told in leading), default=0),
    )
    yield _gauge(
        "runagents_usage_spool_bytes",
        "Size of the spool: usage that is not, or was just now, carried over.",
        vitals.spool_bytes(),
    )
    yield _counter(
        "runagents_usage_lines_dropped",
        "Lines of usage that the living workers could not write.",
        _total(workers, "usage_lines_dropped"),
    )
    yield _gauge(
        "runagents_leader",
        "1 where a worker of this host stores usage and checks providers.",
        len(leading),
    )
    yield _gauge("runagents_workers", "Workers that answer.", len(workers))
    yield _gauge(
        "runagents_draining",
        "1 while the host ends its calls to stop.",
        float(any(told.get("is_draining") for told in workers)),
    )
    lacking = GaugeMetricFamily(
        "runagents_trouble", "1 while the host lacks something.", labels=["kind"]
    )
    for kind in (USAGE, LIMITS, REGISTRY):
        lacking.add_metric([kind], float(kind in troubles))
    yield lacking


def _processes(workers: list[dict[str, Any]]) -> Iterator[Metric]:
    yield _counter(
        "runagents_cpu_seconds",
        "Processor time of the living workers.",
        _total(workers, "cpu_seconds"),
    )
    yield _gauge(
        "runagents_resident_memory_bytes",
        "Memory of the workers; what they share counts in each.",
        _total(workers, "resident_bytes"),
    )
    yield _gauge(
        "runagents_open_descriptors",
        "Files and sockets that the workers have open.",
        _total(workers, "descriptors"),
    )


def _total(workers: list[dict[str, Any]], name: str) -> float:
    return float(sum(told[name] for told in workers))


def _gauge(name: str, help: str, value: float) -> Metric:
    return GaugeMetricFamily(name, help, value=value)


def _counter(name: str, help: str, value: float) -> Metric:
    return CounterMetricFamily(name, help, value=value)
