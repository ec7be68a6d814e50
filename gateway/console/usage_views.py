"""The Usage page and its table as a file."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from gateway.console import charts, csv_files, usage_report
from gateway.ledger import summaries, totals
from gateway.models import UsageSummary
from providers import snippets
from providers.database import in_thread
from providers.models.announced import exported

DEFAULT = "24h"
MAX_NAMES = 300


class UsageForm(forms.Form):
    """What the figures are narrowed to; an empty field does not narrow."""

    provider = forms.CharField(required=False, max_length=63, label=_("Provider"))
    model = forms.CharField(required=False, max_length=512, label=_("Model"))
    caller = forms.CharField(required=False, max_length=80, label=_("Agent or key"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("provider", "model", "caller"):
            self.fields[name].widget.attrs["list"] = f"known-{name}"

    def names(self) -> dict[str, str]:
        """Return the columns to narrow, with their values."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}


@login_required
@require_safe
def usage(request: HttpRequest) -> HttpResponse:
    """Show what calls came to in a range of time: cards, charts and tables."""
    chosen, form, names = _chosen(request)
    report = usage_report.report(chosen, usage_report.parts(chosen, names))
    query = urlencode(names)
    context = {
        "form": form,
        "report": report,
        "ranges": [
            {
                "name": name,
                "label": each.label,
                "is_current": name == chosen,
                "url": f"?{urlencode({'range': name, **names})}",
            }
            for name, each in usage_report.RANGES.items()
        ],
        "range": chosen,
        "refused": totals.refused_since(report.starts[0], **names),
        "query": query,
        "csv_query": urlencode({"range": chosen, **names}),
        "is_filtered": bool(names),
        "known": _known_names(),
        "width": charts.WIDTH,
        "height": charts.HEIGHT,
        "middle": report.starts[len(report.starts) // 2],
        "shows_days": chosen == "30d",
        "examples": snippets.examples(snippets.base_url(request), "gpt-4o-mini"),
    }
    return render(request, "gateway/usage.html", context)


@login_required
@require_safe
def usage_csv(request: HttpRequest) -> StreamingHttpResponse:
    """Return the sums of the range as CSV, one line per time and names."""
    chosen, _form, names = _chosen(request)
    exported.send(sender=usage_csv, what="usage")
    return StreamingHttpResponse(
        _file(chosen, names),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="usage-{chosen}.csv"'},
    )


def _chosen(request: HttpRequest) -> tuple[str, UsageForm, dict[str, str]]:
    chosen = request.GET.get("range", DEFAULT)
    if chosen not in usage_report.RANGES:
        chosen = DEFAULT
    form = UsageForm(request.GET)
    return chosen, form, form.names()


def _known_names() -> dict[str, list[str]]:
    """Return names to suggest, those of the last week, in one query."""
    week = timezone.now() - timedelta(days=8)
    rows = summaries.rows_of(UsageSummary.Span.DAY, {"caller"})
    rows = rows.filter(starts_at__gte=week)
    found = rows.order_by().values_list("provider", "model", "caller").distinct()
    columns = list(zip(*found[: MAX_NAMES * 3], strict=True)) or [(), (), ()]
    return {
        name: sorted(set(column))[:MAX_NAMES]
        for name, column in zip(("provider", "model", "caller"), columns, strict=True)
    }


async def _file(chosen: str, names: dict[str, str]) -> AsyncIterator[str]:
    """Yield the file piece by piece; none is made before the one before it is sent."""
    yield csv_files.lines([[*usage_report.COLUMNS[:-1], "estimated_cost_usd"]])
    bars = usage_report.lines(chosen, names)

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
