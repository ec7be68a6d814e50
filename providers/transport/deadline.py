"""The total time of one exchange, from the look-up of the name to the last byte.

The limits between two bytes do not bound an upstream that sends one byte a second.
"""

import asyncio

import httpx
from aiohttp.client_proto import ResponseHandler

LOOK_SECONDS = 0.25
"""How often the deadlines of an event loop are looked at, while there are any."""


class Overdue(httpx.ReadTimeout):
    """The exchange took longer, as a whole, than it may."""


class Deadlines:
    """The deadlines of one event loop, looked at together.

    A timer for each exchange would cost it some microseconds, and next to none of them
    ever goes off.
    """

    def __init__(self) -> None:
        self._watched: dict[Deadline, ResponseHandler] = {}
        self._is_looking = False

    def add(self, deadline: "Deadline", protocol: ResponseHandler) -> None:
        """End the exchange over `protocol` when its time is over."""
        self._watched[deadline] = protocol
        if not self._is_looking:
            self._is_looking = True
            asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look)

    def discard(self, deadline: "Deadline") -> None:
        """Watch an exchange no longer."""
        self._watched.pop(deadline, None)

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for deadline, protocol in list(self._watched.items()):
            if deadline.is_over(now):
                del self._watched[deadline]
                deadline.end(protocol)
        self._is_looking = bool(self._watched)
        if self._is_looking:
            loop.call_later(LOOK_SECONDS, self._look)


class Deadline:
    """Ends one exchange when its time is over; `seconds` of None bounds nothing.

    Whoever waits for the upstream then gets the error of a timeout, and `has_passed`
    tells it from a silence. It may end `LOOK_SECONDS` late.
    """

    __slots__ = ("_at", "_deadlines", "has_passed")

    def __init__(self, seconds: float | None, deadlines: Deadlines) -> None:
        self._at = None if seconds is None else _now() + seconds
        self._deadlines = deadlines
        self.has_passed = False

    def within(self, seconds: float | None) -> float | None:
        """Return `seconds`, or what is left of the total where that is less."""
        if self._at is None:
            return seconds
        left = max(self._at - _now(), 0.001)
        return left if seconds is None or left < seconds else seconds

    def is_over(self, now: float) -> bool:
        """Tell whether it has come; `now` is the event loop's time."""
        return self._at is not None and self._at <= now

    def watch(self, protocol: ResponseHandler) -> None:
        """End the exchange over `protocol` at the deadline, unless `stop` comes first.

        It ends as aiohttp ends a silence, which wakes both who waits for the head and
        who waits for the body.
        """
        if self._at is not None:
            self._deadlines.add(self, protocol)

    def stop(self) -> None:
        """Watch no longer."""
        self._deadlines.discard(self)

    def end(self, protocol: ResponseHandler) -> None:
        """End the exchange over `protocol` now."""
        self.has_passed = True
        protocol._on_read_timeout()


def _now() -> float:
    return asyncio.get_running_loop().time()
