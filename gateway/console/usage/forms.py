"""What usage is narrowed to, and over which days."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from gateway.console import doors
from gateway.console.usage import dimensions, periods
from gateway.console.usage.periods import LONGEST, Period

DAYS = ("since", "until")


def day_field(label: Any) -> forms.DateField:
    """Return a field of one day, by the calendar of UTC."""
    widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    return forms.DateField(required=False, label=label, widget=widget)


class UsageForm(forms.Form):
    """What the figures are narrowed to; an empty field does not narrow."""

    provider = forms.CharField(required=False, max_length=63, label=_("Provider"))
    model = forms.CharField(required=False, max_length=512, label=_("Model"))
    caller = forms.CharField(required=False, max_length=80, label=_("Agent or key"))
    key = forms.CharField(required=False, max_length=24, label=_("Key"))
    door = doors.field()
    since = day_field(_("From day"))
    until = day_field(_("To day"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in dimensions.FILTERS:
            if isinstance(self.fields[name], forms.CharField):
                self.fields[name].widget.attrs["list"] = f"known-{name}"

    def clean(self) -> dict[str, Any]:
        """Check the two days together; the last one may be left out for today."""
        values = super().clean() or self.cleaned_data
        since, until = (values.get(name) for name in DAYS)
        if since and not until and "until" not in self.errors:
            until = values["until"] = max(since, datetime.now(UTC).date())
        if until and not since and "since" not in self.errors:
            self.add_error("since", _("Say from which day."))
        elif since and until and until < since:
            self.add_error("until", _("This day comes before the first."))
        elif since and until and until - since >= LONGEST:
            most = {"days": LONGEST.days}
            self.add_error("until", _("At most %(days)s days at once.") % most)
        return values

    def query(self) -> dict[str, str]:
        """Return the filters in use, as addresses name them."""
        self.is_valid()
        values = {name: self.cleaned_data.get(name) for name in dimensions.FILTERS}
        return {name: value for name, value in values.items() if value}

    def names(self) -> dict[str, str]:
        """Return the columns to narrow, with their values."""
        filters = dimensions.FILTERS
        return {filters[name]: value for name, value in self.query().items()}

    def period(self) -> Period | None:
        """Return the time between the days that were entered; None without them."""
        if not self.is_valid() or not self.cleaned_data["since"]:
            return None
        # Days to come have no calls, and would have bars.
        today = datetime.now(UTC).date() + timedelta(days=1)
        since, until = (min(self.cleaned_data[name], today) for name in DAYS)
        return periods.of_days(since, until)
