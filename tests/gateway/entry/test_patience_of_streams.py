"""One timer ends each wait that lasts too long, and nothing else."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from gateway.entry.patience import Patience

SECONDS = 15.0


class Timer:
    def __init__(self, due: float, run: Callable[[], object]) -> None:
        self.due, self.run, self.is_cancelled = due, run, False

    def cancel(self) -> None:
        self.is_cancelled = True


class Clock:
    """Stands for the loop: time passes when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0
        self.timers: list[Timer] = []

    def time(self) -> float:
        return self.now

    def call_later(self, seconds: float, run: Callable[[], object]) -> Timer:
        self.timers.append(Timer(self.now + seconds, run))
        return self.timers[-1]

    def advance(self, seconds: float) -> None:
        end = self.now + seconds
        while due := [each for each in self.timers if each.due <= end]:
            first = min(due, key=lambda each: each.due)
            self.timers.remove(first)
            self.now = first.due
            if not first.is_cancelled:
                first.run()
        self.now = end


def tried(run: Callable[[Patience, Clock], Any]) -> None:
    """Run a test with a patience whose time is in its hands."""

    async def within() -> None:
        patience, clock = Patience(SECONDS), Clock()
        patience._loop = clock
        await run(patience, clock)
        task = asyncio.current_task()
        assert task is not None
        assert not task.cancelling()

    asyncio.run(within())


async def lasts(patience: Patience, clock: Clock, seconds: float) -> bool:
    """Tell whether a wait of so many seconds comes to its end."""
    try:
        with patience:
            clock.advance(seconds)
            await asyncio.sleep(0)
    except TimeoutError:
        return False
    return True


def test_only_a_wait_that_lasts_too_long_is_ended():
    async def run(patience: Patience, clock: Clock) -> None:
        for seconds in (1, 14, 14, 16, 14, 1, 15, 40, 14, 0):
            assert await lasts(patience, clock, seconds) == (seconds < SECONDS)

    tried(run)


def test_time_between_waits_is_not_counted():
    async def run(patience: Patience, clock: Clock) -> None:
        assert await lasts(patience, clock, 1)
        clock.advance(SECONDS * 3)
        assert not clock.timers
        assert await lasts(patience, clock, 14)

    tried(run)


def test_who_is_cancelled_by_others_as_well_is_cancelled():
    async def run(patience: Patience, clock: Clock) -> None:
        async def wait() -> None:
            with patience:
                await asyncio.sleep(60)

        for seconds in (1, SECONDS):
            task = asyncio.create_task(wait())
            await asyncio.sleep(0)
            clock.advance(seconds)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    tried(run)


def test_one_timer_serves_many_waits_and_goes_with_them():
    async def run(patience: Patience, clock: Clock) -> None:
        for _ in range(20):
            assert await lasts(patience, clock, 0.1)
        (timer,) = clock.timers
        patience.stop()
        assert timer.is_cancelled

    tried(run)
