"""New workers in the place of old ones, under clients that ask all the time."""

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from itertools import count

import aiohttp
import pytest

from tests.e2e import dialects, registries
from tests.e2e.processes import STOP_SECONDS, Server, chat, wait_until
from tests.e2e.raw import Connection, chat_body, request
from tests.e2e.replay import Replay

PER_SECOND = 50
# The pause of a client whose next request finds the worker about to end.
PAUSE_SECONDS = 0.5
# From when on a worker about to end may close a connection: its own second begins and
# ends a little later than what is measured here.
IDLE_SECONDS = 0.9
TRIES = 10


@pytest.fixture(scope="module")
def gateway(
    request: pytest.FixtureRequest, server: Callable[..., Server], replay: Replay
) -> Server:
    """Workers, as `serve` runs them."""
    dialects.install(replay)
    registry = registries.registry(registries.openai("good", replay.url, "good"))
    return server(registry, workers=request.param)


class Clients:
    """Short calls at a steady pace: whole and streamed, half over new connections."""

    def __init__(self, gateway: Server) -> None:
        self._gateway = gateway
        self._calls: list[asyncio.Task[None]] = []
        self.failures: Counter[str] = Counter()
        self.answered = 0

    async def ask_until(self, over: asyncio.Event) -> None:
        """Ask until `over`, and wait for what was asked."""
        async with (
            aiohttp.ClientSession() as kept,
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(force_close=True)
            ) as fresh,
        ):
            for number in count():
                if over.is_set():
                    break
                session = kept if number % 2 else fresh
                call = self._ask(session, f"{number}", stream=number % 4 < 2)
                self._calls.append(asyncio.create_task(call))
                await asyncio.sleep(1 / PER_SECOND)
            await asyncio.gather(*self._calls)

    async def ask_more(self, count: int) -> None:
        """Wait until so many more calls have ended."""
        before = self.answered
        async with asyncio.timeout(STOP_SECONDS):
            while self.answered < before + count:
                assert not self.failures
                await asyncio.sleep(0.01)

    async def _ask(
        self, session: aiohttp.ClientSession, word: str, *, stream: bool
    ) -> None:
        body = {**chat("good", word), "stream": stream}
        try:
            async with session.post(self._gateway.chat_url, json=body) as answer:
                text = await answer.text()
        except aiohttp.ClientError as error:
            self.failures[repr(error)] += 1
            return
        is_whole = text.endswith("data: [DONE]\n\n") if stream else word in text
        if answer.status != 200 or not is_whole:
            self.failures[f"{answer.status} {text[-80:]}"] += 1
        self.answered += 1


async def reload(gateway: Server) -> None:
    """Have the main process put new workers in the place of all it has."""
    before = set(gateway.worker_pids())
    deadline = time.monotonic() + STOP_SECONDS
    os.kill(gateway.pid, signal.SIGHUP)
    while before & set(gateway.worker_pids()):
        assert time.monotonic() < deadline, gateway.log
        await asyncio.sleep(0.05)


@pytest.mark.proves("10.2")
@pytest.mark.parametrize("gateway", [1, 2], indirect=True, ids=["one", "two"])
def test_a_reload_costs_no_short_call(gateway, replay):
    replay.clear()
    clients = Clients(gateway)

    async def reload_meanwhile() -> None:
        over = asyncio.Event()
        asking = asyncio.create_task(clients.ask_until(over))
        await clients.ask_more(PER_SECOND)
        await reload(gateway)
        await clients.ask_more(PER_SECOND)
        over.set()
        await asking

    asyncio.run(reload_meanwhile())
    assert not clients.failures
    assert wait_until(
        lambda: len(gateway.worker_pids()) == gateway.workers, STOP_SECONDS
    )
    assert len(replay.calls) == clients.answered
    rows = gateway.rows(clients.answered)
    assert [row["outcome"] for row in rows] == ["ok"] * clients.answered


@pytest.mark.proves("10.2")
@pytest.mark.parametrize("gateway", [2], indirect=True, ids=["two"])
@pytest.mark.parametrize("is_new", [True, False], ids=["new", "kept"])
def test_a_connection_that_the_old_worker_took_is_answered_once_more(gateway, is_new):
    assert any(is_answered_once_more(gateway, is_new) for _ in range(TRIES))


def is_answered_once_more(gateway: Server, is_new: bool) -> bool:
    """Ask at a short pace until the old worker answers for the last time.

    Returns False where a busy machine made a pause longer, in which it may close.
    """
    with Connection(gateway) as client:
        assert wait_until(lambda: client.worker() != 0, STOP_SECONDS)
        old = client.worker()
        answered = time.monotonic()
        if not is_new:
            # Last: a connection that is idle for a second is closed.
            client.send(request(gateway, chat_body("good")))
            assert client.answer().status == 200
            answered = time.monotonic()
        os.kill(gateway.pid, signal.SIGHUP)
        ended = time.monotonic() + STOP_SECONDS
        headers: dict[str, str] = {}
        while "connection" not in headers:
            # Its worker may not have been told to end yet.
            assert time.monotonic() < ended
            time.sleep(PAUSE_SECONDS)
            with suppress(ConnectionError):
                client.send(request(gateway, chat_body("good")))
            answer = client.answer()
            if answer.status == 0 and time.monotonic() - answered > IDLE_SECONDS:
                break
            assert answer.status == 200
            answered = time.monotonic()
            headers = answer.headers
        else:
            assert headers["connection"] == "close"
            assert client.is_closed()
    assert wait_until(lambda: old not in gateway.worker_pids(), STOP_SECONDS)
    return "connection" in headers
