"""The times that usage is looked at over, and the bars that its charts have."""

from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from gateway.models import UsageSummary

LONGEST = timedelta(days=366)
DEFAULT = "24h"
DAY = timedelta(days=1)
MOST_BARS = 62

Span = UsageSummary.Span


class Period(NamedTuple):
    """A time: the starts of its bars, their length, and the query that names it.

    `span` is the kind of summaries it is read from; without one, from the ledger.
    """

    name: str
    query: dict[str, str]
    starts: list[datetime]
    bar: timedelta
    span: str

    @property
    def end(self) -> datetime:
        """When the last bar ends."""
        return self.starts[-1] + self.bar

    def place(self, moment: datetime) -> int:
        """Return the number of the bar that `moment` is in."""
        return int((moment - self.starts[0]) // self.bar)


class Range(NamedTuple):
    """A time that ends now: its name for people, its length, its bars."""

    label: Any
    length: timedelta
    bar: timedelta
    span: str


RANGES = {
    "1h": Range(_("1 hour"), timedelta(hours=1), timedelta(minutes=2), ""),
    "24h": Range(_("24 hours"), DAY, timedelta(hours=1), Span.HOUR),
    "7d": Range(_("7 days"), timedelta(days=7), timedelta(hours=6), Span.QUARTER),
    "30d": Range(_("30 days"), timedelta(days=30), DAY, Span.DAY),
}


def of_range(name: str, now: datetime | None = None) -> Period:
    """Return the time of a range by its name; its last bar goes on now."""
    chosen = RANGES[name]
    moment = (now or timezone.now()).timestamp()
    step = chosen.bar.total_seconds()
    last = moment // step * step
    count = round(chosen.length / chosen.bar)
    starts = [
        datetime.fromtimestamp(last - step * (count - 1 - n), UTC) for n in range(count)
    ]
    return Period(name, {"range": name}, starts, chosen.bar, chosen.span)


def of_days(since: date, until: date) -> Period:
    """Return the time from one day of UTC to another, both with it.

    Bars are hours, six hours, days or several: as fine as fit a chart.
    """
    days = (until - since).days + 1
    if days <= 2:
        bar, span = timedelta(hours=1), Span.HOUR
    elif days <= 14:
        bar, span = timedelta(hours=6), Span.QUARTER
    else:
        bar, span = DAY * -(-days // MOST_BARS), Span.DAY
    first = datetime(since.year, since.month, since.day, tzinfo=UTC)
    starts = [first + bar * n for n in range(-(-days * DAY // bar))]
    query = {"since": since.isoformat(), "until": until.isoformat()}
    return Period("", query, starts, bar, span)
