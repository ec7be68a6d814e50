"""Figures of the last hours and days, for the console's pages."""

from datetime import timedelta
from typing import NamedTuple

from django.utils import timezone
from django.utils.translation import gettext as _

from gateway.console import charts
from gateway.console.charts import Chart
from gateway.console.usage import periods, report
from gateway.console.usage.dimensions import DIMENSIONS
from gateway.console.usage.periods import Period
from gateway.ledger import summaries, totals
from gateway.ledger.summaries import HOUR, hour_of
from gateway.ledger.sums import Sums, Totals, together
from gateway.ledger.totals import FAILED
from gateway.models import UsageRecord

DAY = timedelta(hours=24)
TRENDS = ("24h", "7d")
"""The ranges that the Dashboard compares with the time before."""
TROUBLE_PERCENT = 10
TROUBLE_CALLS = 5
"""From how many failures, and which share of all, a provider is in trouble."""


class ModelTotals(NamedTuple):
    """A model and what its calls came to."""

    model: str
    totals: Totals


class ProviderDay(NamedTuple):
    """What a provider's calls came to; `first_token` is a median in milliseconds."""

    totals: Totals
    models: list[ModelTotals]
    first_token: int | None


class Trend(NamedTuple):
    """What all calls of a time came to, those of the time before, and their course.

    `models` are those asked for most; `in_trouble` are the totals of the providers of
    whose calls many failed, the worst first.
    """

    now: Totals
    before: Totals
    chart: Chart | None
    models: list[ModelTotals]
    in_trouble: dict[str, Totals]


def by_provider() -> dict[str, Totals]:
    """Return provider name -> what its calls of the last day came to."""
    return {name: each for (name,), each in totals.last_day("provider").items()}


def trend(name: str, top: int = 5) -> Trend:
    """Return what the calls of a range (of TRENDS) came to, beside those before it.

    Both are as long to the minute: the time before ends when this one's end was.
    """
    length = periods.RANGES[name].length
    now = timezone.now()
    start = hour_of(now) - length + HOUR
    found = totals.since(start, "provider", "model")
    before = totals.between(start - length, now - length)
    return Trend(
        together([Totals(), *found.values()]),
        before.get((), Totals()),
        _course(periods.of_range(name, now)),
        _ranked(_by(found, 1))[:top],
        _in_trouble(_by(found, 0)),
    )


def _by(found: totals.Found, place: int) -> totals.Found:
    """Return totals by one of the columns that they are told apart by."""
    parts: dict[tuple[str, ...], list[Totals]] = {}
    for key, each in found.items():
        parts.setdefault((key[place],), []).append(each)
    return {key: together(each) for key, each in parts.items()}


def _in_trouble(found: totals.Found) -> dict[str, Totals]:
    losing = [
        (name, each)
        for (name,), each in found.items()
        if each.failed >= TROUBLE_CALLS and each.error_percent >= TROUBLE_PERCENT
    ]
    return dict(sorted(losing, key=lambda item: -item[1].error_percent))


def _course(period: Period) -> Chart | None:
    """Return a chart of the calls of a time, failed ones in a colour of their own."""
    rows = summaries.rows_of(period.span, ())
    rows = rows.filter(starts_at__gte=period.starts[0], starts_at__lt=period.end)
    cells: dict[tuple[int, int], Sums] = {}
    for each in summaries.stored(rows):
        place = period.place(each.starts_at)
        cells[place, 0] = each._replace(requests=each.requests - each.failed)
        cells[place, 1] = each._replace(requests=each.failed)
    names = [_("Answered"), _("Failed")]
    drawn = charts.drawn(cells, period.starts, period.bar, names)
    return next((chart for chart in drawn if chart.key == "requests"), None)


def of_provider(name: str) -> ProviderDay:
    """Return what a provider's calls came to, the busiest models first."""
    models = _ranked(totals.last_day("model", provider=name))
    period, by_model = periods.of_range("24h"), DIMENSIONS["model"]
    parts = report.parts(period, by_model, {"provider": name})
    return ProviderDay(
        together([Totals(), *(each.totals for each in models)]),
        models,
        report.report(period, by_model, parts).first_token,
    )


def _ranked(found: totals.Found) -> list[ModelTotals]:
    models = [ModelTotals(model, each) for (model,), each in found.items()]
    return sorted(models, key=lambda each: (-each.totals.requests, each.model))


def recent_errors(limit: int = 5) -> list[UsageRecord]:
    """Return the newest failed calls."""
    rows = UsageRecord.objects.filter(started_at__gte=timezone.now() - DAY)
    return list(rows.filter(FAILED)[:limit])
