"""What came of a client's requests since somebody began to wait for them."""

from datetime import UTC, datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from gateway.models import CallerKind, UsageRecord

PATIENCE = timedelta(hours=1)
"""Who waits for longer is told of this time only, so that the answer stays cheap."""


def since(text: str) -> datetime:
    """Return the moment that an address names, in seconds; now for anything else."""
    now = timezone.now()
    try:
        moment = datetime.fromtimestamp(float(text), UTC)
    except (ValueError, OverflowError, OSError):
        return now
    return min(max(moment, now - PATIENCE), now)


def newest(moment: datetime, agent: str = "") -> UsageRecord | None:
    """Return the newest call since `moment`, answered or refused, if there is one.

    With an agent it is one of its calls, or of somebody unknown: a client with a wrong
    key, or with none. The console's own calls do not count.
    """
    calls = UsageRecord.objects.filter(started_at__gte=moment)
    calls = calls.exclude(caller_kind=CallerKind.CONSOLE)
    if agent:
        nobody = Q(caller="") | Q(caller_kind=CallerKind.LOCAL)
        calls = calls.filter(Q(caller=agent) | nobody)
    return calls.order_by("-started_at", "-pk").first()
