"""The times of an exchange: to its first byte, between two bytes, and as a whole.

The limits between two bytes do not bound an upstream that sends one byte a second.
"""

import asyncio
import math
from time import monotonic

import httpx
from aiohttp.client_proto import ResponseHandler

LOOK_SECONDS = 0.25
"""How often the exchanges of an event loop are looked at, while there are any."""


class Overdue(httpx.ReadTimeout):
    """The exchange took longer, as a whole, than it may."""


class Timed(ResponseHandler):
    """aiohttp's protocol, timed by who watches it (`Deadlines`).

    aiohttp sets a timer anew with everything that arrives. They cost an exchange more
    than its parsing, and next to none of them ever goes off.

    `heard` tells whether anything has arrived, `ends_at` when the exchange must be over
    and `is_overdue` that it was ended for that.
    """

    heard = False
    ends_at = math.inf
    is_overdue = False
    _silent_since = math.inf

    def start_timeout(self) -> None:
        """Wait for the upstream from now on."""
        self._silent_since = monotonic()

    def _reschedule_timeout(self) -> None:
        # Called with everything that arrives.
        self.heard = True
        self._silent_since = monotonic()

    def _drop_timeout(self) -> None:
        self._silent_since = math.inf

    def look(self, now: float) -> None:
        """End the exchange where its time is over.

        It ends as aiohttp ends a silence, which wakes both who waits for the head and
        who waits for the body.
        """
        if now >= self.ends_at:
            self.is_overdue = True
            self._on_read_timeout()
        elif self._read_timeout and now - self._silent_since >= self._read_timeout:
            self._on_read_timeout()


class Deadlines:
    """The exchanges of one event loop, looked at together.

    One may end `LOOK_SECONDS` late.
    """

    def __init__(self) -> None:
        self._watched: set[Timed] = set()
        self._is_looking = False

    def watch(self, protocol: Timed, ends_at: float) -> None:
        """End the exchange over `protocol` at `ends_at`, or when it is silent."""
        protocol.ends_at, protocol.is_overdue = ends_at, False
        self._watched.add(protocol)
        if not self._is_looking:
            self._is_looking = True
            asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look)

    def discard(self, protocol: Timed) -> None:
        """Watch an exchange no longer."""
        self._watched.discard(protocol)

    def _look(self) -> None:
        now = monotonic()
        for protocol in tuple(self._watched):
            protocol.look(now)
        self._is_looking = bool(self._watched)
        if self._is_looking:
            asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look)
