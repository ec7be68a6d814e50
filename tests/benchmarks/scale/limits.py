"""One limit over many hosts: what passes, and what is refused though there was room."""

import asyncio
import random
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from redis.exceptions import ConnectionError as Broken

from gateway.limits import WINDOW_SECONDS
from gateway.limits.host import HostLimiter, RingFile
from gateway.limits.shared import SharedLimiter
from tests.benchmarks.scale.fleet import Load, arrive

NETWORK = (0.0003, 0.8)
"""Of a way to Redis and back, in seconds: the median, and how far it strays (sigma)."""
SERVICE_SECONDS = 10e-6
"""What one script takes of Redis, which does one thing at a time."""


class Trouble(NamedTuple):
    """What ails Redis: away for a time, or late with so great a part of its answers."""

    away_from: float = 0.0
    away_until: float = 0.0
    late_share: float = 0.0
    late_seconds: float = 0.15


class Redis:
    """Counts by the rule of the script, which is the ring file's; restarts empty."""

    def __init__(self, folder: Path, trouble: Trouble, chance: random.Random) -> None:
        self._folder, self._trouble, self._chance = folder, trouble, chance
        self._began = asyncio.get_running_loop().time()
        self._free_at = 0.0
        self._ring = RingFile(folder / "before")
        self._is_new = False

    async def admit(self, limit: int) -> float:
        """Return the seconds to wait, 0 for a call that may be; raises Broken."""
        loop = asyncio.get_running_loop()
        way = self._chance.lognormvariate(0, NETWORK[1]) * NETWORK[0]
        since = loop.time() - self._began
        if self._trouble.away_from <= since < self._trouble.away_until:
            await asyncio.sleep(way)
            raise Broken("connection refused")
        if self._trouble.away_until and since >= self._trouble.away_until:
            self._forget()
        if self._chance.random() < self._trouble.late_share:
            way += self._trouble.late_seconds
        await asyncio.sleep(way / 2)
        self._free_at = max(self._free_at, loop.time()) + SERVICE_SECONDS
        await asyncio.sleep(self._free_at - loop.time())
        wait = self._ring.admit(limit, loop.time())
        await asyncio.sleep(way / 2)
        return wait

    def _forget(self) -> None:
        if not self._is_new:
            self._is_new = True
            self._ring.close()
            self._ring = RingFile(self._folder / "after")

    def close(self) -> None:
        """Let go of the file."""
        self._ring.close()


class _Line:
    """A host's connection, as the limiter asks over it."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def ask(self, *words: bytes) -> bytes:
        """Answer the limiter's script."""
        return b"%d" % int(await self._redis.admit(int(words[4])) * 1e6)

    def drop(self) -> None:
        """Nothing is kept."""

    async def aclose(self) -> None:
        """Nothing is kept."""


class Outcome(NamedTuple):
    """When calls were admitted and refused, and how long each was held up."""

    limit: int
    admitted: list[float]
    refused: list[float]
    waits: list[float]

    @property
    def most(self) -> int:
        """The most that were admitted in any span of sixty seconds."""
        times = self.admitted
        return max(
            bisect_left(times, moment + WINDOW_SECONDS) - place
            for place, moment in enumerate(times)
        )

    @property
    def needless(self) -> int:
        """How many were refused while all hosts together had room."""
        times = self.admitted
        return sum(
            bisect_right(times, moment) - bisect_right(times, moment - WINDOW_SECONDS)
            < self.limit
            for moment in self.refused
        )


async def simulate(
    folder: Path, limit: int, load: Load, trouble: Trouble, seed: int = 1
) -> Outcome:
    """Let calls come to hosts that share a limit through a Redis in `trouble`."""
    loop, chance = asyncio.get_running_loop(), random.Random(seed)
    redis = Redis(folder, trouble, chance)
    limiters = [
        _limiter(folder, redis, number, len(load.shares))
        for number in range(len(load.shares))
    ]
    admitted: list[float] = []
    refused: list[float] = []
    waits: list[float] = []

    async def call(host: int) -> None:
        began = loop.time()
        wait = await limiters[host].wait_time("provider", limit)
        waits.append(loop.time() - began)
        (refused if wait else admitted).append(loop.time())

    await arrive(load, chance, call)
    for each in limiters:
        await each.aclose()
    redis.close()
    return Outcome(limit, sorted(admitted), refused, sorted(waits))


def _limiter(folder: Path, redis: Redis, number: int, hosts: int) -> SharedLimiter:
    own = HostLimiter(folder / f"host-{number}")
    made = SharedLimiter("redis://simulated", own, hosts=hosts)
    line: Callable[[Redis], object] = _Line
    made._line = line(redis)  # type: ignore[assignment]
    return made
