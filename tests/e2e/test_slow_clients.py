"""Clients that send slowly, and what everybody else notices of them."""

from collections.abc import Callable
from contextlib import ExitStack
from itertools import cycle

import pytest

from tests import doors
from tests.e2e import dialects, registries
from tests.e2e.processes import PATIENCE, Server, wait_until
from tests.e2e.raw import Connection, chat_body, request
from tests.e2e.replay import Replay

SECONDS = 3
DRIPPING = 300


@pytest.fixture(scope="module")
def gateway(server: Callable[..., Server], replay: Replay) -> Server:
    """A server with little patience."""
    dialects.install(replay)
    registry = registries.registry(registries.openai("good", replay.url, "good"))
    return server(registry, HEADER_TIMEOUT=str(SECONDS))


def is_nobody_elses_trouble(gateway: Server) -> bool:
    """Send headers that do not end; tell whether others were answered meanwhile.

    Whoever is late may find the connections closed by then.
    """
    with ExitStack() as stack:
        used, *dripping = (
            stack.enter_context(Connection(gateway)) for _ in range(1 + DRIPPING)
        )
        used.send(request(gateway, chat_body("good")))
        assert used.answer().status == 200
        paths = cycle(door.path.encode() for door in doors.EVERY)
        for client in dripping:
            client.send(b"POST %b HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A" % next(paths))
        assert gateway.chat("good").status_code == 200
        is_in_time = not any(client.is_closed(0) for client in dripping)
        assert all(client.is_closed() for client in dripping)
        # In use, it outlives the time for its first headers.
        assert not used.is_closed(0)
        used.send(request(gateway, chat_body("good")))
        assert used.answer().status == 200
    return is_in_time


@pytest.mark.proves("1.4")
def test_headers_that_drip_in_cost_the_connection_and_nobody_else(gateway):
    assert wait_until(lambda: is_nobody_elses_trouble(gateway), PATIENCE)
