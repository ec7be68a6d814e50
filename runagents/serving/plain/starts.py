"""Requests that come at once are begun a few at a time, and streams go on between.

A loop answers all that it finds before it looks at its sockets again. Of 200 requests
that it finds together each is begun in a quarter of a millisecond or more, so that no
token of any stream is passed on for 50 ms. In a line they wait no longer than they did,
and a token waits for a few of them.
"""

import asyncio
from collections import deque

from runagents.serving.plain.turns import Signal

MOST = 8
"""Requests that are begun before the loop looks again."""


class Starts:
    """The line in which the requests of a worker wait to be begun."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._line: deque[Signal] = deque()
        self._moment = 0.0
        self._begun = 0

    def begin(self, request: Signal) -> None:
        """Turn on the signal of a request: now, or in a next round of the loop."""
        if not self._line and self._has_room():
            request.set()
            return
        if not self._line:
            self._loop.call_soon(self._go_on)
        self._line.append(request)

    def _has_room(self) -> bool:
        """Count a request that is begun now; tell whether it may be."""
        # A millisecond of uvloop's: what it finds together comes in one, or in a few.
        moment = self._loop.time()
        if moment != self._moment:
            self._moment, self._begun = moment, 0
        self._begun += 1
        return self._begun <= MOST

    def _go_on(self) -> None:
        for _ in range(min(MOST, len(self._line))):
            self._line.popleft().set()
        if self._line:
            self._loop.call_soon(self._go_on)
