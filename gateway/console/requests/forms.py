"""What the list of requests may be narrowed to."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from gateway.console import doors
from gateway.console.usage.forms import day_field
from gateway.ledger.totals import FAILED
from gateway.models import USUAL_DOOR, UsageRecord

SPANS: dict[str, tuple[Any, timedelta]] = {
    "15m": (_("Last 15 minutes"), timedelta(minutes=15)),
    "1h": (_("Last hour"), timedelta(hours=1)),
    "24h": (_("Last 24 hours"), timedelta(hours=24)),
    "7d": (_("Last 7 days"), timedelta(days=7)),
    "30d": (_("Last 30 days"), timedelta(days=30)),
}
# Every status from 400 on is a failure; saying so lets the failures' index serve.
STATUSES: dict[str, tuple[Any, Q]] = {
    "2xx": (_("2xx success"), Q(status__gte=200, status__lt=300)),
    "4xx": (_("4xx request"), FAILED & Q(status__gte=400, status__lt=500)),
    "429": (_("429 too many"), FAILED & Q(status=429)),
    "5xx": (_("5xx provider"), FAILED & Q(status__gte=500)),
}


def _choices(table: dict[str, tuple[Any, Any]]) -> list[tuple[str, Any]]:
    return [("", _("Any")), *((name, label) for name, (label, _value) in table.items())]


class FilterForm(forms.Form):
    """What the list may be narrowed to; an empty field does not narrow."""

    text = forms.CharField(
        required=False,
        max_length=200,
        label=_("Id or error"),
    )
    provider = forms.CharField(required=False, max_length=63, label=_("Provider"))
    model = forms.CharField(required=False, max_length=512, label=_("Model"))
    caller = forms.CharField(required=False, max_length=80, label=_("Agent or key"))
    user = forms.CharField(required=False, max_length=128, label=_("End user"))
    run = forms.CharField(required=False, max_length=128, label=_("Run"))
    session = forms.CharField(required=False, max_length=128, label=_("Session"))
    subagent = forms.CharField(required=False, max_length=128, label=_("Subagent"))
    purpose = forms.CharField(required=False, max_length=64, label=_("Purpose"))
    door = doors.field()
    key = forms.CharField(required=False, max_length=24, label=_("Key"))
    since = day_field(_("From day"))
    until = day_field(_("To day"))
    outcome = forms.ChoiceField(
        required=False,
        label=_("Outcome"),
        choices=[
            ("", _("Any")),
            ("failed", _("Failed")),
            *UsageRecord.Outcome.choices,
        ],
    )
    status = forms.ChoiceField(
        required=False, label=_("Status"), choices=_choices(STATUSES)
    )
    span = forms.ChoiceField(required=False, label=_("Time"), choices=_choices(SPANS))

    def narrow(self, rows: QuerySet[UsageRecord]) -> QuerySet[UsageRecord]:
        """Return the rows that pass; a field with a mistake in it does not count."""
        self.is_valid()
        for name, value in self.query().items():
            rows = rows.filter(_CONDITIONS[name](value))
        return rows

    def query(self) -> dict[str, str]:
        """Return the filters in use, for links to further pages."""
        return {name: str(each) for name, each in self.cleaned_data.items() if each}


def _ended(outcome: str) -> Q:
    """Return the condition for an outcome; calls that were well are in no index."""
    if outcome == "failed":
        return FAILED
    well = Q(outcome=UsageRecord.Outcome.OK)
    return well if outcome == UsageRecord.Outcome.OK else Q(outcome=outcome) & ~well


def _at_door(name: str) -> Q:
    """Return the condition for a door; the usual one's calls are not in its index."""
    usual = Q(door=USUAL_DOOR)
    return usual if name == USUAL_DOOR else Q(door=name) & ~usual


def _holding(text: str) -> Q:
    """Return the condition for calls known by this id, or failed with these words.

    The words are looked for among failed calls only, which an index holds.
    """
    said = Q(error_code=text) | Q(error_message__icontains=text)
    return Q(call_id=text) | Q(request_id=text) | FAILED & said


def _midnight(day: str) -> datetime:
    """Return when a day of UTC begins; the last one of the calendar is cut short."""
    begins = datetime.fromisoformat(day).replace(tzinfo=UTC)
    return min(begins, datetime.max.replace(tzinfo=UTC) - timedelta(days=2))


_CONDITIONS: dict[str, Callable[[str], Q]] = {
    "text": _holding,
    # The empty ones, which are most, are not in the indexes.
    "user": lambda name: Q(end_user_id=name) & ~Q(end_user_id=""),
    "run": lambda name: Q(run_id=name) & ~Q(run_id=""),
    "session": lambda name: Q(session_id=name) & ~Q(session_id=""),
    "subagent": lambda name: Q(agent_id=name) & ~Q(agent_id=""),
    "purpose": lambda name: Q(request_class=name) & ~Q(request_class=""),
    "door": _at_door,
    "provider": lambda name: Q(provider=name),
    "model": lambda name: Q(model=name),
    "caller": lambda name: Q(caller=name),
    "key": lambda name: Q(key_hint=name),
    "since": lambda day: Q(started_at__gte=_midnight(day)),
    "until": lambda day: Q(started_at__lt=_midnight(day) + timedelta(days=1)),
    "outcome": _ended,
    "status": lambda name: STATUSES[name][1],
    "span": lambda name: Q(started_at__gte=timezone.now() - SPANS[name][1]),
}
