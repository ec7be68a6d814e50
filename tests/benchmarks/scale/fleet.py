"""Hosts and what comes to them: how calls are spread, and when each arrives."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from itertools import accumulate
from typing import NamedTuple


class Load(NamedTuple):
    """So many calls a second, for so long, over hosts of these shares."""

    per_second: float
    seconds: float
    shares: Sequence[float]


def even(hosts: int) -> list[float]:
    """Return the shares of a balancer that takes turns."""
    return [1.0] * hosts


def uneven(hosts: int) -> list[float]:
    """Return the shares where a tenth of the hosts get half of all calls."""
    busy = max(1, hosts // 10)
    return [9.0] * busy + [1.0] * (hosts - busy)


async def arrive(
    load: Load, chance: random.Random, call: Callable[[int], Awaitable[None]]
) -> None:
    """Let calls arrive by chance, each at a host, and wait until all have ended."""
    loop = asyncio.get_running_loop()
    end = loop.time() + load.seconds
    sums = list(accumulate(load.shares))
    places = range(len(load.shares))
    under_way: set[asyncio.Task[None]] = set()
    while loop.time() < end:
        (host,) = chance.choices(places, cum_weights=sums)
        task = asyncio.ensure_future(call(host))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
        await asyncio.sleep(chance.expovariate(load.per_second))
    await asyncio.gather(*under_way)
