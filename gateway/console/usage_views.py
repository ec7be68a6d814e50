"""The Usage page and its table as a file."""

import csv
from collections.abc import Iterator
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

from gateway.console import usage_report
from gateway.ledger.summaries import EVERYBODY, Sums
from gateway.models import UsageSummary
from providers import signals, snippets

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


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, line: str) -> str:
        return line


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
        "query": query,
        "csv_query": urlencode({"range": chosen, **names}),
        "is_filtered": bool(names),
        "known": _known_names(),
        "width": usage_report.WIDTH,
        "height": usage_report.HEIGHT,
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
    sums = usage_report.parts(chosen, names, by_caller=True)
    sums.sort(key=lambda each: each[:4])
    signals.exported.send(sender=usage_csv, what="usage")
    return StreamingHttpResponse(
        _lines(sums),
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
    rows = UsageSummary.objects.filter(span=UsageSummary.Span.DAY, starts_at__gte=week)
    rows = rows.exclude(caller=EVERYBODY)
    found = rows.order_by().values_list("provider", "model", "caller").distinct()
    columns = list(zip(*found[: MAX_NAMES * 3], strict=True)) or [(), (), ()]
    return {
        name: sorted(set(column))[:MAX_NAMES]
        for name, column in zip(("provider", "model", "caller"), columns, strict=True)
    }


def _lines(sums: list[Sums]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield writer.writerow(
        [
            "starts_at",
            "provider",
            "model",
            "caller",
            "requests",
            "failed",
            "input_tokens",
            "output_tokens",
            "estimated_cost_usd",
        ]
    )
    for each in sums:
        cost = "" if each.cost is None else f"{each.cost:f}"
        names = (_inert(each.provider), _inert(each.model), _inert(each.caller))
        yield writer.writerow(
            [
                each.starts_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
                *names,
                each.requests,
                each.failed,
                each.input_tokens,
                each.output_tokens,
                cost,
            ]
        )


def _inert(text: str) -> str:
    """Return a name that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
