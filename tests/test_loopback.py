"""What the servers of tests must not do to other tests."""

import gc
import socket
import threading
import warnings

import pytest

from tests.e2e.processes import free_port
from tests.e2e.replay import Replay, Reply
from tests.faults import FaultServer

REQUEST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"


def test_a_client_that_does_not_read_leaves_nothing_open_behind_an_upstream():
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        # What others left is not counted.
        gc.collect()
        told.clear()
        with socket.socket() as client:
            with Replay() as upstream:
                upstream.route("/", Reply(200, [b"x" * (32 << 20)]))
                client.connect(("127.0.0.1", upstream.port))
                client.sendall(REQUEST)
                assert client.recv(1)
            gc.collect()
    assert [str(each.message) for each in told] == []


def test_a_port_is_kept_for_the_server_that_asks_for_it_by_its_number():
    port = free_port()
    with socket.socket() as stranger, pytest.raises(OSError, match="in use"):
        stranger.bind(("127.0.0.1", port))
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    for _ in range(2):  # It may start again.
        with socket.create_server(("127.0.0.1", port)):
            socket.create_connection(("127.0.0.1", port)).close()


def test_a_connection_that_comes_while_an_upstream_stops_is_closed():
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        gc.collect()
        told.clear()  # what others left
        goes_on = threading.Event()
        with socket.socket() as client:
            with FaultServer() as upstream:
                loop = upstream._thread._loop
                loop.call_soon_threadsafe(goes_on.wait)
                client.connect(("127.0.0.1", upstream.port))
                threading.Timer(0.1, goes_on.set).start()
            gc.collect()
    assert [str(each.message) for each in told] == []
