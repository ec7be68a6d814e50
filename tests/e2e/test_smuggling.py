"""Requests that servers end in different places, sent to the server as it runs."""

import re
from collections.abc import Callable

import pytest

from tests.e2e import dialects, registries
from tests.e2e.processes import Server
from tests.e2e.raw import Connection, Watch, chat_body, request
from tests.e2e.replay import Replay, Reply
from tests.smuggling import READ, REFUSED

MIB = 1 << 20
STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")


@pytest.fixture(scope="module")
def gateway(server: Callable[..., Server], replay: Replay) -> Server:
    """A server with a good provider, and one that never answers."""
    dialects.install(replay)
    replay.route("/mute", Reply(hold=True))
    return server(
        registries.registry(
            registries.openai("good", replay.url, "good"),
            registries.openai("mute", f"{replay.url}/mute", "mute"),
        )
    )


def statuses(client: Connection) -> list[int]:
    """Return the statuses of all answers until the server closes."""
    told = b""
    try:
        while more := client.socket.recv(65536):
            told += more
    except ConnectionResetError:
        pass
    return [int(status) for status in STATUS.findall(told)]


@pytest.mark.proves("1.5")
@pytest.mark.parametrize("is_cut", [False, True], ids=["whole", "in two"])
def test_nothing_behind_an_ambiguous_request_is_taken_for_another(
    gateway, replay, is_cut
):
    replay.clear()
    behind = request(gateway, chat_body("good", "smuggled"))
    for kind, data in REFUSED.items():
        with Connection(gateway) as client:
            sent = data + behind
            half = len(data) // 2 if is_cut else 0
            client.send(sent[:half])
            client.send(sent[half:])
            found = statuses(client)
        assert len(found) <= 1, kind
        assert all(400 <= each < 500 or each == 501 for each in found), kind
    assert not replay.calls


def test_what_stands_behind_an_unusual_request_is_answered(gateway, replay):
    replay.clear()
    behind = request(gateway, chat_body("good", "second"), "Connection: close")
    answered = 0
    for kind, data in READ.items():
        with Connection(gateway) as client:
            client.send(data + behind)
            found = statuses(client)
        assert 500 not in found, kind
        answered += found[-1] == 200
    assert len(replay.calls) == answered > 0
    assert gateway.chat("good").status_code == 200


@pytest.mark.proves("5.4")
def test_requests_behind_one_that_is_not_answered_are_not_taken_in_without_end(
    gateway, replay
):
    gateway.settle_down("good")
    # What a first call loads is loaded.
    assert gateway.chat("good").status_code == 200
    assert gateway.rows(len(replay.calls), model="good")
    replay.clear()
    piece = request(gateway, chat_body("good", "x" * 60_000))
    sent = 0
    with Watch(gateway) as watch, Connection(gateway) as client:
        client.ask("mute")
        assert replay.wait_until(lambda: replay.open == 1)
        client.socket.settimeout(1)
        try:
            while sent < 50 * MIB:
                client.send(piece)
                sent += len(piece)
        except TimeoutError:
            pass
    # What the sockets' buffers take, and not more.
    assert sent < 12 * MIB
    assert watch.growth < 2 * MIB
