"""A server that ends: its calls come to their end or get a last word, and a row."""

import os
import signal
import time
from collections.abc import Callable
from itertools import cycle, islice

import pytest

from tests.e2e import dialects, registries, ways
from tests.e2e.processes import Server, wait_until
from tests.e2e.raw import Connection
from tests.e2e.replay import Replay
from tests.e2e.ways import EVERY, STREAMING


@pytest.fixture(scope="module")
def upstream(replay: Replay) -> Replay:
    """Good answers, and some that never end."""
    dialects.install(replay)
    ways.install(replay)
    return replay


@pytest.fixture(scope="module")
def registry(upstream: Replay) -> dict:
    """A provider for each way to hang, in each format."""
    good = registries.openai("good", upstream.url, "good")
    return registries.registry(*ways.hanging(upstream), good)


@pytest.fixture(scope="module")
def pair(server: Callable[..., Server], registry: dict) -> Server:
    """Two workers that lose no time when they have to end."""
    return server(registry, workers=2, DRAIN_SECONDS="1")


@pytest.mark.proves("8.2", "10.3")
def test_a_killed_worker_loses_no_row(pair, upstream):
    upstream.clear()
    clients = [Connection(pair) for _ in range(50)]
    for way, client in zip(cycle(STREAMING), clients, strict=False):
        client.ask(way.model("endless"), way.door, stream=True)
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


@pytest.mark.parametrize("forked", [1, 2, 4])
def test_sigterm_is_heard_by_a_worker_that_was_forked_a_moment_ago(
    tmp_path, installation, forked
):
    made = Server(tmp_path, workers=4)
    made.adopt(installation)
    made.begin_to_start()
    while len(made.worker_pids()) < forked:
        time.sleep(0.002)
    assert made.stop(seconds=15) == 0


def test_sigterm_is_heard_while_the_workers_start(server, registry):
    made = server(registry, workers=2)
    began = time.monotonic()
    # The second worker may still be loading.
    assert made.stop(seconds=30) == 0
    assert time.monotonic() - began < 12


@pytest.mark.proves("10.1")
def test_sigterm_lets_a_call_come_to_its_end(server, upstream):
    upstream.route("/slow", ways.saying("word ", 10, pause=0.05))
    slow, held = ways.speaking(upstream, "slow"), ways.speaking(upstream, "mute")
    made = server(registries.registry(*slow, *held), DRAIN_SECONDS="3")
    upstream.clear()
    streams = [Connection(made) for _ in STREAMING]
    waiting = [Connection(made) for _ in EVERY]
    for way, client in zip(STREAMING, streams, strict=True):
        client.ask(way.model("slow"), way.door, stream=True)
    for way, client in zip(EVERY, waiting, strict=True):
        client.ask(way.model("mute"), way.door, stream=False)
    for client in streams:
        client.wait_for(b"word")
    assert upstream.wait_until(lambda: len(upstream.calls) == len(STREAMING + EVERY))
    os.kill(made.pid, signal.SIGTERM)
    said = [client.answer().body for client in streams]
    refused = [client.answer().as_response() for client in waiting]
    for client in streams + waiting:
        client.socket.close()
    assert made.stop() == 0
    for way, body in zip(STREAMING, said, strict=True):
        # The upstream's stream has no end marker: that is its end as it was sent.
        assert body.count(b"word ") == 10, way
        assert b"ended before" in body, way
        if not way.is_relayed:
            assert way.door.said_in(body).text == "word " * 10
    for way, answer in zip(EVERY, refused, strict=True):
        way.door.check_refused(answer, 503, "shutting_down")
        assert answer.headers["retry-after"]
    outcomes = sorted(row["outcome"] for row in made.rows(len(said + refused)))
    assert outcomes == ["shutdown"] * len(refused) + ["upstream_error"] * len(said)


@pytest.mark.proves("8.2", "10.1")
def test_sigterm_ends_streams_with_a_word_and_writes_their_rows(
    server, registry, upstream
):
    made = server(registry, workers=2, DRAIN_SECONDS="1")
    upstream.clear()
    among = list(islice(cycle(STREAMING), 2 * len(STREAMING)))
    clients = [Connection(made) for _ in among]
    for way, client in zip(among, clients, strict=True):
        client.ask(way.model("endless"), way.door, stream=True)
    for client in clients:
        client.wait_for(b"word")
    idle = Connection(made)
    began = time.monotonic()
    assert made.stop(seconds=30) == 0
    assert 1 <= time.monotonic() - began < 10
    assert idle.is_closed()
    idle.socket.close()
    for way, client in zip(among, clients, strict=True):
        body = client.answer().body
        client.socket.close()
        assert b"shutting down" in body, way
        if not way.is_relayed:
            assert "shutting down" in way.door.said_in(body).failure
    assert len(made.rows(len(among), outcome="shutdown")) == len(among)
    assert len(made.rows(len(among))) == len(among)
