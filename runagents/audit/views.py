"""The audit log's page: to look at, not to edit."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from runagents.audit.subjects import KINDS
from runagents.models import AuditEntry

PAGE_SIZE = 50
MAX_ID_DIGITS = 18
SPANS: dict[str, tuple[Any, timedelta]] = {
    "24h": (_("Last 24 hours"), timedelta(hours=24)),
    "7d": (_("Last 7 days"), timedelta(days=7)),
    "30d": (_("Last 30 days"), timedelta(days=30)),
    "365d": (_("Last year"), timedelta(days=365)),
}
ANY = ("", _("Any"))


class FilterForm(forms.Form):
    """What the log may be narrowed to; an empty field does not narrow."""

    actor = forms.CharField(required=False, max_length=200, label=_("Who"))
    action = forms.ChoiceField(
        required=False,
        label=_("What happened"),
        choices=[ANY, *AuditEntry.Action.choices],
    )
    kind = forms.ChoiceField(
        required=False, label=_("To what"), choices=[ANY, *((k, k) for k in KINDS)]
    )
    label = forms.CharField(required=False, max_length=600, label=_("Name"))
    span = forms.ChoiceField(
        required=False,
        label=_("Time"),
        choices=[ANY, *((name, label) for name, (label, _span) in SPANS.items())],
    )

    def narrow(self, rows: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        """Return the rows that pass; a field with a mistake in it does not count."""
        self.is_valid()
        for name, value in self.query().items():
            if name == "span":
                rows = rows.filter(at__gte=timezone.now() - SPANS[value][1])
            else:
                rows = rows.filter(**{name: value})
        return rows

    def query(self) -> dict[str, str]:
        """Return the filters in use, for links to further pages."""
        return {name: value for name, value in self.cleaned_data.items() if value}


@login_required
@require_safe
def audit_log(request: HttpRequest) -> HttpResponse:
    """Show who changed what, newest first; `before` goes on from a row."""
    form = FilterForm(request.GET)
    rows = form.narrow(AuditEntry.objects.all())
    query = form.query()
    before = request.GET.get("before", "")
    is_newest = not (before.isdecimal() and len(before) <= MAX_ID_DIGITS)
    if not is_newest:
        rows = rows.filter(pk__lt=int(before))
    found = list(rows[: PAGE_SIZE + 1])
    entries = found[:PAGE_SIZE]
    older = ""
    if len(found) > PAGE_SIZE:
        older = f"?{urlencode({**query, 'before': entries[-1].pk})}"
    context = {
        "form": form,
        "is_filtered": bool(query),
        "entries": entries,
        "older": older,
        "newest": "" if is_newest else f"?{urlencode(query)}",
    }
    return render(request, "settings/audit_log.html", context)
