"""The total time of one exchange, from the look-up of the name to the last byte.

The limits between two bytes do not bound an upstream that sends one byte a second.
"""

import asyncio

import httpx
from aiohttp.client_proto import ResponseHandler


class Overdue(httpx.ReadTimeout):
    """The exchange took longer, as a whole, than it may."""


class Deadline:
    """Ends one exchange when its time is over; `seconds` of None bounds nothing.

    Whoever waits for the upstream then gets the error of a timeout, and `has_passed`
    tells it from a silence.
    """

    __slots__ = ("_at", "_loop", "_timer", "has_passed")

    def __init__(self, seconds: float | None) -> None:
        self._loop = asyncio.get_running_loop()
        self._at = None if seconds is None else self._loop.time() + seconds
        self._timer: asyncio.TimerHandle | None = None
        self.has_passed = False

    def within(self, seconds: float | None) -> float | None:
        """Return `seconds`, or what is left of the total where that is less."""
        if self._at is None:
            return seconds
        left = max(self._at - self._loop.time(), 0.001)
        return left if seconds is None or left < seconds else seconds

    def watch(self, protocol: ResponseHandler) -> None:
        """End the exchange over `protocol` at the deadline, unless `stop` comes first.

        It ends as aiohttp ends a silence, which wakes both who waits for the head and
        who waits for the body.
        """
        if self._at is not None:
            self._timer = self._loop.call_at(self._at, self._end, protocol)

    def stop(self) -> None:
        """Watch no longer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end(self, protocol: ResponseHandler) -> None:
        self.has_passed = True
        protocol._on_read_timeout()
