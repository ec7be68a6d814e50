"""Conclusions about providers from real traffic. Pure, in memory, one per process."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from providers.models import ModelProvider

Status = ModelProvider.Status

FAILURE_LIMIT = 5
REJECTED_LIMIT = 2
REPEAT_SECONDS = 60
STILL_SECONDS = 60
"""How long a model that answered speaks for its provider."""


@dataclass
class _Failing:
    """A model that fails, how often in a row and since when."""

    since: float
    times: int = 0


@dataclass
class _Seen:
    unreachable: int = 0
    rejected: int = 0
    failing: dict[str, _Failing] = field(default_factory=dict)
    answered_at: float = -math.inf
    settled_until: float = -math.inf
    told: str = ""
    told_at: float = 0.0


class Observer:
    """Turns what real calls met into statuses; pure and in memory.

    A call that only the client got wrong (4xx) or that met a limit (429) is
    ``ignored``. A provider that is reached and fails is Unavailable while none of its
    models answers: one that is broken says nothing of the others.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: dict[int, _Seen] = {}

    def observe(self, provider_id: int, kind: str, model: str = "") -> str | None:
        """Take one outcome of a call to `model`.

        `kind` is ok, unreachable, failed, auth_rejected, unusable or ignored. Returns
        the provider's new status when one is due. The same status is told again after a
        minute at the earliest: somebody else may have stored another.
        """
        if kind == "ignored":
            return None
        seen = self._seen.get(provider_id)
        if seen is None:
            seen = self._seen[provider_id] = _Seen()
        now = self._clock()
        if kind == "ok":
            seen.answered_at = now
            return self._answered(seen, model, now)
        seen.settled_until = -math.inf
        if kind == "unusable":
            # A forbidden address, an unreadable secret: nothing that passes by itself.
            return self._tell(seen, Status.FAILED, now)
        if self._is_down(seen, kind, model, now):
            return self._tell(seen, Status.UNAVAILABLE, now)
        return None

    def took_answer(self, provider_id: int) -> bool:
        """Take a call that was answered, where that changes nothing; tell whether so.

        Nothing failed, and nothing is to be told again: so are nearly all.
        """
        seen = self._seen.get(provider_id)
        if seen is None:
            return False
        now = self._clock()
        if now >= seen.settled_until:
            return False
        seen.answered_at = now
        return True

    def _answered(self, seen: _Seen, model: str, now: float) -> str | None:
        """Note that a model answered; return the status that is due."""
        seen.unreachable = seen.rejected = 0
        seen.failing.pop(model, None)
        told = self._tell(seen, Status.AVAILABLE, now)
        if not seen.failing:
            seen.settled_until = seen.told_at + REPEAT_SECONDS
        return told

    @staticmethod
    def _is_down(seen: _Seen, kind: str, model: str, now: float) -> bool:
        """Count a failure; tell whether it is one too many."""
        if kind == "auth_rejected":
            seen.rejected += 1
            return seen.rejected >= REJECTED_LIMIT
        if kind == "unreachable":
            seen.unreachable += 1
            return seen.unreachable >= FAILURE_LIMIT
        seen.unreachable = 0
        failing = seen.failing.setdefault(model, _Failing(now))
        failing.times += 1
        another_answers = max(failing.since, now - STILL_SECONDS) <= seen.answered_at
        return failing.times >= FAILURE_LIMIT and not another_answers

    @staticmethod
    def _tell(seen: _Seen, status: Status, now: float) -> str | None:
        if seen.told == status and now - seen.told_at < REPEAT_SECONDS:
            return None
        seen.told, seen.told_at = status, now
        return str(status)
