"""Requests per minute through a real Redis, and without it."""

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from gateway.errors import GatewayError
from gateway.limits.host import HostLimiter
from gateway.limits.shared import BUDGET_SECONDS, PREFIX, SharedLimiter
from tests.loopback import wait_until
from tests.redis_server import RedisServer

PATIENT = 30.0
"""Seconds for a Redis that is well: a busy machine makes it slow, not wrong."""


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A running Redis."""
    made = RedisServer(tmp_path_factory.mktemp("r"))
    yield made
    made.stop()


def run(
    server: RedisServer,
    tmp_path: Path,
    work: Callable[[SharedLimiter], Any],
    **options: Any,
) -> Any:
    """Run `work` with a limiter and return what it returned."""

    async def main() -> Any:
        limiter = SharedLimiter(server.url, HostLimiter(tmp_path), **options)
        try:
            return await work(limiter)
        finally:
            await limiter.aclose()

    return asyncio.run(main())


def test_hosts_share_one_limit_exactly(server, tmp_path):
    async def work(first: SharedLimiter) -> list[float]:
        own = HostLimiter(tmp_path / "second")
        second = SharedLimiter(server.url, own, budget=PATIENT)
        tries = [each.wait_time("p", 60) for each in (first, second) * 60]
        waits = await asyncio.gather(*tries)
        await second.aclose()
        return waits

    waits = run(server, tmp_path, work, budget=PATIENT)
    assert waits.count(0) == 60
    assert all(0 < wait <= 60 for wait in waits if wait)
    assert not list(tmp_path.glob("*.ring"))


def test_a_time_out_of_the_window_makes_room_and_the_list_stays_short(server, tmp_path):
    client = redis.Redis(unix_socket_path=str(server.socket))
    seconds, micros = client.time()
    old = (seconds - 61) * 1_000_000 + micros
    client.rpush(PREFIX + "p", *[old] * 3)

    async def work(limiter: SharedLimiter) -> list[float]:
        return [await limiter.wait_time("p", 3) for _ in range(4)]

    waits = run(server, tmp_path, work, budget=PATIENT)
    assert [wait == 0 for wait in waits] == [True, True, True, False]
    assert client.llen(PREFIX + "p") == 3
    assert 0 < client.pttl(PREFIX + "p") <= 61_000


def test_a_lowered_and_raised_limit_forgets_nothing(server, tmp_path):
    async def work(limiter: SharedLimiter) -> list[bool]:
        waits = [await limiter.wait_time("p", 10) for _ in range(10)]
        waits.append(await limiter.wait_time("p", 2))
        waits += [await limiter.wait_time("p", 12) for _ in range(3)]
        return [wait == 0 for wait in waits]

    assert run(server, tmp_path, work, budget=PATIENT) == [True] * 10 + [
        False,
        True,
        True,
        False,
    ]


@pytest.mark.proves("6.6")
def test_a_clock_set_back_for_long_does_not_close_the_provider(server, tmp_path):
    client = redis.Redis(unix_socket_path=str(server.socket))
    ahead = (client.time()[0] + 3600) * 1_000_000
    client.rpush(PREFIX + "p", ahead)

    async def work(limiter: SharedLimiter) -> float:
        return await limiter.wait_time("p", 1)

    assert run(server, tmp_path, work, budget=PATIENT) == 0


@pytest.mark.proves("9.3")
@pytest.mark.parametrize("how", ["stopped", "silent", "read-only"])
def test_without_redis_each_host_counts_its_part(server, tmp_path, how):
    match how:
        case "stopped":
            server.stop()
        case "silent":
            server.freeze()
        case "read-only":
            client = redis.Redis(unix_socket_path=str(server.socket))
            client.replicaof("127.0.0.1", 1)

    async def work(limiter: SharedLimiter) -> tuple[list[bool], float]:
        began = time.monotonic()
        waits = [await limiter.wait_time("p", 10) for _ in range(6)]
        return [wait == 0 for wait in waits], time.monotonic() - began

    # A busy machine may take its time, but not each time.
    for again in range(9):
        admitted, seconds = run(server, tmp_path / f"{again}", work, hosts=2)
        assert admitted == [True] * 5 + [False]
        if seconds < 0.5:
            break
    assert seconds < 0.5


def test_without_redis_nothing_or_everything_passes_as_set(server, tmp_path, caplog):
    server.stop()

    async def work(limiter: SharedLimiter) -> list[float]:
        return [await limiter.wait_time("p", 1) for _ in range(3)]

    assert run(server, tmp_path, work, on_failure="allow") == [0, 0, 0]
    with pytest.raises(GatewayError) as caught:
        run(server, tmp_path, work, on_failure="deny")
    assert (caught.value.status, caught.value.code) == (503, "store_unavailable")
    assert caplog.text.count("Redis does not count requests") == 2


@pytest.mark.proves("9.3")
def test_redis_counts_again_when_it_is_back(server, tmp_path, monkeypatch):
    monkeypatch.setattr("gateway.limits.shared.PAUSE_SECONDS", 0.0)

    async def work(limiter: SharedLimiter) -> list[bool]:
        server.freeze()
        with monkeypatch.context() as meanwhile:
            meanwhile.setattr(limiter, "_budget", BUDGET_SECONDS)
            waits = [await limiter.wait_time("p", 1) for _ in range(2)]
        server.thaw()
        waits += [await limiter.wait_time("q", 1) for _ in range(2)]
        return [wait == 0 for wait in waits]

    admitted = run(server, tmp_path, work, budget=PATIENT)
    assert admitted == [True, False, True, False]
    client = redis.Redis(unix_socket_path=str(server.socket))
    assert client.llen(PREFIX + "q") == 1


def test_a_redis_that_was_restarted_counts_at_once(server, tmp_path):
    async def work(limiter: SharedLimiter) -> list[bool]:
        waits = [await limiter.wait_time("p", 1) for _ in range(2)]
        server.stop()
        server.start()
        waits += [await limiter.wait_time("p", 1) for _ in range(2)]
        assert limiter.trouble == ""
        return [wait == 0 for wait in waits]

    assert run(server, tmp_path, work, budget=PATIENT) == [True, False, True, False]
    assert not list(tmp_path.glob("*.ring"))


def test_redis_is_not_blamed_for_a_process_that_was_busy(server, tmp_path, monkeypatch):
    """The answer is there when the budget is spent; nobody looked."""

    async def work(limiter: SharedLimiter) -> list[bool]:
        await limiter.wait_time("warm", 1)
        with monkeypatch.context() as meanwhile:
            meanwhile.setattr(limiter, "_budget", BUDGET_SECONDS)
            asking = asyncio.create_task(limiter.wait_time("p", 1))
            await asyncio.sleep(0)
            with redis.Redis(unix_socket_path=str(server.socket)) as client:
                assert wait_until(lambda: client.exists(PREFIX + "p"))
                client.ping()
            time.sleep(2 * BUDGET_SECONDS)
            waits = [await asking]
        waits.append(await limiter.wait_time("p", 1))
        assert limiter.trouble == ""
        return [wait == 0 for wait in waits]

    assert run(server, tmp_path, work, budget=PATIENT) == [True, False]


def test_who_gives_up_leaves_the_others_their_answers(server, tmp_path):
    async def work(limiter: SharedLimiter) -> list[bool]:
        await limiter.wait_time("warm", 1)
        asked = [asyncio.create_task(limiter.wait_time("p", 2)) for _ in range(4)]
        await asyncio.sleep(0)
        asked[0].cancel()
        waits = await asyncio.gather(*asked, return_exceptions=True)
        assert isinstance(waits[0], asyncio.CancelledError)
        return [wait == 0 for wait in waits[1:]]

    assert run(server, tmp_path, work, budget=PATIENT) == [True, False, False]


def test_a_password_and_a_database_of_the_url_are_used(server, tmp_path):
    client = redis.Redis(unix_socket_path=str(server.socket))
    client.config_set("requirepass", "canary")
    server.url = f"unix://:canary@{server.socket}?db=3"

    async def work(limiter: SharedLimiter) -> float:
        return await limiter.wait_time("p", 1)

    assert run(server, tmp_path, work, budget=PATIENT) == 0
    own = redis.Redis(unix_socket_path=str(server.socket), password="canary", db=3)
    assert own.llen(PREFIX + "p") == 1


def _tell(server: RedisServer, *words: str) -> None:
    """Give a running Redis a command."""
    with redis.Redis(unix_socket_path=str(server.socket)) as client:
        client.execute_command(*words)


@pytest.mark.proves("9.3")
@pytest.mark.parametrize(
    ("fault", "mended", "word"),
    [
        (
            ("CONFIG", "SET", "maxmemory", "1"),
            ("CONFIG", "SET", "maxmemory", "0"),
            "OOM",
        ),
        (
            ("REPLICAOF", "127.0.0.1", "1"),
            ("REPLICAOF", "NO", "ONE"),
            "READONLY",
        ),
    ],
    ids=["full", "replica"],
)
def test_a_redis_that_answers_but_does_not_write_is_away(
    server, tmp_path, monkeypatch, fault, mended, word
):
    """It is away until it writes again, and Redis's own word says why."""
    monkeypatch.setattr("gateway.limits.shared.PAUSE_SECONDS", 0.0)

    async def work(limiter: SharedLimiter) -> tuple[list[bool], list[str]]:
        await limiter.wait_time("warm", 1)
        _tell(server, *fault)
        waits = [await limiter.wait_time("p", 1) for _ in range(2)]
        troubles = [limiter.trouble]
        await limiter.recover()
        troubles.append(limiter.trouble)
        _tell(server, *mended)
        await limiter.recover()
        troubles.append(limiter.trouble)
        waits += [await limiter.wait_time("q", 1) for _ in range(2)]
        return [wait == 0 for wait in waits], troubles

    admitted, troubles = run(server, tmp_path, work, budget=PATIENT)
    assert admitted == [True, False, True, False]
    assert troubles == [word, word, ""]


@pytest.mark.proves("9.3")
def test_limits_move_to_the_server_that_took_over(server, tmp_path):
    """The former one still answers; whoever the URL names now is asked."""

    async def work(limiter: SharedLimiter) -> list[bool]:
        waits = [await limiter.wait_time("p", 2)]
        _tell(server, "REPLICAOF", "127.0.0.1", "1")
        former, server.process = server.process, None
        server.socket.unlink()
        server.start()
        try:
            waits += [await limiter.wait_time("p", 2) for _ in range(3)]
        finally:
            former.kill()
            former.wait(PATIENT)
        assert limiter.trouble == ""
        return [wait == 0 for wait in waits]

    # The list was the former one's.
    admitted = run(server, tmp_path, work, budget=PATIENT)
    assert admitted == [True, True, True, False]
    assert not list(tmp_path.glob("*.ring"))
