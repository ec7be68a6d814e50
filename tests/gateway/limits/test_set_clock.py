"""Somebody sets the clock while requests are counted."""

import asyncio
import time

import pytest

from gateway.limits.host import HostLimiter

HOUR = 3600


@pytest.mark.proves("6.6")
@pytest.mark.parametrize("step", [HOUR, -HOUR])
def test_a_clock_that_is_set_neither_opens_nor_closes_a_limit(
    tmp_path, monkeypatch, step
):
    async def waits(count: int) -> list[bool]:
        limiter = HostLimiter(tmp_path)
        found = [await limiter.wait_time("p", 3) > 0 for _ in range(count)]
        await limiter.aclose()
        return found

    assert asyncio.run(waits(2)) == [False, False]
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + step)
    assert asyncio.run(waits(3)) == [False, True, True]
