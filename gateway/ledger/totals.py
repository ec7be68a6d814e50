"""What calls came to up to this moment, found quickly however many there were."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Count, Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from gateway.ledger import summaries
from gateway.ledger.summaries import DAY, HOUR, Span, hour_of
from gateway.ledger.sums import Totals, together
from gateway.models import UsageRecord

# Its index holds the few that failed; the row says which (ledger/rows.py).
FAILED = Q(failed=True)
OF_CALLS = {
    "requests_": Count("pk"),
    "failed_": Count("pk", filter=FAILED),
    "input_": Sum("input_tokens", default=0),
    "output_": Sum("output_tokens", default=0),
    "cost_": Sum("cost"),
}
OF_SUMMARIES = {
    **OF_CALLS,
    "requests_": Sum("requests", default=0),
    "failed_": Sum("failed", default=0),
}


class Refused(NamedTuple):
    """How many calls were refused with a status and a code."""

    status: int
    code: str
    calls: int


Found = dict[tuple[str, ...], Totals]


def last_day(*by: str, **names: str) -> Found:
    """Return the totals of the hour that goes on and the 23 before it; see `since`."""
    return since(hour_of(timezone.now()) - DAY + HOUR, *by, **names)


def since(start: datetime, *by: str, **names: str) -> Found:
    """Return what the calls from `start` on came to; it is the beginning of an hour.

    By the columns `by` (of sums.NAMES), narrowed to those of `names`. Two queries, up
    to four for some days: what ended an hour ago is summed up already, the rest is
    counted.
    """
    return _found(start, None, by, names)


def between(start: datetime, end: datetime, *by: str, **names: str) -> Found:
    """Return what the calls from `start` to `end` came to, as `since` does."""
    return _found(start, end, by, names)


def _found(
    start: datetime, end: datetime | None, by: tuple[str, ...], names: dict[str, str]
) -> Found:
    found: Found = {}
    settled = hour_of(timezone.now()) - HOUR
    calls = UsageRecord.objects.filter(summaries.REACHED, **names)
    if end is not None:
        settled = min(settled, hour_of(end))
        calls = calls.filter(started_at__lt=end)
    for span, first, last in _spans(start, settled):
        rows = summaries.rows_of(span, {*by, *names})
        rows = rows.filter(starts_at__gte=first, starts_at__lt=last)
        _add(found, rows.filter(**names), OF_SUMMARIES, by)
    _add(found, calls.filter(started_at__gte=max(start, settled)), OF_CALLS, by)
    return found


def of_newest(rows: QuerySet[UsageRecord], most: int) -> Totals:
    """Return what the newest of `rows` came to, `most` of them, in one query.

    For rows that an index finds, such as those of a session: how many there are has
    no bound.
    """
    newest = rows.filter(summaries.REACHED).order_by("-started_at", "-pk")[:most]
    group = newest.aggregate(**OF_CALLS)
    return Totals(*(group[name] for name in OF_CALLS))


def refused_since(start: datetime, end: datetime, **names: str) -> list[Refused]:
    """Return what was refused from `start` to `end`, the most frequent first.

    Narrowed to the columns `names` of the ledger.
    """
    rows = UsageRecord.objects.filter(
        outcome=UsageRecord.Outcome.REFUSED,
        started_at__gte=start,
        started_at__lt=end,
        **names,
    )
    found = (
        rows.order_by()
        .values("status", "error_code")
        .annotate(number=Sum(Coalesce("calls", Value(1))))
    )
    refused = [Refused(e["status"] or 0, e["error_code"], e["number"]) for e in found]
    return sorted(refused, key=lambda each: (-each.calls, each.code))


def _spans(start: datetime, end: datetime) -> Iterator[tuple[str, datetime, datetime]]:
    """Yield the kinds of summaries that cover a time, each with its part of it."""
    midnight = start.replace(hour=0)
    first = midnight if start == midnight else midnight + DAY
    last = end.replace(hour=0)
    if first >= last:
        first = last = start
    for span, begins, ends in (
        (Span.HOUR, start, first),
        (Span.DAY, first, last),
        (Span.HOUR, last, end),
    ):
        if begins < ends:
            yield span, begins, ends


def _add(
    found: Found, rows: QuerySet[Any], sums: Mapping[str, Any], by: tuple[str, ...]
) -> None:
    """Add the `sums` of `rows` by their columns `by`."""
    if by:
        columns = summaries.columns(by)
        groups = rows.order_by().values(**columns).annotate(**sums)
    else:
        groups = [rows.aggregate(**sums)]
    for group in groups:
        key = tuple(group[f"by_{name}"] for name in by)
        totals = Totals(*(group[name] for name in sums))
        if totals.requests:
            known = found.get(key)
            found[key] = together([known, totals]) if known else totals
