"""Clients that leave: the upstream is let go at once, and the row says why."""

import asyncio
import random
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import pytest

from tests.e2e import dialects, registries, ways
from tests.e2e.processes import Server, wait_until
from tests.e2e.raw import Connection, Watch, target_of
from tests.e2e.replay import Replay, json_reply
from tests.e2e.ways import EVERY, STREAMING, Way, saying, speaking

PATIENCE = 1.0


@pytest.fixture(scope="module")
def blackhole() -> Iterator[int]:
    """A port where connections are neither accepted nor refused: its queue is full."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        waiting = []
        for _ in range(3):
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", port))
            waiting.append(client)
        yield port
        for client in waiting:
            client.close()


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


def connecting(server: Server, port: int) -> int:
    """Return how many connections of the workers to `port` are not yet made."""
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
    assert upstream.wait_until(lambda: upstream.open == 0, PATIENCE)
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
    assert upstream.wait_until(lambda: upstream.open == 0, 5)
    assert [gateway.chat("good").status_code for _ in range(10)] == [200] * 10
    seen = len(upstream.calls)
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
    assert wait_until(lambda: client_sockets(gateway) == 1, 5)


@pytest.mark.proves("5.5")
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_client_that_leaves_while_we_connect(gateway, blackhole, stream):
    # The first status check tries to connect as well.
    assert wait_until(lambda: gateway.status("nowhere") != "pending", 15)
    before = connecting(gateway, blackhole)
    with Connection(gateway) as client:
        client.ask("nowhere", stream=stream)
        assert wait_until(lambda: connecting(gateway, blackhole) > before, 5)
    left = time.monotonic()
    assert wait_until(lambda: connecting(gateway, blackhole) == before, PATIENCE)
    assert time.monotonic() - left < PATIENCE
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
        STALL_SECONDS="1",
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
        assert upstream.wait_until(lambda: upstream.open == 0, 6)
    for way, client in zip(STREAMING, clients, strict=True):
        where = {"model": way.model("flood"), "door": way.door.name}
        rows = impatient.rows(1, **where)
        assert [row["outcome"] for row in rows] == ["client_stalled"], way
        # Reading goes on until the connection turns out to be gone.
        assert client.is_closed()
        client.socket.close()
    assert watch.growth < len(clients) * 8 << 20


def test_a_whole_answer_that_nobody_reads_is_let_go(impatient, upstream):
    with Connection(impatient) as slow:
        slow.ask("big")
        slow.read_until(b"\r\n\r\n")
        # Longer than its patience, with no pause that is.
        for _ in range(3):
            time.sleep(0.5)
            slow.read_until(b"x" * 4_000_000)
        slow.read_until(b"stop")
    with Connection(impatient) as still, asked_elsewhere(impatient, upstream):
        still.ask("big")
        still.read_until(b"HTTP/1.1 200")
        assert impatient.chat("good").status_code == 503
        assert wait_until(lambda: impatient.chat("good").status_code == 200, 5)
        assert still.is_closed()


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
