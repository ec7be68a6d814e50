"""Clients that leave: the upstream is let go at once, and the row says why."""

import asyncio
import random
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import aiohttp
import pytest

from tests.e2e import dialects, registries, ways
from tests.e2e.processes import Server, wait_until
from tests.e2e.raw import Connection, Watch, target_of
from tests.e2e.replay import Replay, json_reply
from tests.e2e.ways import EVERY, STREAMING, Way, saying, speaking

STALL_SECONDS = 1.0


@pytest.fixture(scope="module")
def blackhole() -> Iterator[int]:
    """A port where connections are neither accepted nor refused: its queue is full."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        # It takes one, whom nobody accepts.
        listener.listen(0)
        with socket.create_connection(listener.getsockname()):
            yield listener.getsockname()[1]


@pytest.fixture(scope="module")
def upstream(replay: Replay) -> Replay:
    """Good answers, and some that never end."""
    dialects.install(replay)
    ways.install(replay)
    return replay


@pytest.fixture(scope="module")
def gateway(server: Callable[..., Server], upstream: Replay, blackhole: int) -> Server:
    """One worker, so that what leaks is seen."""
    registry = registries.registry(
        *ways.hanging(upstream),
        registries.openai("good", upstream.url, "good", responses_api="off"),
        registries.openai(
            "nowhere",
            f"http://127.0.0.1:{blackhole}",
            "nowhere",
            timeouts={"connect": 60},
        ),
    )
    return server(registry)


def connecting(port: int) -> int:
    """Return how many connections to `port` are not yet made."""
    wanted = f":{port:04X}"
    with open("/proc/net/tcp") as table:
        rows = [line.split() for line in table.readlines()[1:]]
    found = [row for row in rows if row[2].endswith(wanted) and row[3] == "02"]
    return len(found)


def last_row(server: Server, model: str, count: int = 1):
    """Return the newest row of a model, once there are `count`."""
    rows = server.rows(count, model=model)
    assert len(rows) == count
    return rows[-1]


@contextmanager
def asked(
    gateway: Server, upstream: Replay, among: list[Way], name: str, **body: bool
) -> Iterator[list[Connection]]:
    """Ask in each way; all clients leave at the end, and the upstream is let go."""
    upstream.clear()
    clients = [Connection(gateway) for _ in among]
    for way, client in zip(among, clients, strict=True):
        client.ask(way.model(name), way.door, **body)
    assert upstream.wait_until(lambda: upstream.open == len(among))
    yield clients
    for client in clients:
        client.socket.close()
    assert gateway.soon(lambda: upstream.open == 0)
    assert all(call.client_left for call in upstream.calls)


def left_rows(gateway: Server, among: list[Way], name: str, *, stream: bool) -> list:
    """Return the row of each way, which all tell that the client left."""
    found = []
    for way in among:
        where = {"model": way.model(name), "door": way.door.booked_as}
        rows = gateway.rows(1, stream=stream, **where)
        assert [row["outcome"] for row in rows[-1:]] == ["client_closed"], way.door.name
        found.append(rows[-1])
    return found


@pytest.mark.proves("5.5")
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_clients_that_leave_before_the_upstream_answers(gateway, upstream, stream):
    among = STREAMING if stream else EVERY
    with asked(gateway, upstream, among, "mute", stream=stream):
        pass
    left_rows(gateway, among, "mute", stream=stream)


def test_clients_that_leave_in_the_middle_of_a_whole_answer(gateway, upstream):
    with asked(gateway, upstream, EVERY, "half", stream=False):
        time.sleep(0.2)
    left_rows(gateway, EVERY, "half", stream=False)


@pytest.mark.proves("5.5")
def test_clients_that_leave_while_the_upstream_is_silent(gateway, upstream):
    with asked(gateway, upstream, STREAMING, "silent", stream=True) as clients:
        for client in clients:
            client.read_until(b"One")
            client.read_until(b"One")
        time.sleep(0.2)
    for row in left_rows(gateway, STREAMING, "silent", stream=True):
        assert row["estimated"] == 1
        assert row["output_tokens"] >= 1


@pytest.mark.proves("5.5")
def test_clients_that_leave_in_mid_stream(gateway, upstream):
    with asked(gateway, upstream, STREAMING, "endless", stream=True) as clients:
        for client in clients:
            for _ in range(20):
                client.read_until(b"word")
    for row in left_rows(gateway, STREAMING, "endless", stream=True):
        assert row["estimated"] == 1
        assert row["output_tokens"] >= 10


async def leave_at_random(gateway: Server, rounds: int) -> None:
    """Ask 50 times at once, leave soon or stay to the end; so many times."""
    dice = random.Random(20260102)

    async def leave(session: aiohttp.ClientSession) -> None:
        way = dice.choice(STREAMING)
        name = dice.choice(["mute", "silent", "endless", "half", "good"])
        model = name if name == "good" else way.model(name)
        body = {**way.door.body, "model": model, "stream": dice.random() < 0.7}
        url = gateway.url + way.door.path
        try:
            async with asyncio.timeout(dice.uniform(0.0, 0.3)):
                async with session.post(url, json=body) as response:
                    async for _ in response.content.iter_any():
                        pass
        except TimeoutError:
            return

    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    async with aiohttp.ClientSession(connector=connector) as session:
        for _ in range(rounds):
            await asyncio.gather(*(leave(session) for _ in range(50)))


@pytest.mark.proves("5.5")
def test_three_hundred_that_leave_at_random_leave_nothing_behind(gateway, upstream):
    upstream.clear()
    rows_before = len(gateway.rows())
    asyncio.run(leave_at_random(gateway, 6))
    # Before those end by themselves that are endless.
    assert upstream.wait_until(lambda: upstream.open == 0, 30)
    answers = [gateway.chat("good") for _ in range(10)]
    assert [each.status_code for each in answers] == [200] * 10
    seen = len(upstream.calls)
    # Rows come in the order in which calls end.
    assert gateway.rows(1, request_id=answers[-1].headers["x-request-id"])
    rows = gateway.rows(rows_before + seen)
    assert len(rows) - rows_before >= seen
    # A call that had not reached the upstream when its client left has a row as well.
    assert len(rows) - rows_before <= 310
    assert {row["outcome"] for row in rows} == {"ok", "client_closed"}


def client_sockets(gateway: Server) -> int:
    """Return how many connections of clients the only worker holds."""
    (pid,) = gateway.worker_pids()
    mine = f":{gateway.port:04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
    inodes = {f"socket:[{row[9]}]" for row in rows[1:] if row[1].endswith(mine)}
    return sum(target_of(link) in inodes for link in Path(f"/proc/{pid}/fd").iterdir())


@pytest.mark.proves("10.5")
def test_a_load_leaves_no_socket_of_a_client_open(gateway, upstream):
    asyncio.run(leave_at_random(gateway, 1))
    # The one it listens on.
    assert wait_until(lambda: client_sockets(gateway) == 1, 30)


@pytest.mark.proves("5.5")
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_client_that_leaves_while_we_connect(gateway, blackhole, stream):
    # The first status check tries to connect as well.
    assert wait_until(lambda: gateway.status("nowhere") != "pending", 60)
    assert wait_until(lambda: connecting(blackhole) == 0, 30)
    with Connection(gateway) as client:
        client.ask("nowhere", stream=stream)
        assert wait_until(lambda: connecting(blackhole) == 1, 30)
    assert gateway.soon(lambda: connecting(blackhole) == 0)
    row = last_row(gateway, "nowhere", 1 + stream)
    assert row["outcome"] == "client_closed"


@pytest.fixture(scope="module")
def impatient(server: Callable[..., Server], upstream: Replay) -> Server:
    """A server that soon gives up on who does not read, few calls at a time."""
    upstream.route("/flood", saying("x" * 60_000, 2000))
    message = {"role": "assistant", "content": "x" * 20_000_000}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    upstream.route("/big", json_reply({"id": "c", "choices": [choice]}))
    return server(
        registries.registry(
            *speaking(upstream, "flood"),
            registries.openai("mute", f"{upstream.url}/mute", "mute"),
            registries.openai("big", f"{upstream.url}/big", "big"),
            registries.openai("good", upstream.url, "good"),
        ),
        STALL_SECONDS=f"{STALL_SECONDS:.0f}",
        CALLS_PER_WORKER=str(len(STREAMING)),
    )


@pytest.mark.proves("5.4")
def test_clients_that_stop_reading_are_let_go_on_both_sides(impatient, upstream):
    upstream.clear()
    clients = [Connection(impatient) for _ in STREAMING]
    with Watch(impatient) as watch:
        for way, client in zip(STREAMING, clients, strict=True):
            client.ask(way.model("flood"), way.door, stream=True)
        for client in clients:
            client.read_until(b"xxx")
        assert len(upstream.calls) == len(clients)
        assert upstream.wait_until(lambda: upstream.open == 0, 30)
    for way, client in zip(STREAMING, clients, strict=True):
        where = {"model": way.model("flood"), "door": way.door.name}
        rows = impatient.rows(1, **where)
        assert [row["outcome"] for row in rows] == ["client_stalled"], way
        # Reading goes on until the connection turns out to be gone.
        assert client.is_closed()
        client.socket.close()
    assert watch.growth < len(clients) * 8 << 20


def read_slowly(impatient: Server) -> bool:
    """Read a whole answer for longer than the server's patience; tell whether it came.

    It may end where its reader pauses for as long as that, as it may be made to.
    """
    reads = [time.monotonic()]
    with Connection(impatient) as slow:
        slow.ask("big")
        try:
            for _ in range(3):
                time.sleep(0.5 * STALL_SECONDS)
                slow.read_until(b"x" * 4_000_000)
                reads.append(time.monotonic())
            slow.read_until(b"stop")
        except (EOFError, ConnectionError):
            reads.append(time.monotonic())
            assert max(b - a for a, b in pairwise(reads)) >= STALL_SECONDS
            return False
    return True


def test_a_whole_answer_that_is_read_slowly_comes_to_its_end(impatient):
    assert wait_until(lambda: read_slowly(impatient), 60)


def is_refused_until_let_go(impatient: Server) -> bool:
    """Do not read a whole answer; tell whether its place was seen to be taken.

    It may have been given back by then, to who took as long as the server's patience.
    """
    began = time.monotonic()
    with Connection(impatient) as still:
        still.ask("big")
        still.read_until(b"HTTP/1.1 200")
        is_refused = impatient.chat("good").status_code == 503
        assert is_refused or time.monotonic() - began >= STALL_SECONDS
        assert wait_until(lambda: impatient.chat("good").status_code == 200, 30)
        assert still.is_closed()
    return is_refused


def test_a_whole_answer_that_nobody_reads_is_let_go(impatient, upstream):
    with asked_elsewhere(impatient, upstream):
        assert wait_until(lambda: is_refused_until_let_go(impatient), 60)


@contextmanager
def asked_elsewhere(impatient: Server, upstream: Replay) -> Iterator[None]:
    """Take all places of a server but one."""
    upstream.clear()
    others = [Connection(impatient) for _ in STREAMING[1:]]
    for each in others:
        each.ask("mute")
    assert upstream.wait_until(lambda: upstream.open == len(others))
    yield
    for each in others:
        each.socket.close()
