"""Faults of every kind at once, while workers are killed, and once the whole server.

    STORM_SECONDS=60 STORM_CALLS=50 python -m pytest -s tests/e2e/test_storm.py

storms for as long as one likes and prints what came of it; in the suite it is a short
one.
"""

import asyncio
import itertools
import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

import aiohttp
import pytest

from tests.e2e import faulty, registries
from tests.e2e.faulty import FRAMES, STREAMED, WHOLE
from tests.e2e.processes import Server, chat, wait_until
from tests.faults import COMPLETION, FaultServer, refused_port

SECONDS = float(os.environ.get("STORM_SECONDS", "9"))
CALLS_A_SECOND = float(os.environ.get("STORM_CALLS", "20"))
KILL_SECONDS = min(5.0, SECONDS / 3)
GOOD = {**COMPLETION, "model": "good"}

# What each model may come to, by whether it is streamed: a status and an error's code.
EXPECTED = {
    **{(name, False): answer for name, answer in WHOLE.items()},
    **{(name, True): answer for name, answer in STREAMED.items()},
    **{(name, True): (200, code) for name, code in FRAMES.items()},
    ("good", False): (200, ""),
}


class Outcome(NamedTuple):
    """What became of a call; without a status its connection broke."""

    id: str
    asked: tuple[str, bool]
    began: float
    ended: float
    status: int
    code: str
    content: str


class Weather:
    """When workers were killed, and from when to when there was no server at all."""

    def __init__(self) -> None:
        self.kills: list[float] = []
        self.gone: list[tuple[float, float]] = []

    def excuses(self, outcome: Outcome) -> bool:
        """Tell whether a connection may have broken."""
        # A killed worker's connections may still be found in line by the next call.
        late = [at for at in self.kills if outcome.began - 1 <= at <= outcome.ended]
        away = [a for a, b in self.gone if outcome.began <= b and a <= outcome.ended]
        return bool(late or away)


@pytest.fixture(scope="module")
def upstream() -> Iterator[FaultServer]:
    with FaultServer() as running:
        faulty.install(running)
        yield running


@pytest.fixture(scope="module")
def gateway(server: Callable[..., Server], upstream: FaultServer) -> Iterator[Server]:
    with refused_port() as port:
        rows = faulty.providers(upstream, port)
        yield server(registries.registry(*rows), workers=2)


async def _call(gateway: Server, id: str, asked: tuple[str, bool]) -> Outcome:
    model, streams = asked
    began = time.monotonic()
    status, code, content = 0, "", ""
    body = {**chat(model), "stream": streams}
    timeout = aiohttp.ClientTimeout(total=90)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(
                gateway.chat_url, json=body, headers={"x-request-id": id}
            ) as answer,
        ):
            status, text = answer.status, await answer.text()
            code, content = _read(status, text, streams)
    except (aiohttp.ClientError, OSError):
        status = 0
    return Outcome(id, asked, began, time.monotonic(), status, code, content)


def _read(status: int, text: str, streams: bool) -> tuple[str, str]:
    """Return an answer's error code and what it says; raises where it is neither."""
    if status == 200 and streams:
        frames = [line[6:] for line in text.splitlines() if line.startswith("data: ")]
        last = json.loads(frames[-1])
        return last["error"]["code"], ""
    told = json.loads(text)
    if status == 200:
        return "", told["choices"][0]["message"]["content"]
    return told["error"]["code"], ""


async def _storm(gateway: Server, weather: Weather) -> list[Outcome]:
    calls = []
    asked = list(EXPECTED)
    random.Random(7).shuffle(asked)
    turns = itertools.cycle(asked)
    began = time.monotonic()
    breaking = asyncio.create_task(_break(gateway, weather))
    for number in itertools.count():
        at = began + number / CALLS_A_SECOND
        if at > began + SECONDS:
            break
        await asyncio.sleep(max(0.0, at - time.monotonic()))
        # Every other call is a good one: those must come through.
        what = ("good", False) if number % 2 else next(turns)
        calls.append(asyncio.create_task(_call(gateway, f"storm-{number}", what)))
    await breaking
    return await asyncio.gather(*calls)


async def _break(gateway: Server, weather: Weather) -> None:
    """Kill a worker every now and then, and the whole server in the middle."""
    rounds = max(2, int(SECONDS / KILL_SECONDS) - 1)
    for number in range(rounds):
        await asyncio.sleep(KILL_SECONDS)
        if number == rounds // 2:
            gone = time.monotonic()
            await asyncio.to_thread(gateway.kill)
            await asyncio.to_thread(gateway.start)
            weather.gone.append((gone, time.monotonic()))
        elif pids := gateway.worker_pids():
            weather.kills.append(time.monotonic())
            os.kill(random.choice(pids), signal.SIGKILL)


@pytest.mark.proves("5.1", "8.1", "8.2", "10.3")
def test_every_answer_is_right_or_a_defined_error_and_every_call_a_row(
    gateway, upstream
):
    weather = Weather()
    outcomes = asyncio.run(_storm(gateway, weather))
    wrong = [
        each
        for each in outcomes
        if each.status
        and (
            (each.status, each.code) != EXPECTED[each.asked]
            or (each.asked[0] == "good" and each.content != "Hello.")
        )
    ]
    unexcused = [
        each for each in outcomes if not each.status and not weather.excuses(each)
    ]
    assert gateway.chat("good").status_code == 200
    reached = sum(bool(each.body) for each in upstream.requests)

    def rows() -> Counter[str]:
        return Counter(row["request_id"] for row in gateway.rows(seconds=0))

    answered = {each.id for each in outcomes if each.status}
    found: Counter[str] = Counter()

    def are_stored() -> bool:
        nonlocal found
        found = rows()
        return answered <= found.keys() and len(found) >= reached

    wait_until(are_stored, 60)
    broken = Counter(each.status == 0 for each in outcomes)[True]
    print(
        f"\n{len(outcomes)} calls in {SECONDS:.0f} s, {reached} reached the upstream; "
        f"{len(weather.kills)} workers and {len(weather.gone)} server killed, "
        f"{broken} connections broken by that; {len(found)} rows."
    )
    assert answered <= found.keys(), answered - found.keys()
    assert not wrong, wrong[:5]
    assert not unexcused, unexcused[:5]
    doubled = [id for id, count in found.items() if count > 1]
    assert not doubled
    assert len(found) >= reached
