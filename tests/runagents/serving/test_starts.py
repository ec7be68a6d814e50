"""Requests that come at once are begun a few at a time, in the order they came in."""

import asyncio
from collections.abc import Callable
from typing import Any

import uvloop

from runagents.serving.plain.starts import MOST, Starts
from runagents.serving.plain.turns import Signal


class Clock:
    """The server's loop, whose time goes on with its rounds and not between."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.call_soon = loop.call_soon
        self.now = 0.0

    def time(self) -> float:
        """Return the same until the next round."""
        return self.now

    async def next_round(self) -> None:
        """Return when the loop has done all that it had to, at another time."""
        self.now += 0.001
        await asyncio.sleep(0)
        await asyncio.sleep(0)


def in_a_loop(play: Callable[[Clock, Starts, list[Signal]], Any], count: int) -> None:
    """Have `count` requests played with in a loop such as the server's."""

    async def run() -> None:
        loop = asyncio.get_running_loop()
        clock = Clock(loop)
        await play(clock, Starts(clock), [Signal(loop) for _ in range(count)])  # type: ignore[arg-type]

    uvloop.run(run())


def test_those_that_come_at_once_are_begun_a_few_at_a_time():
    async def play(clock: Clock, starts: Starts, requests: list[Signal]) -> None:
        for request in requests:
            starts.begin(request)
        begun = []
        while not begun or begun[-1] < len(requests):
            on = [request.is_on for request in requests]
            assert on == sorted(on, reverse=True)
            begun.append(sum(on))
            await asyncio.sleep(0)
        assert begun == [MOST, 2 * MOST, 3 * MOST, 3 * MOST + 1]

    in_a_loop(play, 3 * MOST + 1)


def test_one_that_comes_alone_is_begun_at_once():
    async def play(clock: Clock, starts: Starts, requests: list[Signal]) -> None:
        for request in requests:
            starts.begin(request)
            assert request.is_on
            await clock.next_round()

    in_a_loop(play, 3 * MOST)


def test_one_that_comes_later_waits_behind_those_that_wait():
    async def play(clock: Clock, starts: Starts, requests: list[Signal]) -> None:
        *first, last = requests
        for request in first:
            starts.begin(request)
        await asyncio.sleep(0)
        starts.begin(last)
        assert not last.is_on
        while not last.is_on:
            await asyncio.sleep(0)
        assert all(request.is_on for request in first)

    in_a_loop(play, 5 * MOST)


def test_the_line_is_made_anew_when_it_was_empty():
    async def play(clock: Clock, starts: Starts, requests: list[Signal]) -> None:
        for half in (requests[: 2 * MOST], requests[2 * MOST :]):
            for request in half:
                starts.begin(request)
            assert sum(request.is_on for request in half) == MOST
            await clock.next_round()
            await clock.next_round()
            assert all(request.is_on for request in half)

    in_a_loop(play, 4 * MOST)
