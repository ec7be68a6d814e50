"""What the leader does beside filling the ledger: sums, keys' last use, retention."""

import logging
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db.models import Model, QuerySet
from django.utils import timezone
from django.utils.module_loading import import_string

from gateway.ledger import summaries
from gateway.ledger.flusher import Flusher
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


class Upkeep:
    """Follows one flusher; `run` is called after each flush and is mostly idle."""

    def __init__(self, flusher: Flusher) -> None:
        self._flusher = flusher
        self._hours: set[datetime] | None = None
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
        if self._hours is None:
            self._hours = summaries.unfinished()
        touched, self._flusher.touched_hours = self._flusher.touched_hours, set()
        self._hours |= {datetime.fromtimestamp(h * 3600, UTC) for h in touched}
        started = time.monotonic()
        # The latest first, and never for long: the flusher waits meanwhile.
        for hour in sorted(self._hours, reverse=True):
            summaries.refresh_hour(hour)
            self._hours.discard(hour)
            self._longer.add(hour)
            if time.monotonic() > started + PATIENCE_SECONDS:
                break
        if self._is_due("longer", LONGER_SECONDS):
            summaries.refresh_longer(self._longer)
            self._longer.clear()
        # A busy hour is summed up less often, so that this stays a small share.
        self._due["summaries"] += SUMMARY_PAUSES * (time.monotonic() - started)


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
