"""The Usage page and its table as a file."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from gateway.console import csv_files
from gateway.console.usage import dimensions, periods, report
from gateway.console.usage.dimensions import DIMENSIONS, FILTERS, Dimension
from gateway.console.usage.forms import UsageForm
from gateway.console.usage.periods import RANGES, Period
from gateway.ledger import summaries, totals
from gateway.models import UsageSummary
from providers import snippets
from providers.database import in_thread
from providers.models.announced import exported

MAX_NAMES = 300
LEGEND = 6


class Chosen(NamedTuple):
    """What an address asks for."""

    form: UsageForm
    period: Period
    dimension: Dimension

    def address(self, **changed: str) -> str:
        """Return this page's query with `changed` in it."""
        by = {"by": self.dimension.name}
        return urlencode({**by, **self.period.query, **self.form.query(), **changed})

    def requests(self, **changed: str) -> str:
        """Return the query that shows the same calls one by one."""
        time = dict(self.period.query)
        if name := time.pop("range", ""):
            time["span"] = name
        return urlencode({**time, **self.form.query(), **changed})


@login_required
@require_safe
def usage(request: HttpRequest) -> HttpResponse:
    """Show what calls came to in a time: cards, charts and tables."""
    chosen = _chosen(request)
    names, period = chosen.form.names(), chosen.period
    found = report.parts(period, chosen.dimension, names)
    figures = report.report(period, chosen.dimension, found)
    context = {
        "form": chosen.form,
        "report": figures,
        "lines": [(line, *_links(chosen, line)) for line in figures.lines],
        "legend": figures.lines[:LEGEND],
        "has_rest": len(figures.lines) > LEGEND,
        "dimension": chosen.dimension,
        "period": period,
        "last": period.end - timedelta(seconds=1),
        "has_own_days": not period.name,
        "ranges": _ranges(chosen),
        "tabs": _tabs(chosen),
        "refused": totals.refused_since(period.starts[0], period.end, **names),
        "requests_query": chosen.requests(),
        "csv_query": chosen.address(),
        "cleared": urlencode({"by": chosen.dimension.name, "range": periods.DEFAULT}),
        "is_filtered": bool(names),
        "known": _known_names(),
        "shows_days": period.bar >= periods.DAY,
        "examples": snippets.examples(snippets.base_url(request), "gpt-4o-mini"),
    }
    return render(request, "gateway/usage.html", context)


@login_required
@require_safe
def usage_csv(request: HttpRequest) -> StreamingHttpResponse:
    """Return the sums of the time as CSV, one line per time and names."""
    chosen = _chosen(request)
    exported.send(sender=usage_csv, what="usage")
    name = chosen.period.name or "-".join(chosen.period.query.values())
    return StreamingHttpResponse(
        _file(chosen.period, chosen.form.names()),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="usage-{name}.csv"'},
    )


def _chosen(request: HttpRequest) -> Chosen:
    form = UsageForm(request.GET)
    name = request.GET.get("range", "")
    period = form.period() or periods.of_range(
        name if name in RANGES else periods.DEFAULT
    )
    by = DIMENSIONS.get(request.GET.get("by", ""), DIMENSIONS[dimensions.DEFAULT])
    return Chosen(form, period, by)


def _ranges(chosen: Chosen) -> list[dict[str, Any]]:
    query = {"by": chosen.dimension.name, **chosen.form.query()}
    return [
        {
            "label": each.label,
            "is_current": name == chosen.period.name,
            "query": urlencode({**query, "range": name}),
        }
        for name, each in RANGES.items()
    ]


def _tabs(chosen: Chosen) -> list[dict[str, Any]]:
    return [
        {
            "label": each.title,
            "is_current": each is chosen.dimension,
            "query": chosen.address(by=each.name),
        }
        for each in DIMENSIONS.values()
    ]


def _links(chosen: Chosen, line: report.Line) -> tuple[str, str]:
    """Return the queries of the pages of one line: its usage, and its requests.

    What is told apart by model is looked at by agent next, and the other way round.
    """
    if not all(line.filters.values()):
        return "", ""
    by = "caller" if chosen.dimension.name == "model" else "model"
    return chosen.address(by=by, **line.filters), chosen.requests(**line.filters)


def _known_names() -> dict[str, list[str]]:
    """Return names to suggest, those of the last week, in one query."""
    week = timezone.now() - timedelta(days=8)
    rows = summaries.rows_of(UsageSummary.Span.DAY, set(FILTERS.values()))
    rows = rows.filter(starts_at__gte=week)
    found = rows.order_by().values_list(*FILTERS.values()).distinct()
    columns = list(zip(*found[: MAX_NAMES * 3], strict=True)) or [()] * len(FILTERS)
    return {
        name: sorted({value for value in column if value})[:MAX_NAMES]
        for name, column in zip(FILTERS, columns, strict=True)
    }


async def _file(period: Period, names: dict[str, str]) -> AsyncIterator[str]:
    """Yield the file piece by piece; none is made before the one before it is sent."""
    yield csv_files.lines([[*report.COLUMNS[:-1], "estimated_cost_usd"]])
    bars = report.lines(period, names)

    def piece() -> str | None:
        lines = next(bars, None)
        return None if lines is None else csv_files.lines(map(_line, lines))

    while (text := await in_thread(piece)) is not None:
        yield text


def _line(values: tuple[Any, ...]) -> list[Any]:
    starts_at, *middle, cost = values
    return [
        starts_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        *map(csv_files.inert, middle),
        "" if cost is None else f"{cost:f}",
    ]
