"""How often somebody may try, and whose tries they are."""

import hashlib
import hmac
import ipaddress
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable

from asgiref.sync import async_to_sync
from django.conf import settings
from django.utils.module_loading import import_string

UNKNOWN = "unknown"


class Allowance:
    """How often a minute each of many may do something; counted in this process.

    Sliding: one of N is admitted when the one N places back is a minute old. `limit`
    holds where `add` is given no other.
    """

    WINDOW = 60.0
    MAX_COUNTED = 10_000

    def __init__(
        self, limit: int = 1, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit = limit
        self._clock = clock
        self._times: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, who: str = "", limit: int | None = None) -> float:
        """Count one; return the seconds to wait, 0 while there are not too many."""
        now = self._clock()
        limit = self._limit if limit is None else limit
        with self._lock:
            times = self._times.setdefault(who, deque())
            self._times.move_to_end(who)
            if len(self._times) > self.MAX_COUNTED:
                self._times.popitem(last=False)
            while times and times[0] <= now - self.WINDOW:
                times.popleft()
            if len(times) >= limit:
                return times[-limit] + self.WINDOW - now
            times.append(now)
            return 0.0


class SharedAllowance:
    """How often a minute each of many may do something, counted for all workers.

    Counted as requests per minute are, by the function that `ATTEMPTS_COUNTER` names:
    on this host, or in Redis for all hosts. `what` names what is counted.
    """

    def __init__(self, what: str, limit: int) -> None:
        self._what = what
        self._limit = limit

    async def add(self, who: str) -> float:
        """Count one; return the seconds to wait, 0 while there are not too many.

        `who` is one of few and a part of a file's name.
        """
        count: Callable[[str, int], Awaitable[float]] = import_string(
            settings.ATTEMPTS_COUNTER
        )
        return await count(f"{self._what}-{who}", self._limit)

    def add_now(self, who: str) -> float:
        """Do the same, for who runs in a thread (blocking)."""
        return async_to_sync(self.add)(who)


wrong_keys = SharedAllowance("wrong-keys", 60)
"""Requests without a valid key by `place_of` an address, at /v1 and at /api/v1.

A key has 190 random bits: this spares the server, rather than keeping keys from being
guessed, and a valid key works beside any number of wrong ones.
"""

checks = SharedAllowance("checks", 10)
"""Checks of providers by key or user; each is a request to somebody else's server."""


def place_of(address: str) -> str:
    """Return one of 256 places, in which an address is counted.

    Each takes a file; there are more addresses than a disk has room for. Which ones
    share a place nobody can tell who does not know our key.
    """
    digest = hmac.new(settings.SECRET_KEY.encode(), address.encode(), hashlib.sha256)
    return digest.hexdigest()[:2]


def client_address(peer: str, forwarded_for: str) -> str:
    """Return who is behind the trusted proxies, `UNKNOWN` if that is no address.

    `forwarded_for` is the value of ``X-Forwarded-For``; every trusted proxy appended
    one hop to it, and what stands before those is the client's own invention.
    """
    address = peer
    if settings.TRUSTED_PROXIES > 0:
        hops = forwarded_for.split(",")
        if len(hops) >= settings.TRUSTED_PROXIES:
            address = hops[-settings.TRUSTED_PROXIES].strip()
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return UNKNOWN
