"""What the leader does beside filling the ledger: sums, keys' last use, retention."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db.models import Max, Model, QuerySet
from django.utils import timezone
from django.utils.module_loading import import_string

from gateway.ledger import summaries
from gateway.ledger.flusher import Flusher
from gateway.ledger.sums import Sums, with_few_keys
from gateway.memory import forget
from gateway.models import CallBody, UsageRecord, UsageSummary

SUMMARY_SECONDS = 10.0
LONGER_SECONDS = 60.0
PATIENCE_SECONDS = 1.0
# How many times as long as summing up took, nothing is summed up.
SUMMARY_PAUSES = 50
KEY_SECONDS = 10.0
RETENTION_SECONDS = 3600.0
DELETED_AT_ONCE = 2000

logger = logging.getLogger(__name__)

KeyUse = Mapping[tuple[str, str, str], float]
"""(kind, name, hint) of a caller -> Unix time of its last call."""


_BEFORE = datetime.min.replace(tzinfo=UTC)


class OpenHours:
    """The sums of the hours that still get calls: only rows that are new are counted.

    A busy hour has a million rows, and going through them again and again took a
    fiftieth of a core. A row that another host was about to store may be passed by,
    so an hour that is over is computed anew.
    """

    def __init__(self) -> None:
        self._sums: dict[datetime, list[Sums]] = {}
        self._last = 0

    def refresh(self, hours: Sequence[datetime]) -> set[datetime]:
        """Bring the summaries of `hours` up to date; return those that are over since.

        They are the latest ones, in order. Raises django.db.Error.
        """
        newest = UsageRecord.objects.aggregate(last=Max("pk"))["last"] or 0
        rows = UsageRecord.objects.filter(pk__gt=self._last, pk__lte=newest)
        starts = [_BEFORE, *hours, hours[-1] + summaries.HOUR]
        added = summaries.of_rows(rows, starts) if self._sums else []
        sums = {}
        for hour in hours:
            known = self._sums.get(hour)
            if known is None:
                rows = summaries.rows_of_hour(hour).filter(pk__lte=newest)
                new = summaries.of_rows(rows, [hour])
            else:
                new = [each for each in added if each.starts_at == hour]
            sums[hour] = with_few_keys(summaries.merged([*(known or ()), *new], hour))
            if new:
                summaries.store_hour(hour, sums[hour])
        over = self._sums.keys() - sums.keys()
        self._sums, self._last = sums, newest
        return over

    def forget(self) -> set[datetime]:
        """Count anew from now on; return the hours whose sums were known."""
        known, self._sums = self._sums, {}
        return set(known)


class Upkeep:
    """Follows one flusher; `run` is called after each flush and is mostly idle.

    `rows_stay` tells whether stored rows keep their names at the moment.
    """

    def __init__(
        self, flusher: Flusher, rows_stay: Callable[[], bool] = lambda: True
    ) -> None:
        self._flusher = flusher
        self._rows_stay = rows_stay
        self._open = OpenHours()
        self._hours: set[datetime] = set()
        self._is_new = True
        self._longer: set[datetime] = set()
        self._due = dict.fromkeys(("summaries", "longer", "keys", "retention"), 0.0)

    def run(self) -> None:
        """Do what is due (blocking); raises django.db.Error, and goes on next time."""
        if self._is_due("summaries", SUMMARY_SECONDS):
            self._summarise()
        if self._is_due("keys", KEY_SECONDS) and self._flusher.used_keys:
            tell: Callable[[KeyUse], None] = import_string(settings.GATEWAY_KEYS_USED)
            tell(self._flusher.used_keys)
            self._flusher.used_keys = {}
        if self._is_due("retention", RETENTION_SECONDS):
            delete_old()

    def _is_due(self, name: str, seconds: float) -> bool:
        now = time.monotonic()
        if now < self._due[name]:
            return False
        self._due[name] = now + seconds
        return True

    def _summarise(self) -> None:
        if self._is_new:
            self._hours, self._is_new = summaries.unfinished(), False
        touched, self._flusher.touched_hours = self._flusher.touched_hours, set()
        self._hours |= {datetime.fromtimestamp(h * 3600, UTC) for h in touched}
        started = time.monotonic()
        # The latest first, and never for long: the flusher waits meanwhile.
        while self._hours:
            done = self._refresh_latest(max(self._hours))
            self._hours -= done
            self._longer |= done
            if time.monotonic() > started + PATIENCE_SECONDS:
                break
        if self._is_due("longer", LONGER_SECONDS):
            summaries.refresh_longer(self._longer)
            self._longer.clear()
        # A busy hour is summed up less often, so that this stays a small share.
        self._due["summaries"] += SUMMARY_PAUSES * (time.monotonic() - started)

    def _refresh_latest(self, hour: datetime) -> set[datetime]:
        """Compute the summaries of the latest hour that lacks them, and return it.

        Of the two that still get calls both are done.
        """
        now = summaries.hour_of(timezone.now())
        growing = [now - summaries.HOUR, now]
        if hour in growing and self._rows_stay():
            self._hours |= self._open.refresh(growing)
            return set(growing)
        self._hours |= self._open.forget() if hour in growing else set()
        summaries.refresh_hour(hour)
        return {hour}


def delete_old() -> None:
    """Delete what is older than its retention, little by little."""
    now = timezone.now()
    usage = now - timedelta(days=settings.USAGE_RETENTION_DAYS)
    bodies = now - timedelta(days=settings.BODY_RETENTION_DAYS)
    _delete(UsageRecord.objects.filter(started_at__lt=usage))
    _delete(UsageSummary.objects.filter(starts_at__lt=usage - timedelta(days=1)))
    _delete(CallBody.objects.filter(stored_at__lt=bodies))
    forget(settings.RESPONSES_MEMORY_DAYS, settings.RESPONSES_MEMORY_MB * 1024 * 1024)
    outdated: Callable[[], QuerySet[Model]] = import_string(settings.GATEWAY_OUTDATED)
    _delete(outdated())


def _delete(rows: QuerySet[Model]) -> None:
    """Delete in batches: one long transaction would hold up every writer."""
    model = rows.model
    while ids := list(rows.order_by().values_list("pk", flat=True)[:DELETED_AT_ONCE]):
        # Nothing refers to these rows: one statement, nothing collected.
        model._default_manager.filter(pk__in=ids)._raw_delete(rows.db)
