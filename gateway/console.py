"""The Requests pages: the ledger as a list that stays fast, and one call in full."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib.auth.decorators import login_required
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from gateway.models import UsageRecord
from gateway.reports import FAILED

PAGE_SIZE = 50
MAX_CHOICES = 200


class FilterForm(forms.Form):
    """What the list may be narrowed to; an empty field does not narrow."""

    provider = forms.CharField(required=False, max_length=63, label=_("Provider"))
    model = forms.CharField(required=False, max_length=512, label=_("Model"))
    caller = forms.CharField(required=False, max_length=80, label=_("Agent or key"))
    outcome = forms.ChoiceField(
        required=False,
        label=_("Outcome"),
        choices=[
            ("", _("Any")),
            ("failed", _("Failed")),
            *UsageRecord.Outcome.choices,
        ],
    )

    def narrow(self, rows: QuerySet[UsageRecord]) -> QuerySet[UsageRecord]:
        """Return the rows that pass; a field with a mistake in it does not count."""
        self.is_valid()
        for name in ("provider", "model", "caller"):
            if value := self.cleaned_data.get(name):
                rows = rows.filter(**{name: value})
        match self.cleaned_data.get("outcome", ""):
            case "":
                return rows
            case "failed":
                return rows.filter(FAILED)
            case outcome:
                return rows.filter(outcome=outcome)

    def query(self) -> dict[str, str]:
        """Return the filters in use, for links to further pages."""
        return {name: value for name, value in self.cleaned_data.items() if value}


@login_required
@require_safe
def request_list(request: HttpRequest) -> HttpResponse:
    """Show calls, newest first; `before` and `after` page by position, not by count.

    With `live` the newest page refreshes itself.
    """
    form = FilterForm(request.GET)
    rows = form.narrow(UsageRecord.objects.all())
    page = _page(rows, request.GET.get("before", ""), request.GET.get("after", ""))
    query = form.query()
    for way in ("older", "newer"):
        cursor = page.pop(f"{way}_cursor")
        key = "before" if way == "older" else "after"
        page[way] = cursor and f"?{urlencode({**query, key: cursor})}"
    context = {
        "form": form,
        "is_filtered": bool(query),
        "is_newest": not page["newer"],
        "is_live": "live" in request.GET and not page["newer"],
        "query": urlencode(query),
        **page,
    }
    return render(request, "gateway/request_list.html", context)


@login_required
@require_safe
def request_detail(request: HttpRequest, call_id: str) -> HttpResponse:
    """Show one call: when, who, what, and how it ended."""
    record = get_object_or_404(UsageRecord, call_id=call_id)
    return render(request, "gateway/request_detail.html", {"record": record})


def _page(rows: QuerySet[UsageRecord], before: str, after: str) -> dict[str, Any]:
    """Return one page of `rows` and the cursors of its neighbours."""
    if after and (position := _position(after)):
        moment, pk = position
        newer = Q(started_at__gt=moment) | Q(started_at=moment, pk__gt=pk)
        found = list(
            rows.filter(started_at__gte=moment)
            .filter(newer)
            .order_by("started_at", "pk")[: PAGE_SIZE + 1]
        )
        more_newer, more_older = len(found) > PAGE_SIZE, True
        found = found[:PAGE_SIZE][::-1]
    else:
        position = _position(before) if before else None
        if position:
            moment, pk = position
            # The range alone would do for the index; the pair settles equal times.
            older = Q(started_at__lt=moment) | Q(started_at=moment, pk__lt=pk)
            rows = rows.filter(started_at__lte=moment).filter(older)
        found = list(rows.order_by("-started_at", "-pk")[: PAGE_SIZE + 1])
        more_newer, more_older = position is not None, len(found) > PAGE_SIZE
        found = found[:PAGE_SIZE]
    return {
        "records": found,
        "newer_cursor": _cursor(found[0]) if found and more_newer else "",
        "older_cursor": _cursor(found[-1]) if found and more_older else "",
    }


def _cursor(record: UsageRecord) -> str:
    text = f"{record.started_at.isoformat()} {record.pk}"
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _position(cursor: str) -> tuple[datetime, int] | None:
    """Return what `_cursor` was made of; None for text that is no cursor."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        moment, _, pk = urlsafe_b64decode(padded).decode().partition(" ")
        position = datetime.fromisoformat(moment), int(pk)
    except ValueError:
        return None
    return position if position[0].tzinfo else None
