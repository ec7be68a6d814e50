"""What the Usage page shows: sums and percentiles of a time, to be drawn."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import QuerySet, Sum

from gateway.console import charts
from gateway.console.charts import SERIES, Chart
from gateway.console.usage.dimensions import Dimension, Told
from gateway.console.usage.periods import Period
from gateway.ledger import summaries
from gateway.ledger.sums import NAMES, Sums, grouped, percentile, together, without
from gateway.models import UsageRecord

LINES = 50
"""Models, or whatever is told apart, with a line of their own; the rest share one."""
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


class Parts(NamedTuple):
    """The sums of a time: of what is told apart, and of the rest together, by bar."""

    told: list[Sums]
    rest: list[Sums]


class Line(NamedTuple):
    """A line in the table and the legend; `filters` is empty for the rest's."""

    told: Told
    filters: dict[str, str]
    series: int
    sums: Sums
    p50: int | None
    p95: int | None
    first_token: int | None


class Report(NamedTuple):
    """Everything the page shows of one time."""

    total: Sums | None
    p50: int | None
    p95: int | None
    first_token: int | None
    lines: list[Line]
    charts: list[Chart]
    bars: list[tuple[datetime, Sums]]


def parts(period: Period, dimension: Dimension, names: dict[str, str]) -> Parts:
    """Return the sums of a time, narrowed to `names` of columns, in three queries.

    The last hour is read from the ledger, longer times from the summaries, of which
    only the busiest are told apart.
    """
    if not period.span:
        calls = _calls(period, names)
        return Parts(summaries.of_rows(calls, period.starts, dimension.columns), [])
    found = _stored(period, {*dimension.columns, *names}, names)
    ranked = found.order_by().values(*dimension.columns).annotate(calls=Sum("requests"))
    ranked = ranked.order_by("-calls", *dimension.columns)
    busiest = set(ranked.values_list(*dimension.columns)[:LINES])
    among = {
        f"{column}__in": {key[place] for key in busiest}
        for place, column in enumerate(dimension.columns)
    }
    told = summaries.stored(found.filter(**among))
    told = [each for each in told if dimension.key(each) in busiest]
    everything = summaries.stored(_stored(period, names, names))
    return Parts(told, _untold(everything, told))


def _stored(
    period: Period, columns: Iterable[str], names: dict[str, str]
) -> QuerySet[Any]:
    rows = summaries.rows_of(period.span, set(columns)).filter(**names)
    return rows.filter(starts_at__gte=period.starts[0], starts_at__lt=period.end)


def _untold(everything: list[Sums], told: list[Sums]) -> list[Sums]:
    """Return what is in `everything` beside what is `told`, by time."""
    whole = grouped(everything, lambda each: each.starts_at)
    known = grouped(told, lambda each: each.starts_at)
    rest = [
        without(each, known[start]) if start in known else each
        for start, each in whole.items()
    ]
    return [each for each in rest if each.requests > 0]


def _calls(period: Period, names: dict[str, str]) -> QuerySet[UsageRecord]:
    return UsageRecord.objects.filter(started_at__gte=period.starts[0], **names)


def lines(period: Period, names: dict[str, str]) -> Iterator[list[tuple[Any, ...]]]:
    """Yield the sums of a time by all names there are, as tuples of `COLUMNS`.

    Bar by bar, so that a file of very many lines begins at once.
    """
    if not period.span:
        sums = summaries.of_rows(_calls(period, names), period.starts)
        sums.sort(key=lambda each: each[: 1 + len(NAMES)])
        yield [tuple(getattr(each, column) for column in COLUMNS) for each in sums]
        return
    rows = summaries.rows_of(period.span, NAMES).filter(**names)
    for start in period.starts:
        bar = rows.filter(starts_at__gte=start, starts_at__lt=start + period.bar)
        yield list(bar.order_by("starts_at", *NAMES).values_list(*COLUMNS))


def report(period: Period, dimension: Dimension, found: Parts) -> Report:
    """Return what the page shows of sums that `parts` gave for the same."""
    by_key = grouped(found.told, dimension.key)
    ranked = sorted(by_key.items(), key=lambda item: (-item[1].requests, item[0]))
    series = {key: min(place, SERIES) for place, (key, _sums) in enumerate(ranked)}
    own = [_line(dimension, series[key], sums) for key, sums in ranked[:LINES]]
    rest = _together([*(sums for _key, sums in ranked[LINES:]), *found.rest])
    if rest:
        own.append(Line(Told(dimension.rest), {}, SERIES, rest, *_percentiles(rest)))
    total = _together(each.sums for each in own)
    cells = _cells(
        period,
        [
            *((series[dimension.key(each)], each) for each in found.told),
            *((SERIES, each) for each in found.rest),
        ],
    )
    bars: dict[int, list[Sums]] = {}
    for (bar, _series), sums in cells.items():
        bars.setdefault(bar, []).append(sums)
    return Report(
        total,
        *_percentiles(total),
        lines=own,
        charts=charts.drawn(cells, period.starts, period.bar, _names(dimension, own)),
        bars=[
            (period.starts[n], together(bars[n], spread=False))
            for n in sorted(bars, reverse=True)
        ],
    )


def _line(dimension: Dimension, series: int, sums: Sums) -> Line:
    told, filters = dimension.told(sums), dimension.narrowed(sums)
    return Line(told, filters, series, sums, *_percentiles(sums))


def _names(dimension: Dimension, own: list[Line]) -> list[str]:
    """Return what the colours of the charts stand for."""
    return [str(line.told.name) for line in own[:SERIES]] + [str(dimension.rest)]


def _cells(
    period: Period, numbered: Iterable[tuple[int, Sums]]
) -> dict[tuple[int, int], Sums]:
    """Return sums, each given with its series, by bar and series."""
    piles: dict[tuple[int, int], list[Sums]] = {}
    for series, each in numbered:
        place = period.place(each.starts_at)
        if 0 <= place < len(period.starts):
            piles.setdefault((place, series), []).append(each)
    return {cell: together(pile, spread=False) for cell, pile in piles.items()}


def _percentiles(sums: Sums | None) -> tuple[int | None, int | None, int | None]:
    if sums is None:
        return None, None, None
    return (
        percentile(sums.durations, 0.5),
        percentile(sums.durations, 0.95),
        percentile(sums.first_bytes, 0.5),
    )


def _together(sums: Iterable[Sums]) -> Sums | None:
    found = list(sums)
    return together(found) if found else None
