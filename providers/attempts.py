"""How often somebody may try, and whose tries they are."""

import ipaddress
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable

from django.conf import settings

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

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._times.clear()


wrong_keys = Allowance(60)
"""Requests without a valid key by address, at /v1 and at /api/v1.

A key has 190 random bits: this spares the server, rather than keeping keys from being
guessed, and a valid key works beside any number of wrong ones.
"""

checks = Allowance(10)
"""Checks of providers by key; each is a request to somebody else's server."""


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
