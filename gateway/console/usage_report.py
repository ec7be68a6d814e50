"""What the Usage page shows: sums and percentiles of a range of time, to be drawn."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from gateway.console import charts
from gateway.console.charts import SERIES, Chart
from gateway.ledger import summaries
from gateway.ledger.sums import NAMES, Sums, grouped, percentile, without
from gateway.models import UsageRecord, UsageSummary

LINES = 50
"""Models with a line of their own in the table; the rest share one."""
REST = ""
"""The name under which the rest of the models is summed up."""
COLUMNS = (
    "starts_at",
    *NAMES,
    "requests",
    "failed",
    "input_tokens",
    "output_tokens",
    "cost",
)
"""What a line of the file has."""


class Range(NamedTuple):
    """A range of time to look at, and the bars its charts have."""

    label: Any
    length: timedelta
    bar: timedelta
    span: str


RANGES = {
    "1h": Range(_("1 hour"), timedelta(hours=1), timedelta(minutes=2), ""),
    "24h": Range(
        _("24 hours"), timedelta(hours=24), timedelta(hours=1), UsageSummary.Span.HOUR
    ),
    "7d": Range(
        _("7 days"), timedelta(days=7), timedelta(hours=6), UsageSummary.Span.QUARTER
    ),
    "30d": Range(
        _("30 days"), timedelta(days=30), timedelta(days=1), UsageSummary.Span.DAY
    ),
}


class ModelUsage(NamedTuple):
    """A model's line in the table and the legend; one named `REST` for all others."""

    series: int
    sums: Sums
    p50: int | None
    p95: int | None
    first_token: int | None

    @property
    def error_percent(self) -> float:
        """The share that failed, in percent."""
        return self.sums.error_percent


class Report(NamedTuple):
    """Everything the page shows of one range."""

    total: Sums | None
    p50: int | None
    p95: int | None
    first_token: int | None
    models: list[ModelUsage]
    charts: list[Chart]
    bars: list[tuple[datetime, Sums]]
    starts: list[datetime]

    @property
    def error_percent(self) -> float:
        """The share of all requests that failed, in percent."""
        return self.total.error_percent if self.total else 0.0


def parts(name: str, names: dict[str, str], now: datetime | None = None) -> list[Sums]:
    """Return the sums of a range by its name, narrowed to `names` of columns.

    The last hour is read from the ledger, three queries; longer ranges from the
    summaries: one query, or three where nothing narrows them and only the busiest
    models are told apart.
    """
    chosen = RANGES[name]
    begins = starts(name, now)
    if not chosen.span:
        return summaries.of_rows(_calls(begins, names), begins, ["model"])
    found = summaries.rows_of(chosen.span, names or {"model"})
    found = found.filter(starts_at__gte=begins[0], **names)
    if names:
        return summaries.stored(found)
    ranked = found.order_by().values("model").annotate(calls=Sum("requests"))
    ranked = ranked.order_by("-calls", "model")
    busiest = list(ranked.values_list("model", flat=True)[:LINES])
    told = summaries.stored(found.filter(model__in=busiest))
    everything = summaries.rows_of(chosen.span, ()).filter(starts_at__gte=begins[0])
    return [*told, *_untold(summaries.stored(everything), told)]


def _untold(everything: list[Sums], told: list[Sums]) -> list[Sums]:
    """Return what is in `everything` beside what is told by model, as the rest's."""
    known = grouped(told, lambda each: each.starts_at)
    rest = [
        without(each, known[each.starts_at]) if each.starts_at in known else each
        for each in everything
    ]
    return [each._replace(model=REST) for each in rest if each.requests > 0]


def lines(name: str, names: dict[str, str]) -> Iterator[list[tuple[Any, ...]]]:
    """Yield the sums of a range by all names there are, as tuples of `COLUMNS`.

    Bar by bar, so that a file of very many lines begins at once.
    """
    chosen = RANGES[name]
    begins = starts(name)
    if not chosen.span:
        sums = summaries.of_rows(_calls(begins, names), begins)
        sums.sort(key=lambda each: each[:5])
        yield [tuple(getattr(each, column) for column in COLUMNS) for each in sums]
        return
    rows = summaries.rows_of(chosen.span, NAMES).filter(**names)
    for start in begins:
        bar = rows.filter(starts_at=start).order_by(*NAMES)
        yield list(bar.values_list(*COLUMNS))


def _calls(begins: list[datetime], names: dict[str, str]) -> QuerySet[UsageRecord]:
    return UsageRecord.objects.filter(started_at__gte=begins[0], **names)


def starts(name: str, now: datetime | None = None) -> list[datetime]:
    """Return when each bar of a range starts, the one that goes on now last."""
    chosen = RANGES[name]
    moment = (now or timezone.now()).timestamp()
    step = chosen.bar.total_seconds()
    last = moment // step * step
    count = round(chosen.length / chosen.bar)
    return [
        datetime.fromtimestamp(last - step * (count - 1 - n), UTC) for n in range(count)
    ]


def report(name: str, sums: list[Sums], now: datetime | None = None) -> Report:
    """Return what the page shows of `sums`, which `parts` gave for the same range."""
    begins = starts(name, now)
    by_model = grouped(sums, lambda each: each.model)
    total = _together(by_model.values())
    rest = [by_model.pop(REST)] if REST in by_model else []
    ranked = sorted(by_model.values(), key=lambda s: (-s.requests, s.model))
    series = {each.model: min(n, SERIES) for n, each in enumerate(ranked)}
    lines = ranked[:LINES]
    if others := _together([*ranked[LINES:], *rest]):
        lines.append(others._replace(model=REST))
    step = RANGES[name].bar.total_seconds()
    origin = begins[0].timestamp()

    def place(each: Sums) -> int:
        return int((each.starts_at.timestamp() - origin) // step)

    in_bars = [each for each in sums if 0 <= place(each) < len(begins)]
    cells = grouped(
        in_bars,
        lambda each: (place(each), series.get(each.model, SERIES)),
        spread=False,
    )
    bars = grouped(in_bars, place, spread=False)
    return Report(
        total,
        *_percentiles(total),
        models=[
            ModelUsage(series.get(each.model, SERIES), each, *_percentiles(each))
            for each in lines
        ],
        charts=charts.drawn(cells, len(begins)),
        bars=[(begins[n], bars[n]) for n in sorted(bars, reverse=True)],
        starts=begins,
    )


def _percentiles(sums: Sums | None) -> tuple[int | None, int | None, int | None]:
    if sums is None:
        return None, None, None
    return (
        percentile(sums.durations, 0.5),
        percentile(sums.durations, 0.95),
        percentile(sums.first_bytes, 0.5),
    )


def _together(sums: Iterable[Sums]) -> Sums | None:
    return next(iter(grouped(sums, lambda each: "").values()), None)
