"""The times of an exchange: to its first byte, between two bytes, and as a whole.

The limits between two bytes do not bound an upstream that sends one byte a second.
One look at all connections replaces a timer for each read: those cost an exchange more
than its parsing, and next to none of them ever goes off.
"""

import asyncio
from time import monotonic
from typing import Protocol

import httpx

LOOK_SECONDS = 0.25
"""How often the connections of an event loop are looked at, while there are any."""


class Overdue(httpx.ReadTimeout):
    """The exchange took longer, as a whole, than it may."""


class Timed(Protocol):
    """What is looked at."""

    def look(self, now: float) -> None:
        """End what has taken too long at `now`, which is monotonic."""


class Deadlines:
    """The connections of one event loop, looked at together.

    Whatever ends by its time may end `LOOK_SECONDS` late.
    """

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._watched: set[Timed] = set()
        self._is_looking = False

    def watch(self, connection: Timed) -> None:
        """Look at `connection` from now on."""
        self._watched.add(connection)
        if not self._is_looking:
            self._is_looking = True
            self.loop.call_later(LOOK_SECONDS, self._look)

    def discard(self, connection: Timed) -> None:
        """Look at a connection no longer."""
        self._watched.discard(connection)

    def _look(self) -> None:
        now = monotonic()
        for connection in tuple(self._watched):
            connection.look(now)
        self._is_looking = bool(self._watched)
        if self._is_looking:
            self.loop.call_later(LOOK_SECONDS, self._look)
