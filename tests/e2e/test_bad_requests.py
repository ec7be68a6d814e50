"""Requests that no well-behaved client sends, over bare sockets."""

import json
import time
from collections.abc import Callable

import pytest

from gateway.entry.receiving import UNWANTED_SECONDS
from tests.e2e import dialects, registries
from tests.e2e.processes import PATIENCE, Server, wait_until
from tests.e2e.raw import Connection, Watch, chat_body, chunked, head, request
from tests.e2e.replay import Replay

MIB = 1 << 20
LIMIT = 20 * MIB
BODY = chat_body("good", "Grüße")
LENGTH = f"Content-Length: {len(BODY)}"


@pytest.fixture(scope="module")
def gateway(server: Callable[..., Server], replay: Replay) -> Server:
    """A server with one good provider."""
    dialects.install(replay)
    registry = registries.registry(registries.openai("good", replay.url, "good"))
    return server(registry)


@pytest.fixture(scope="module")
def key(gateway: Server) -> str:
    """An agent's key."""
    return gateway.key("tester")


def is_answered(gateway: Server) -> bool:
    """Tell whether a good request is answered."""
    return gateway.chat("good").status_code == 200


# --- chunked bodies ---


@pytest.mark.proves("1.3")
@pytest.mark.parametrize("size", [1, 7, 1000], ids=lambda size: f"{size} bytes each")
def test_a_chunked_body_is_read_like_any_other(gateway, size):
    parts = [BODY[i : i + size] for i in range(0, len(BODY), size)]
    with Connection(gateway) as client:
        client.send(head(gateway, "Transfer-Encoding: chunked") + chunked(parts))
        slow = client.answer()
        client.send(request(gateway, BODY))
        fast = client.answer()
    assert slow.status == fast.status == 200
    said = [json.loads(each.body)["choices"][0]["message"] for each in (slow, fast)]
    assert said[0] == said[1]
    assert said[0]["content"] == "You said: Grüße"


@pytest.mark.proves("1.1")
def test_a_chunked_body_over_the_limit_is_refused_as_it_comes(gateway, replay):
    replay.clear()
    piece = b"x" * MIB
    sent = 0
    with Watch(gateway) as watch, Connection(gateway) as client:
        client.send(head(gateway, "Transfer-Encoding: chunked"))
        try:
            for _ in range(300):
                client.send(b"%x\r\n%b\r\n" % (len(piece), piece))
                sent += len(piece)
        except ConnectionError:
            pass
        answer = client.answer()
    # The answer may be lost when the server closes while we still send.
    assert answer.status in {413, 0}
    assert sent < 100 * MIB
    assert watch.growth < LIMIT * 2 + MIB
    assert not replay.calls
    assert is_answered(gateway)


@pytest.mark.proves("1.1")
@pytest.mark.parametrize("length", [LIMIT + 1, 10**12], ids=["one over", "a terabyte"])
def test_an_announced_body_over_the_limit_is_refused_unread(gateway, length):
    with Connection(gateway) as client:
        client.send(head(gateway, f"Content-Length: {length}") + b"{")
        answer = client.answer()
        assert client.is_closed()
    assert (answer.status, answer.code) == (413, "request_too_large")
    assert answer.headers["connection"] == "close"


def test_a_body_within_the_limit_passes(gateway):
    with Watch(gateway) as watch:
        answer = gateway.chat("good", "y" * (15 * MIB))
    assert answer.status_code == 200
    assert watch.growth < 400 * MIB


# --- framing ---

REFUSED = {
    "both lengths": [LENGTH, "Transfer-Encoding: chunked"],
    "two lengths": [LENGTH, "Content-Length: 3"],
    "the same length twice": [LENGTH, LENGTH],
    "a length list": [f"Content-Length: {len(BODY)}, {len(BODY)}"],
    "a signed length": [f"Content-Length: +{len(BODY)}"],
    "a negative length": ["Content-Length: -1"],
    "a length in hexadecimal": ["Content-Length: 0x10"],
    "an empty length": ["Content-Length: "],
    "a length with underscores": ["Content-Length: 1_0"],
    "an unknown coding": ["Transfer-Encoding: gzip"],
    "chunked not last": ["Transfer-Encoding: chunked, gzip"],
    "chunked twice": ["Transfer-Encoding: chunked, chunked"],
    "a space before the colon": [LENGTH, "X-Odd : 1"],
    "a folded line": [LENGTH, "X-Odd: a", " b"],
    "a line without a colon": [LENGTH, "nonsense"],
    "a control character": [LENGTH, "X-Odd: a\x00b"],
    "an empty name": [LENGTH, ": x"],
    "a long line": [LENGTH, "X-Long: " + "a" * 9000],
    "too many lines": [LENGTH, *(f"X-{n}: 1" for n in range(150))],
    "two hosts": [LENGTH, "Host: other.example"],
}


@pytest.mark.proves("1.5")
@pytest.mark.parametrize("lines", REFUSED.values(), ids=REFUSED.keys())
def test_ambiguous_framing_is_refused_and_the_connection_closed(gateway, replay, lines):
    replay.clear()
    with Connection(gateway) as client:
        client.send(head(gateway, *lines) + BODY)
        answer = client.answer()
        assert client.is_closed()
    assert 400 <= answer.status < 500 or answer.status == 501
    assert not replay.calls
    assert is_answered(gateway)


BROKEN = {
    "bare line feeds": b"POST /v1/chat/completions HTTP/1.1\nHost: 127.0.0.1\n"
    b"Content-Type: application/json\nContent-Length: 2\n\n{}",
    "a bare carriage return": b"POST /v1/chat/completions HTTP/1.1\r\n"
    b"Host: 127.0.0.1\r\nX-Odd: a\rContent-Length: 2\r\n\r\n{}",
    "no method": b" /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "an unknown version": b"POST /v1/chat/completions HTTP/3.7\r\n"
    b"Host: 127.0.0.1\r\n\r\n",
    "a long request line": b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n\r\n",
    "no HTTP at all": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN.keys())
def test_what_is_not_http_is_refused_and_the_connection_closed(gateway, replay, data):
    replay.clear()
    with Connection(gateway) as client:
        client.send(data)
        answer = client.answer()
        assert client.is_closed()
    assert 400 <= answer.status < 600
    assert answer.status != 500
    assert not replay.calls
    assert is_answered(gateway)


CHUNKS = {
    "a size that is no number": b"zz\r\n{}\r\n0\r\n\r\n",
    "a negative size": b"-2\r\n{}\r\n0\r\n\r\n",
    "a size with a prefix": b"0x2\r\n{}\r\n0\r\n\r\n",
    "a size too small": b"1\r\n{}\r\n0\r\n\r\n",
    "bare line feeds": b"2\n{}\n0\n\n",
}


@pytest.mark.parametrize("data", CHUNKS.values(), ids=CHUNKS.keys())
def test_broken_chunks_are_refused(gateway, replay, data):
    replay.clear()
    with Connection(gateway) as client:
        client.send(head(gateway, "Transfer-Encoding: chunked") + data)
        answer = client.answer()
        assert client.is_closed()
    assert answer.status == 0 or 400 <= answer.status < 500
    assert not replay.calls
    assert is_answered(gateway)


@pytest.mark.proves("1.5")
def test_a_smuggled_second_request_is_not_answered(gateway, replay):
    replay.clear()
    inner = request(gateway, chat_body("good", "smuggled"))
    with Connection(gateway) as client:
        lines = ["Content-Length: 4", "Transfer-Encoding: chunked"]
        client.send(head(gateway, *lines) + b"0\r\n\r\n" + inner)
        first = client.answer()
        assert first.status == 400
        assert client.answer().status == 0
    assert not replay.calls


# --- who calls ---


def test_two_authorization_headers_are_refused(gateway, key):
    with Connection(gateway) as client:
        line = f"Authorization: Bearer {key}"
        client.send(request(gateway, BODY, line, line))
        answer = client.answer()
    assert (answer.status, answer.code) == (400, "ambiguous_credentials")


@pytest.mark.proves("1.5")
def test_two_headers_with_different_keys_are_refused(gateway, key):
    with Connection(gateway) as client:
        lines = [f"Authorization: Bearer {key}", "x-api-key: ra_ag_other"]
        client.send(request(gateway, BODY, *lines))
        answer = client.answer()
    assert (answer.status, answer.code) == (400, "ambiguous_credentials")


@pytest.mark.proves("1.2")
def test_a_bad_key_is_answered_before_the_body_has_come(gateway):
    with Connection(gateway) as client:
        lines = ["Authorization: Bearer ra_ag_wrong", "Transfer-Encoding: chunked"]
        client.send(head(gateway, *lines))
        answer = client.answer()
    assert (answer.status, answer.code) == (401, "invalid_api_key")


def is_kept_after_refusals(gateway: Server) -> bool:
    """Send bodies behind refusals; tell whether each was sent as soon as they are.

    The server may close the connection to whoever takes longer.
    """
    with Connection(gateway) as client:
        for _ in range(2):
            began = time.monotonic()
            client.send(head(gateway, LENGTH, "Authorization: Bearer ra_ag_wrong"))
            refused = client.answer()
            assert refused.status == 401
            assert "connection" not in refused.headers
            client.send(BODY)
            if time.monotonic() - began >= UNWANTED_SECONDS:
                return False
        client.send(request(gateway, BODY))
        assert client.answer().status == 200
    return True


@pytest.mark.proves("1.2")
def test_a_connection_outlives_a_refusal_that_came_before_the_body(gateway):
    assert wait_until(lambda: is_kept_after_refusals(gateway), PATIENCE)


@pytest.mark.parametrize(
    "line",
    [
        "Transfer-Encoding: chunked",
        f"Content-Length: {MIB}",
        f"{LENGTH}\r\nExpect: 100-continue",
    ],
    ids=["chunked", "long", "yet to be asked for"],
)
def test_a_refusal_that_waits_for_no_body_says_that_it_closes(gateway, line):
    with Connection(gateway) as client:
        client.send(head(gateway, line, "Authorization: Bearer ra_ag_wrong"))
        answer = client.answer()
        assert client.is_closed()
    assert (answer.status, answer.headers["connection"]) == (401, "close")


@pytest.mark.proves("1.2")
def test_a_bad_key_with_an_endless_body_is_cut_off(gateway):
    gateway.settle_down("good")
    piece = b"4000\r\n" + b"x" * 0x4000 + b"\r\n"
    sent = 0
    with Watch(gateway) as watch, Connection(gateway) as client:
        lines = ["Authorization: Bearer ra_ag_wrong", "Transfer-Encoding: chunked"]
        client.send(head(gateway, *lines))
        answer = client.answer()
        client.socket.settimeout(5)
        try:
            while sent < 50 * MIB:
                client.send(piece)
                sent += len(piece)
        except (ConnectionError, TimeoutError):
            pass
    assert answer.status == 401
    # What the sockets' buffers take, and not more.
    assert sent < 8 * MIB
    assert watch.growth < 2 * MIB
    assert is_answered(gateway)


@pytest.mark.parametrize("lines", [["Origin: http://127.0.0.1"], ["Via: 1.1 proxy"]])
def test_a_keyless_call_through_a_proxy_or_browser_is_refused(gateway, lines):
    with Connection(gateway) as client:
        client.send(request(gateway, BODY, *lines))
        answer = client.answer()
    assert (answer.status, answer.code) == (401, "invalid_api_key")


# --- what it says ---

BAD_JSON = {
    "nothing": b"",
    "not UTF-8": b'{"model": "\xff"}',
    "UTF-16": '{"model": "good"}'.encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf" + BODY,
    "NaN": BODY[:-1] + b', "temperature": NaN}',
    "infinity": BODY[:-1] + b', "temperature": 1e400}',
    "a lone surrogate": BODY[:-1] + b', "user": "\\ud800"}',
    "a long number": BODY[:-1] + b', "seed": ' + b"1" * 5000 + b"}",
    "a key twice": BODY[:-1] + b', "model": "other"}',
    "a list": b"[]",
    "deep nesting": b'{"a": ' + b"[" * 200 + b"]" * 200 + b"}",
    "text after the end": BODY + b"}",
}


@pytest.mark.parametrize("body", BAD_JSON.values(), ids=BAD_JSON.keys())
def test_json_that_parsers_read_differently_is_refused(gateway, replay, body):
    replay.clear()
    with Connection(gateway) as client:
        client.send(request(gateway, body))
        answer = client.answer()
    assert (answer.status, answer.code) == (400, "invalid_json")
    assert not replay.calls


def test_many_values_for_few_bytes_are_refused_at_once(gateway):
    body = b'{"a": [' + b"[]," * (2 * MIB) + b"[]]}"
    with Connection(gateway) as client:
        client.send(request(gateway, body))
        answer = client.answer()
    assert (answer.status, answer.code) == (400, "request_too_complex")


@pytest.mark.parametrize("given", ["a b", "x" * 65, "a;b", "é"])
def test_a_request_id_of_another_shape_is_replaced(gateway, given):
    with Connection(gateway) as client:
        client.send(request(gateway, BODY, f"X-Request-Id: {given}"))
        answer = client.answer()
    assert answer.status == 200
    assert answer.headers["x-request-id"].startswith("req_")


def test_an_expectation_is_met(gateway):
    with Connection(gateway) as client:
        client.send(head(gateway, LENGTH, "Expect: 100-continue"))
        assert client.read_until(b"\r\n\r\n").startswith(b"HTTP/1.1 100")
        client.send(BODY)
        assert client.answer().status == 200
