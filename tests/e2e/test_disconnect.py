"""Clients that leave: the upstream is let go at once, and the row says why."""

import asyncio
import json
import os
import random
import signal
import socket
import time
from collections.abc import Callable, Iterator

import aiohttp
import pytest

from tests.e2e import dialects, registries
from tests.e2e.processes import Server, chat, wait_until
from tests.e2e.raw import Connection, Watch
from tests.e2e.replay import Replay, Reply, json_reply

STREAM = {"content-type": "text/event-stream"}
PATIENCE = 1.0


def event(text: str) -> bytes:
    """Return one event of OpenAI's stream."""
    delta = {"role": "assistant", "content": text}
    choice = {"index": 0, "delta": delta, "finish_reason": None}
    return b"data: " + json.dumps({"id": "c", "choices": [choice]}).encode() + b"\n\n"


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
    replay.route("/mute", Reply(hold=True))
    replay.route("/silent", Reply(200, [event("One")] * 2, STREAM, hold=True))
    replay.route("/endless", Reply(200, [event("word ")] * 3000, STREAM, pause=0.02))
    whole = json.dumps({"id": "c", "object": "chat.completion"}).encode()[:20]
    replay.route("/half", Reply(200, [whole], {"x": "y"}, hold=True))
    return replay


@pytest.fixture(scope="module")
def registry(upstream: Replay, blackhole: int) -> dict:
    """A provider for each way to hang."""
    return registries.registry(
        *(
            registries.openai(name, f"{upstream.url}/{name}", name)
            for name in ("mute", "silent", "endless", "half")
        ),
        registries.openai("good", upstream.url, "good"),
        registries.openai(
            "nowhere",
            f"http://127.0.0.1:{blackhole}",
            "nowhere",
            timeouts={"connect": 60},
        ),
    )


@pytest.fixture(scope="module")
def gateway(server: Callable[..., Server], registry: dict) -> Server:
    """One worker, so that what leaks is seen."""
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


@pytest.mark.proves("5.5")
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_client_that_leaves_before_the_upstream_answers(gateway, upstream, stream):
    upstream.clear()
    with Connection(gateway) as client:
        client.ask("mute", stream=stream)
        assert upstream.wait_until(lambda: upstream.open == 1)
    assert upstream.wait_until(lambda: upstream.open == 0, PATIENCE)
    assert upstream.calls[0].client_left
    row = last_row(gateway, "mute", 1 + stream)
    assert (row["outcome"], row["stream"]) == ("client_closed", stream)


def test_a_client_that_leaves_in_the_middle_of_a_whole_answer(gateway, upstream):
    upstream.clear()
    with Connection(gateway) as client:
        client.ask("half")
        assert upstream.wait_until(lambda: upstream.open == 1)
        time.sleep(0.2)
    assert upstream.wait_until(lambda: upstream.open == 0, PATIENCE)
    assert last_row(gateway, "half")["outcome"] == "client_closed"


@pytest.mark.proves("5.5")
def test_a_client_that_leaves_while_the_upstream_is_silent(gateway, upstream):
    upstream.clear()
    with Connection(gateway) as client:
        client.ask("silent", stream=True)
        client.read_until(b"One")
        client.read_until(b"One")
        time.sleep(0.2)
    assert upstream.wait_until(lambda: upstream.open == 0, PATIENCE)
    row = last_row(gateway, "silent")
    assert (row["outcome"], row["estimated"]) == ("client_closed", 1)
    assert row["output_tokens"] >= 1


@pytest.mark.proves("5.5")
def test_a_client_that_leaves_in_mid_stream(gateway, upstream):
    upstream.clear()
    with Connection(gateway) as client:
        client.ask("endless", stream=True)
        for _ in range(20):
            client.read_until(b"word")
    assert upstream.wait_until(lambda: upstream.open == 0, PATIENCE)
    row = last_row(gateway, "endless")
    assert (row["outcome"], row["estimated"]) == ("client_closed", 1)
    assert row["output_tokens"] >= 10


@pytest.mark.proves("5.5")
def test_three_hundred_that_leave_at_random_leave_nothing_behind(gateway, upstream):
    upstream.clear()
    dice = random.Random(20260102)
    rows_before = len(gateway.rows())

    async def leave(session: aiohttp.ClientSession) -> None:
        model = dice.choice(["mute", "silent", "endless", "half", "good"])
        body = {**chat(model), "stream": dice.random() < 0.7}
        try:
            async with asyncio.timeout(dice.uniform(0.0, 0.3)):
                async with session.post(gateway.chat_url, json=body) as response:
                    async for _ in response.content.iter_any():
                        pass
        except TimeoutError:
            return

    async def all_of_them() -> None:
        connector = aiohttp.TCPConnector(limit=0, force_close=True)
        async with aiohttp.ClientSession(connector=connector) as session:
            for _ in range(6):
                await asyncio.gather(*(leave(session) for _ in range(50)))

    asyncio.run(all_of_them())
    assert upstream.wait_until(lambda: upstream.open == 0, 5)
    assert [gateway.chat("good").status_code for _ in range(10)] == [200] * 10
    seen = len(upstream.calls)
    rows = gateway.rows(rows_before + seen)
    assert len(rows) - rows_before >= seen
    # A call that had not reached the upstream when its client left has a row as well.
    assert len(rows) - rows_before <= 310
    assert {row["outcome"] for row in rows} == {"ok", "client_closed"}


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
    """A server that soon gives up on who does not read, one call at a time."""
    upstream.route("/flood", Reply(200, [event("x" * 60_000)] * 2000, STREAM))
    message = {"role": "assistant", "content": "x" * 20_000_000}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    upstream.route("/big", json_reply({"id": "c", "choices": [choice]}))
    return server(
        registries.registry(
            registries.openai("flood", f"{upstream.url}/flood", "flood"),
            registries.openai("big", f"{upstream.url}/big", "big"),
            registries.openai("good", upstream.url, "good"),
        ),
        STALL_SECONDS="1",
        CALLS_PER_WORKER="1",
    )


@pytest.mark.proves("5.4")
def test_a_client_that_stops_reading_is_let_go_on_both_sides(impatient, upstream):
    upstream.clear()
    with Watch(impatient) as watch, Connection(impatient) as client:
        client.ask("flood", stream=True)
        client.read_until(b"xxx")
        assert upstream.wait_until(lambda: len(upstream.calls) == 1)
        assert upstream.wait_until(lambda: upstream.open == 0, 6)
        assert last_row(impatient, "flood")["outcome"] == "client_stalled"
        # Reading goes on until the connection turns out to be gone.
        assert client.is_closed()
    assert watch.growth < 8 << 20


def test_a_whole_answer_that_nobody_reads_is_let_go(impatient):
    with Connection(impatient) as slow:
        slow.ask("big")
        slow.read_until(b"\r\n\r\n")
        # Longer than its patience, with no pause that is.
        for _ in range(3):
            time.sleep(0.5)
            slow.read_until(b"x" * 4_000_000)
        slow.read_until(b"stop")
    with Connection(impatient) as still:
        still.ask("big")
        still.read_until(b"HTTP/1.1 200")
        assert impatient.chat("good").status_code == 503
        assert wait_until(lambda: impatient.chat("good").status_code == 200, 5)
        assert still.is_closed()


@pytest.fixture(scope="module")
def pair(server: Callable[..., Server], registry: dict) -> Server:
    """Two workers that lose no time when they have to end."""
    return server(registry, workers=2, DRAIN_SECONDS="1")


@pytest.mark.proves("8.2", "10.3")
def test_a_killed_worker_loses_no_row(pair, upstream):
    upstream.clear()
    clients = [Connection(pair) for _ in range(50)]
    for client in clients:
        client.ask("endless", stream=True)
    for client in clients:
        client.read_until(b"word")
    assert upstream.wait_until(lambda: len(upstream.calls) == 50)
    owners = {client: client.worker() for client in clients}
    victim = pair.worker_pids()[0]
    killed = [client for client in clients if owners[client] == victim]
    os.kill(victim, signal.SIGKILL)
    assert upstream.wait_until(lambda: upstream.open == 50 - len(killed), 5)
    for client in clients:
        client.socket.close()
    assert upstream.wait_until(lambda: upstream.open == 0, 5)
    rows = pair.rows(50, 10)
    assert len(rows) == len(upstream.calls) == 50
    outcomes = [row["outcome"] for row in rows]
    assert outcomes.count("interrupted") == len(killed)
    assert outcomes.count("client_closed") == 50 - len(killed)
    assert wait_until(lambda: len(pair.worker_pids()) == 2, 5)
    assert pair.chat("good").status_code == 200


def test_sigterm_is_heard_while_the_workers_start(server, registry):
    made = server(registry, workers=2)
    began = time.monotonic()
    # The second worker may still be loading.
    assert made.stop(seconds=30) == 0
    assert time.monotonic() - began < 12


@pytest.mark.proves("10.1")
def test_sigterm_lets_a_call_come_to_its_end(server, registry, upstream):
    upstream.route("/slow", Reply(200, [event("word ")] * 10, STREAM, pause=0.05))
    upstream.route("/endless-whole", Reply(hold=True))
    made = server(
        registries.registry(
            registries.openai("slow", f"{upstream.url}/slow", "slow"),
            registries.openai("held", f"{upstream.url}/endless-whole", "held"),
        ),
        DRAIN_SECONDS="3",
    )
    upstream.clear()
    with Connection(made) as slow, Connection(made) as held:
        slow.ask("slow", stream=True)
        held.ask("held")
        slow.read_until(b"word")
        assert upstream.wait_until(lambda: len(upstream.calls) == 2)
        os.kill(made.pid, signal.SIGTERM)
        # The upstream's stream has no end marker: that is its end as it was sent.
        slow.read_until(b"upstream_stream_truncated")
        told = held.answer()
    assert made.stop() == 0
    assert (told.status, told.code) == (503, "shutting_down")
    assert told.headers["retry-after"]
    outcomes = {row["model"]: row["outcome"] for row in made.rows(2)}
    assert outcomes == {"slow": "upstream_error", "held": "shutdown"}


@pytest.mark.proves("8.2", "10.1")
def test_sigterm_ends_streams_with_a_word_and_writes_their_rows(
    server, registry, upstream
):
    made = server(registry, workers=2, DRAIN_SECONDS="1")
    upstream.clear()
    clients = [Connection(made) for _ in range(10)]
    for client in clients:
        client.ask("endless", stream=True)
    for client in clients:
        client.read_until(b"word")
    idle = Connection(made)
    began = time.monotonic()
    assert made.stop(seconds=30) == 0
    assert 1 <= time.monotonic() - began < 10
    assert idle.is_closed()
    idle.socket.close()
    for client in clients:
        rest = client.read_until(b"shutting_down").decode()
        assert "[DONE]" not in rest
        client.socket.close()
    assert len(made.rows(10, outcome="shutdown")) == 10
    assert len(made.rows(10)) == 10
