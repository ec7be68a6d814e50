"""Requests per minute: never more than N in any span of 60 seconds."""

import asyncio
import math
import multiprocessing
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.limits import host, refusal
from gateway.limits.host import KEEP_SECONDS, HostLimiter, RingFile
from providers.attempts import Allowance
from tests.benchmarks.scale import clock


def _without_end() -> None:
    """Count in this process by a window that no busy machine outlasts."""
    host.WINDOW_SECONDS = host.LOCK_PATIENCE_SECONDS = 3600.0


def _admitted(folder: str, limit: int, tries: int) -> int:
    async def run() -> int:
        limiter = HostLimiter(Path(folder))
        return sum([await limiter.wait_time("p", limit) == 0 for _ in range(tries)])

    return asyncio.run(run())


def _admitted_at_once(folder, limit, tries):
    """Return how many requests come in by the way of calls, of who seems alone."""

    async def run():
        limiter, admitted = HostLimiter(Path(folder), is_alone=True), 0
        for _ in range(tries):
            wait = limiter.wait_at_once("p", limit)
            if wait is None:
                wait = await limiter.wait_time("p", limit)
            admitted += wait == 0
            await asyncio.sleep(0)
        await asyncio.sleep(2 * KEEP_SECONDS)
        return admitted

    return asyncio.run(run())


@pytest.mark.parametrize("way", [_admitted, _admitted_at_once])
def test_processes_share_one_limit_exactly(tmp_path, way):
    with multiprocessing.get_context("spawn").Pool(4, _without_end) as pool:
        counts = pool.starmap(way, [(str(tmp_path), 60, 75)] * 4)
    assert sum(counts) == 60


def test_a_lock_that_is_wanted_often_is_kept_for_a_moment(tmp_path):
    async def run():
        limiter, told = HostLimiter(tmp_path, is_alone=True), []
        other = RingFile(tmp_path / "p.ring")

        def note():
            told.append(other.try_lock())
            if told[-1]:
                other.unlock()

        assert limiter.wait_at_once("p", 9) == 0
        note()
        assert [limiter.wait_at_once("p", 9) for _ in range(3)] == [0, 0, 0]
        note()
        assert await limiter.wait_time("p", 9) == 0
        note()
        await asyncio.sleep(4 * KEEP_SECONDS)
        note()
        assert limiter.wait_at_once("p", 9) == 0
        note()
        assert limiter.wait_at_once("p", 5) > 0
        await limiter.aclose()
        note()
        await asyncio.sleep(2 * KEEP_SECONDS)
        return told

    assert clock.run(run()) == [True, False, False, True, True, True]


def test_who_waited_for_a_lock_does_not_give_back_one_that_is_kept(tmp_path):
    async def run():
        limiter, other = (
            HostLimiter(tmp_path, is_alone=True),
            RingFile(tmp_path / "p.ring"),
        )
        assert other.try_lock()
        waits = asyncio.create_task(limiter.wait_time("p", 9))
        await asyncio.sleep(0)
        other.unlock()
        assert [limiter.wait_at_once("p", 9) for _ in range(2)] == [0, 0]
        ring = limiter._rings["p"]
        while not waits.done():
            await asyncio.sleep(KEEP_SECONDS / 50)
            assert not (ring.is_kept and other.try_lock())
        assert await waits == 0
        await limiter.aclose()

    clock.run(run())


@pytest.mark.parametrize("is_given_back", [True, False])
def test_a_machine_that_stood_still_is_no_lock_that_is_never_free(
    tmp_path, monkeypatch, is_given_back
):
    monkeypatch.setattr("gateway.limits.host.LOCK_PATIENCE_SECONDS", 0.2)

    async def run():
        limiter, other = HostLimiter(tmp_path), RingFile(tmp_path / "p.ring")
        assert other.try_lock()
        waits = asyncio.create_task(limiter.wait_time("p", 9))
        await asyncio.sleep(0)
        time.sleep(0.3)
        # Who held it stood still as well, and needs a moment.
        await asyncio.sleep(0.01)
        if is_given_back:
            other.unlock()
        return await asyncio.wait_for(waits, 10)

    assert asyncio.run(run()) == (0 if is_given_back else 1)


def test_who_has_company_keeps_no_lock(tmp_path):
    async def run():
        limiter, other = HostLimiter(tmp_path), RingFile(tmp_path / "p.ring")
        assert [limiter.wait_at_once("p", 9) for _ in range(3)] == [0, 0, 0]
        return other.try_lock() and limiter.wait_at_once("p", 9) is None

    assert clock.run(run())


@pytest.mark.proves("7.1")
@given(
    limit=st.integers(1, 5),
    # Of which sums are exact.
    gaps=st.lists(st.integers(0, 40 * 64).map(lambda n: n / 64), max_size=60),
)
def test_no_span_of_sixty_seconds_holds_more_than_the_limit(
    tmp_path_factory, limit, gaps
):
    ring = RingFile(tmp_path_factory.mktemp("ring") / "p.ring")
    now, admitted = 1000.0, []
    for gap in gaps:
        now += gap
        if ring.admit(limit, now) == 0:
            admitted.append(now)
    ring.close()
    for place in range(len(admitted) - limit):
        assert admitted[place + limit] - admitted[place] >= 60


def test_the_wait_is_until_the_oldest_leaves(tmp_path):
    ring = RingFile(tmp_path / "p.ring")
    assert [ring.admit(2, 100.0), ring.admit(2, 110.0)] == [0, 0]
    assert ring.admit(2, 130.0) == pytest.approx(30)
    assert ring.admit(2, 160.0) == 0
    assert ring.admit(2, 160.0) == pytest.approx(10)


def test_a_raised_limit_keeps_what_was_admitted(tmp_path):
    ring = RingFile(tmp_path / "p.ring")
    assert sum(ring.admit(1000, 100.0) == 0 for _ in range(1200)) == 1000
    assert sum(ring.admit(3000, 101.0) == 0 for _ in range(4000)) == 2000
    assert ring.admit(10, 102.0) > 0


def test_a_file_of_garbage_starts_over(tmp_path):
    path = tmp_path / "p.ring"
    path.write_bytes(b"garbage that is long enough to hold a header")
    assert RingFile(path).admit(1, 5.0) == 0


@pytest.mark.proves("6.6")
def test_times_from_before_a_reboot_do_not_count(tmp_path):
    ring = RingFile(tmp_path / "p.ring")
    assert ring.admit(1, 1_000_000.0) == 0
    assert ring.admit(1, 50.0) == 0


def test_a_refusal_says_whose_limit_it_is_and_when_to_come_back():
    error = refusal("openai", 60, 12.2)
    assert error.status == 429
    assert error.headers["retry-after"] == str(math.ceil(12.2))
    assert "openai" in error.message
    assert "60 requests per minute" in error.message


def _waits(folder: Path, limit: int, tries: int) -> list[float]:
    """Return the waits of requests that all come at one moment."""

    async def run() -> list[float]:
        limiter = HostLimiter(folder)
        limiter._own = Allowance(clock=time.monotonic)
        return [await limiter.wait_time("p", limit) for _ in range(tries)]

    return clock.run(run())


def test_without_a_folder_to_write_to_each_process_counts(tmp_path, caplog):
    (tmp_path / "file").touch()
    waits = _waits(tmp_path / "file" / "limits", 2, 3)
    assert waits == [0, 0, 60]
    assert caplog.text.count("each counts alone") == 1


def test_a_full_disk_kills_no_process(tmp_path, monkeypatch):
    monkeypatch.setattr("gateway.limits.host.os.pwrite", lambda *_: 10)
    assert [wait == 0 for wait in _waits(tmp_path, 2, 3)] == [True, True, False]


def test_a_count_of_ones_own_makes_room_after_a_minute():
    times = iter((5.0, 35.0, 65.0))
    count = Allowance(clock=lambda: next(times))
    assert [count.add("p", limit=1) for _ in range(3)] == [0, 30, 0]
