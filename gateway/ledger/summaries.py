"""Hourly and daily sums of the ledger, so that a month of calls is a quick page.

Computed from the ledger's rows, never from what is about to be stored: storing a call
twice, or two hosts at work on one hour, cannot count it twice.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import (
    Case,
    Count,
    IntegerField,
    Max,
    Min,
    Q,
    QuerySet,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Concat

from gateway.ledger.sums import (
    BOUNDS,
    NAMES,
    OTHER_KEYS,
    Histogram,
    Sums,
    grouped,
    with_few_keys,
)
from gateway.models import UsageRecord, UsageSummary
from gateway.wire import jsontext

HOUR = timedelta(hours=1)
QUARTER = timedelta(hours=6)
DAY = timedelta(days=1)
BEHIND = timedelta(hours=26)
"""How far back a new leader looks for hours that its predecessor left open."""

REACHED = ~Q(outcome=UsageRecord.Outcome.REFUSED)
"""Calls that went to a provider: what usage and its error rates are of."""

Span = UsageSummary.Span
Level = UsageSummary.Level

# What each level tells apart, that of the fewest rows first.
LEVELS: dict[str, frozenset[str]] = {
    Level.ALL: frozenset(),
    Level.DOORS: frozenset({"door"}),
    Level.MODELS: frozenset({"provider", "model"}),
    Level.CALLERS: frozenset({"caller_kind", "caller", "key_hint"}),
    Level.EACH: frozenset(NAMES),
}


def of_rows(
    rows: QuerySet[UsageRecord],
    starts: Sequence[datetime],
    names: Sequence[str] = NAMES,
) -> list[Sums]:
    """Return the sums of ledger rows, in three queries, or one where there are none.

    Each is counted from the last of `starts` before it. Of `NAMES` only those given
    are told apart, the others are empty: the fewer, the quicker.
    """
    groups = {**columns(names), "place": _place(starts)}
    rows = rows.filter(REACHED).order_by().annotate(**groups)
    keys = list(groups)
    found = rows.values(*keys).annotate(
        requests=Count("pk"),
        failures=Count("pk", filter=Q(failed=True)),
        tokens_in=Sum("input_tokens"),
        tokens_out=Sum("output_tokens"),
        dollars=Sum("cost"),
        priced=Count("cost"),
    )
    if not found:
        return []
    durations = _histograms(rows.filter(failed=False), "duration_ms", keys)
    first_bytes = _histograms(
        rows.filter(failed=False, stream=True), "first_byte_ms", keys
    )
    sums = []
    for row in found:
        key = tuple(row[name] for name in keys)
        fields = {name: row.get(f"by_{name}", "") for name in NAMES}
        sums.append(
            Sums(
                starts_at=starts[row["place"]],
                requests=row["requests"],
                failed=row["failures"],
                input_tokens=row["tokens_in"] or 0,
                output_tokens=row["tokens_out"] or 0,
                cost=row["dollars"],
                priced=row["priced"],
                durations=durations.get(key, {}),
                first_bytes=first_bytes.get(key, {}),
                **fields,
            )
        )
    return sums


def columns(names: Iterable[str]) -> dict[str, Concat]:
    """Return columns to group rows of a time by, each under the name ``by_NAME``.

    Grouped by a bare column, SQLite would go through the rows of all times by that
    column's index, rather than through those of this time.
    """
    return {f"by_{name}": Concat(name, Value("")) for name in names}


def _place(starts: Sequence[datetime]) -> Case | Value:
    """Return the expression that says from which of `starts` a row is counted.

    Compared with them, since SQLite has no function of its own to cut a time short and
    Django's is slow.
    """
    *earlier, last = range(len(starts))
    if not earlier:
        return Value(last)
    cases = [When(started_at__lt=starts[n + 1], then=Value(n)) for n in earlier]
    return Case(*cases, default=Value(last), output_field=IntegerField())


def _histograms(
    rows: QuerySet[UsageRecord], column: str, keys: list[str]
) -> dict[tuple[Any, ...], Histogram]:
    """Return the counts per bucket of `column`, by `keys`."""
    cases = [
        When(**{f"{column}__lte": bound}, then=number)
        for number, bound in enumerate(BOUNDS)
    ]
    bucket = Case(*cases, default=len(BOUNDS), output_field=IntegerField())
    found: dict[tuple[Any, ...], Histogram] = {}
    for row in (
        rows.filter(**{f"{column}__isnull": False})
        .annotate(bucket=bucket)
        .values(*keys, "bucket")
        .annotate(calls=Count("pk"))
    ):
        key = tuple(row[name] for name in keys)
        found.setdefault(key, {})[row["bucket"]] = row["calls"]
    return found


def rows_of(span: str, columns: Collection[str]) -> QuerySet[UsageSummary]:
    """Return the fewest summaries of `span` that tell `columns` (of NAMES) apart."""
    level = next(level for level, names in LEVELS.items() if names.issuperset(columns))
    return UsageSummary.objects.filter(span=span, level=level)


def stored(rows: QuerySet[UsageSummary]) -> list[Sums]:
    """Return stored summaries as sums, in one query."""
    return [
        Sums._make([*row[:-2], _histogram(row[-2]), _histogram(row[-1])])
        for row in rows.order_by().values_list(*Sums._fields)
    ]


def _histogram(text: str) -> Histogram:
    return {int(bucket): count for bucket, count in jsontext.decode(text).items()}


def refresh(hours: Iterable[datetime]) -> None:
    """Compute the summaries of `hours` anew, and of the longer spans they belong to.

    Raises django.db.Error.
    """
    hours = sorted(hours)
    for hour in hours:
        refresh_hour(hour)
    refresh_longer(hours)


def refresh_hour(hour: datetime) -> None:
    """Compute the summaries of one hour anew; raises django.db.Error."""
    store_hour(hour, of_rows(rows_of_hour(hour), [hour]))


def rows_of_hour(hour: datetime) -> QuerySet[UsageRecord]:
    """Return the ledger's rows of an hour."""
    return UsageRecord.objects.filter(started_at__gte=hour, started_at__lt=hour + HOUR)


def store_hour(hour: datetime, sums: list[Sums]) -> None:
    """Store the sums of an hour as its summaries; raises django.db.Error."""
    sums = with_few_keys(sums)
    for level, names in LEVELS.items():
        blank: dict[str, Any] = dict.fromkeys(frozenset(NAMES) - names, "")
        _replace(Span.HOUR, level, merged((s._replace(**blank) for s in sums), hour))


def refresh_longer(hours: Iterable[datetime]) -> None:
    """Compute the longer spans that `hours` belong to anew; raises django.db.Error."""
    hours = list(hours)
    for quarter in sorted({h.replace(hour=h.hour // 6 * 6) for h in hours}):
        _add_up(Span.QUARTER, Span.HOUR, quarter, QUARTER)
    for day in sorted({h.replace(hour=0) for h in hours}):
        _add_up(Span.DAY, Span.QUARTER, day, DAY)


def _add_up(longer: str, shorter: str, start: datetime, length: timedelta) -> None:
    """Compute a longer span of time from the summaries of a shorter one."""
    rows = UsageSummary.objects.filter(
        span=shorter, starts_at__gte=start, starts_at__lt=start + length
    )
    for level in LEVELS:
        parts = with_few_keys(stored(rows.filter(level=level)))
        _replace(longer, level, merged(parts, start))


def merged(parts: Iterable[Sums], starts_at: datetime) -> list[Sums]:
    """Return the sums of `parts` by all their names."""
    whole = grouped(parts, lambda s: tuple(getattr(s, name) for name in NAMES))
    return [each._replace(starts_at=starts_at) for each in whole.values()]


def _replace(span: str, level: str, sums: list[Sums]) -> None:
    rows = [
        UsageSummary(
            **{
                **each._asdict(),
                "durations": jsontext.dumps(
                    {str(k): n for k, n in each.durations.items()}
                ),
                "first_bytes": jsontext.dumps(
                    {str(k): n for k, n in each.first_bytes.items()}
                ),
            },
            span=span,
            level=level,
        )
        for each in sums
    ]
    if not rows:
        return
    key = ["span", "level", "starts_at", *NAMES]
    columns = [f.name for f in UsageSummary._meta.concrete_fields]
    with transaction.atomic():
        if any(each.key_hint == OTHER_KEYS for each in sums):
            # Which keys are told apart may have changed: none may stand twice.
            UsageSummary.objects.filter(
                span=span, level=level, starts_at=sums[0].starts_at
            ).delete()
        UsageSummary.objects.bulk_create(
            rows,
            batch_size=500,
            update_conflicts=True,
            unique_fields=key,
            update_fields=[c for c in columns if c not in {"id", *key}],
        )


def unfinished() -> set[datetime]:
    """Return the hours that may lack a summary: since the last one, and some before.

    For a process that begins to keep them and does not know what came before.
    """
    known = UsageSummary.objects.aggregate(last=Max("starts_at"))["last"]
    ends = UsageRecord.objects.aggregate(
        first=Min("started_at"), last=Max("started_at")
    )
    if ends["first"] is None:
        return set()
    start = ends["first"] if known is None else max(ends["first"], known - BEHIND)
    hours = set()
    hour = hour_of(start)
    while hour <= ends["last"]:
        hours.add(hour)
        hour += HOUR
    return hours


def hour_of(moment: datetime) -> datetime:
    """Return the beginning of the hour that `moment` is in."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
