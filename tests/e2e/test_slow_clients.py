"""Clients that send slowly, and what everybody else notices of them."""

import time
from collections.abc import Callable
from itertools import cycle

import pytest

from tests import doors
from tests.e2e import dialects, registries
from tests.e2e.processes import Server
from tests.e2e.raw import Connection, chat_body, request
from tests.e2e.replay import Replay

SECONDS = 3


@pytest.fixture(scope="module")
def gateway(server: Callable[..., Server], replay: Replay) -> Server:
    """A server with little patience."""
    dialects.install(replay)
    registry = registries.registry(registries.openai("good", replay.url, "good"))
    return server(registry, HEADER_TIMEOUT=str(SECONDS))


@pytest.mark.proves("1.4")
def test_headers_that_drip_in_cost_the_connection_and_nobody_else(gateway):
    with Connection(gateway) as used:
        used.send(request(gateway, chat_body("good")))
        assert used.answer().status == 200
        dripping = [Connection(gateway) for _ in range(300)]
        paths = cycle(door.path.encode() for door in doors.EVERY)
        began = time.monotonic()
        for client in dripping:
            client.send(b"POST %b HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A" % next(paths))
        assert gateway.chat("good").status_code == 200
        assert time.monotonic() - began < SECONDS
        assert all(client.is_closed(SECONDS + 3) for client in dripping)
        for client in dripping:
            client.socket.close()
        # In use, it outlives the time for its first headers.
        assert not used.is_closed(0.3)
        used.socket.settimeout(20)
        used.send(request(gateway, chat_body("good")))
        assert used.answer().status == 200
