"""A server that ends: its calls come to their end or get a last word, and a row."""

import os
import signal
import threading
import time
from collections.abc import Callable
from itertools import cycle, islice

import pytest

from tests.e2e import dialects, registries, ways
from tests.e2e.processes import START_SECONDS, STOP_SECONDS, Server, wait_until
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
    assert upstream.wait_until(lambda: upstream.open == 50 - len(killed))
    for client in clients:
        client.socket.close()
    assert upstream.wait_until(lambda: upstream.open == 0)
    rows = pair.rows(50)
    assert len(rows) == len(upstream.calls) == 50
    outcomes = [row["outcome"] for row in rows]
    assert outcomes.count("interrupted") == len(killed)
    assert outcomes.count("client_closed") == 50 - len(killed)
    assert wait_until(lambda: len(pair.worker_pids()) == 2, START_SECONDS)
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
    assert made.stop() == 0


def test_sigterm_is_heard_while_the_workers_start(server, registry):
    made = server(registry, workers=2)
    # The second worker may still be loading. One that had not heard would be killed
    # 15 seconds behind the drain, of 60.
    assert made.stop(seconds=70) == 0


@pytest.mark.proves("10.1")
def test_sigterm_lets_a_call_come_to_its_end(server, upstream):
    may_end = threading.Event()
    upstream.route("/slow", ways.saying("word ", 10, may_end=may_end.is_set))
    made = server(registries.registry(*ways.speaking(upstream, "slow")))
    streams = [Connection(made) for _ in STREAMING]
    for way, client in zip(STREAMING, streams, strict=True):
        client.ask(way.model("slow"), way.door, stream=True)
    for client in streams:
        client.wait_for(b"word")
    made.begin_to_stop()
    assert wait_until(lambda: is_draining(made), STOP_SECONDS)
    may_end.set()
    said = [client.answer().body for client in streams]
    for client in streams:
        client.socket.close()
    assert made.stop() == 0
    for way, body in zip(STREAMING, said, strict=True):
        # The upstream's stream has no end marker: that is its end as it was sent.
        assert body.count(b"word ") == 10, way
        assert b"ended before" in body, way
        if not way.is_relayed:
            assert way.door.said_in(body).text == "word " * 10
    outcomes = [row["outcome"] for row in made.rows(len(said))]
    assert outcomes == ["upstream_error"] * len(said)


def is_draining(server: Server) -> bool:
    """Tell whether a server that is to end takes no connection any more."""
    try:
        Connection(server).socket.close()
    except ConnectionError:
        return True
    return False


@pytest.mark.proves("10.1")
def test_sigterm_refuses_a_call_that_nobody_answers_in_time(server, upstream):
    made = server(
        registries.registry(*ways.speaking(upstream, "mute")), DRAIN_SECONDS="1"
    )
    upstream.clear()
    waiting = [Connection(made) for _ in EVERY]
    for way, client in zip(EVERY, waiting, strict=True):
        client.ask(way.model("mute"), way.door, stream=False)
    assert upstream.wait_until(lambda: len(upstream.calls) == len(EVERY))
    made.begin_to_stop()
    refused = [client.answer().as_response() for client in waiting]
    for client in waiting:
        client.socket.close()
    assert made.stop() == 0
    for way, answer in zip(EVERY, refused, strict=True):
        way.door.check_refused(answer, 503, "shutting_down")
        assert answer.headers["retry-after"]
    outcomes = [row["outcome"] for row in made.rows(len(refused))]
    assert outcomes == ["shutdown"] * len(refused)


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
    # One that is killed for being late would say nothing.
    assert made.stop() == 0
    assert time.monotonic() - began >= 1
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
