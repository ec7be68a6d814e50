"""Conclusions about providers from real traffic. Pure, in memory, one per process."""

import time
from dataclasses import dataclass

from providers.models import ModelProvider

Status = ModelProvider.Status

UNREACHABLE_LIMIT = 5
REJECTED_LIMIT = 2
REPEAT_SECONDS = 60


@dataclass
class _Seen:
    unreachable: int = 0
    rejected: int = 0
    told: str = ""
    told_at: float = 0.0


class Observer:
    """Turns what real calls met into statuses; pure and in memory.

    A call that only the client got wrong (4xx) or that met a limit (429) is
    ``ignored``.
    """

    def __init__(self) -> None:
        self._seen: dict[int, _Seen] = {}

    def observe(self, provider_id: int, kind: str) -> str | None:
        """Take one outcome (ok, unreachable, auth_rejected, unusable, ignored).

        Returns the provider's new status when one is due. The same status is told
        again after a minute at the earliest: somebody else may have stored another.
        """
        if kind == "ignored":
            return None
        seen = self._seen.setdefault(provider_id, _Seen())
        if kind == "ok":
            seen.unreachable = seen.rejected = 0
            return self._tell(seen, Status.AVAILABLE)
        if kind == "unusable":
            # A forbidden address, an unreadable secret: nothing that passes by itself.
            return self._tell(seen, Status.FAILED)
        if kind == "unreachable":
            seen.unreachable += 1
        else:
            seen.rejected += 1
        if seen.unreachable >= UNREACHABLE_LIMIT or seen.rejected >= REJECTED_LIMIT:
            return self._tell(seen, Status.UNAVAILABLE)
        return None

    def _tell(self, seen: _Seen, status: Status) -> str | None:
        now = time.monotonic()
        if seen.told == status and now - seen.told_at < REPEAT_SECONDS:
            return None
        seen.told, seen.told_at = status, now
        return str(status)
