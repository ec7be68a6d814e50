"""What the upstreams of tests must not do to other tests."""

import gc
import socket
import warnings

from tests.e2e.replay import Replay, Reply

REQUEST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"


def test_a_client_that_does_not_read_leaves_nothing_open_behind_an_upstream():
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        with socket.socket() as client:
            with Replay() as upstream:
                upstream.route("/", Reply(200, [b"x" * (32 << 20)]))
                client.connect(("127.0.0.1", upstream.port))
                client.sendall(REQUEST)
                assert client.recv(1)
            gc.collect()
    assert [str(each.message) for each in told] == []
