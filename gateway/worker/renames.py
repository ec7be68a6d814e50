"""The calls of a provider that was given another name follow it, in the background.

The ledger's rows take the new name, rather than every page asking for all names that a
provider ever had: pages then read one name by its index, newest first, which no
database does for several. Renames are done over in the order in which they happened, so
that two providers which swapped their names keep each its own calls.
"""

import time
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from gateway.ledger import summaries
from gateway.models import UsageRecord, UsageSummary
from providers.models import ProviderRename

PATIENCE_SECONDS = 0.5
# Workers read the registry every second; long calls end and are stored later still.
LAG = timedelta(seconds=10)
STRAGGLERS = timedelta(hours=1)

Span = UsageSummary.Span


def carry_on() -> None:
    """Carry rows over for a moment (blocking); the next call goes on.

    Raises django.db.Error.
    """
    ends = time.monotonic() + PATIENCE_SECONDS
    pending = list(ProviderRename.objects.filter(is_carried=False))
    for place, rename in enumerate(pending):
        while _carry_an_hour(rename):
            if time.monotonic() > ends:
                return
        age = timezone.now() - rename.at
        if age <= LAG:
            return
        # Calls that take long may yet come, unless the next rename waits for this one.
        if age > STRAGGLERS or place + 1 < len(pending):
            ProviderRename.objects.filter(pk=rename.pk).update(is_carried=True)


def are_over() -> bool:
    """Tell whether rows of the hours that get calls keep their names (blocking).

    Raises django.db.Error.
    """
    lately = timezone.now() - 2 * STRAGGLERS - summaries.HOUR
    renames = ProviderRename.objects.filter(Q(is_carried=False) | Q(at__gte=lately))
    return not renames.exists()


def _carry_an_hour(rename: ProviderRename) -> bool:
    """Move the latest hour that has rows under the old name; tell if there was one."""
    rows = UsageRecord.objects.filter(
        provider=rename.old, started_at__lt=rename.at + LAG
    )
    latest = rows.order_by("-started_at").values_list("started_at", flat=True).first()
    if latest is None:
        return False
    hour = summaries.hour_of(latest)
    with transaction.atomic():
        rows.filter(started_at__gte=hour).update(provider=rename.new)
        for span, start in (
            (Span.HOUR, hour),
            (Span.QUARTER, hour.replace(hour=hour.hour // 6 * 6)),
            (Span.DAY, hour.replace(hour=0)),
        ):
            UsageSummary.objects.filter(
                span=span, starts_at=start, provider=rename.old
            ).delete()
        summaries.refresh([hour])
    return True
