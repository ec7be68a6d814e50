"""The one way out: what it sends, where it connects, how it ends."""

import asyncio
import gc
import gzip
import socket
import ssl
import threading
import zlib

import httpx
import pytest
import uvloop

from providers import transport
from providers.transport import (
    DestinationBlocked,
    Encoded,
    GuardedTransport,
    NameNotResolved,
    NoAnswer,
    TLSFailed,
    nothing_was_sent,
)
from providers.transport.guard import Rules, is_sandbox_path
from providers.transport.repeats import FLOOR, Repeats
from tests.faults import Answer, FaultServer, refused_port
from tests.scripted import Scripted

LOOPBACK = Rules(private_networks=("127.0.0.0/8", "::1/128"))
# However busy the machine is: what ends by its time says so itself.
TIMEOUT = {"connect": 60, "first_byte": 60, "read": 60}


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request):
    """Runs a coroutine to its end, on either event loop."""
    return asyncio.run if request.param == "asyncio" else uvloop.run


@pytest.fixture
def upstream():
    """An upstream that answers, or fails as its path says."""
    with FaultServer() as server:
        yield server


def request_to(url, method="POST", *, body=b"{}", headers=None, marked=True, **timeout):
    return httpx.Request(
        method,
        url,
        headers=headers,
        content=body,
        extensions={
            "private_network": marked,
            "timeout": {**TIMEOUT, **timeout},
        },
    )


async def exchange(request, rules=LOOPBACK, **options):
    """Send one request through a transport of its own; return (response, body)."""
    way = GuardedTransport(rules, **options)
    try:
        response = await way.handle_async_request(request)
        body = b"".join([piece async for piece in response.stream])
    finally:
        await way.aclose()
    return response, body


# --- what is sent and received ---


def test_path_and_body_are_sent_byte_for_byte(upstream, run):
    path = "/model/arn%3Aaws%3Abedrock%3A%2Fa.b-v1%3A0/invoke?x=%2F:a%20b"
    run(exchange(request_to(upstream.url + path, body=b"\x00\xff{}")))
    assert upstream.requests[0].target == path
    assert upstream.requests[0].body == b"\x00\xff{}"


@pytest.mark.proves("3.8")
def test_only_the_requests_headers_are_sent(upstream, run):
    run(
        exchange(
            request_to(
                upstream.url + "/v1",
                headers={
                    "X-Api-Key": "k",
                    "Accept-Encoding": "gzip",
                    "Cookie": "a=b",
                    "Transfer-Encoding": "chunked",
                    "Connection": "upgrade",
                    "Host": "elsewhere",
                },
            )
        )
    )
    assert upstream.requests[0].headers == [
        ("host", f"127.0.0.1:{upstream.port}"),
        ("accept-encoding", "identity"),
        ("content-length", "2"),
        ("x-api-key", "k"),
    ]


def test_a_large_body_arrives_whole(upstream, run):
    body = bytes(range(256)) * 20_000
    run(exchange(request_to(upstream.url, body=body)))
    assert upstream.requests[0].body == body


@pytest.mark.proves("3.7")
@pytest.mark.parametrize("value", ["a\r\nx: y", "a\nx: y", "a\rb", "a\0b"])
def test_a_header_with_a_line_break_is_never_sent(upstream, run, value):
    request = request_to(upstream.url)
    request.headers["x-note"] = value
    with pytest.raises(httpx.LocalProtocolError) as caught:
        run(exchange(request))
    assert nothing_was_sent(caught.value)
    assert upstream.connections == 0


def test_status_headers_and_body_come_back(upstream, run):
    upstream.answer = Answer(418, b"short and stout", {"X-Request-Id": "r1"})
    response, body = run(exchange(request_to(upstream.url, "GET", body=b"")))
    assert (response.status_code, response.headers["x-request-id"]) == (418, "r1")
    assert body == b"short and stout"


def test_a_response_can_be_read_the_usual_httpx_way(upstream, run):
    async def call():
        way = GuardedTransport(LOOPBACK)
        async with httpx.AsyncClient(transport=way) as client:
            request = request_to(upstream.url + "/v1")
            return (await client.send(request)).json()

    assert run(call())["object"] == "chat.completion"


def test_pieces_come_as_the_network_delivers_them(upstream, run):
    async def call():
        way = GuardedTransport(LOOPBACK)
        request = request_to(upstream.url + "/silence")
        response = await way.handle_async_request(request)
        first = await anext(aiter(response.stream))
        await response.aclose()
        await way.aclose()
        return first

    assert run(call()).startswith(b"data: {")


def test_what_came_with_its_head_is_there_without_a_wait(upstream, run):
    upstream.answer = Answer(200, b"{}")

    async def call():
        way = GuardedTransport(LOOPBACK)
        response = await way.handle_async_request(request_to(upstream.url))
        body = aiter(response.stream)
        assert transport.arrived(body) == b"{}"
        assert transport.is_over(body)
        assert transport.arrived(body) == b""
        assert [piece async for piece in body] == []
        await way.aclose()

    run(call())


def test_what_is_still_to_come_has_not_arrived(upstream, run):
    async def call():
        way = GuardedTransport(LOOPBACK)
        request = request_to(upstream.url + "/silence")
        response = await way.handle_async_request(request)
        body = aiter(response.stream)
        first = transport.arrived(body) or await anext(body)
        assert transport.arrived(body) == b""
        assert not transport.is_over(body)
        await response.aclose()
        assert transport.is_over(body)
        await way.aclose()
        return first

    assert run(call()).startswith(b"data: {")


# --- connections ---


async def _calls(way, urls, **options):
    for url in urls:
        response = await way.handle_async_request(request_to(url, **options))
        async for _ in response.stream:
            pass


def test_a_finished_answer_gives_its_connection_back(upstream, run):
    async def call():
        way = GuardedTransport(LOOPBACK)
        await _calls(way, [upstream.url + "/v1", upstream.url + "/stream"] * 5)
        await way.aclose()

    run(call())
    assert len(upstream.requests) == 10
    assert upstream.connections == 1


def test_closing_the_transport_closes_its_connections(upstream, run):
    async def call():
        way = GuardedTransport(LOOPBACK)
        await _calls(way, [upstream.url])
        await way.aclose()
        assert await upstream.closed()

    run(call())


def test_a_connection_of_a_marked_provider_serves_no_unmarked_one(upstream, run):
    async def call():
        way = GuardedTransport(LOOPBACK)
        await _calls(way, [upstream.url])
        try:
            await _calls(way, [upstream.url], marked=False)
        finally:
            await way.aclose()

    with pytest.raises(DestinationBlocked):
        run(call())
    assert len(upstream.requests) == 1


def test_a_call_that_comes_alone_leaves_no_connection(upstream, run):
    async def call():
        way = GuardedTransport(LOOPBACK)
        request = request_to(upstream.url)
        request.extensions["keep_alive"] = False
        response = await way.handle_async_request(request)
        await response.aread()
        assert await upstream.closed()

    run(call())
    assert upstream.requests[0].header("connection") == "close"


def test_each_event_loop_has_connections_of_its_own(upstream):
    way = GuardedTransport(LOOPBACK)

    async def call():
        await _calls(way, [upstream.url])
        await way.aclose()

    asyncio.run(call())
    uvloop.run(call())
    assert upstream.connections == 2


def test_five_hundred_calls_at_once_all_get_a_connection(upstream, run):
    async def call():
        way = GuardedTransport(LOOPBACK)
        upstream.delay = 0.2
        calls = [_calls(way, [upstream.url]) for _ in range(500)]
        await asyncio.gather(*calls)
        await way.aclose()

    run(call())
    assert len(upstream.requests) == 500


def test_the_replacement_is_the_transport_meanwhile():
    replacement = httpx.MockTransport(lambda request: httpx.Response(200))
    with transport.use(replacement):
        assert transport.transport() is replacement
    assert transport.transport() is not replacement


# --- where it connects ---


class _Sockets:
    """Records every connection attempt and makes none."""

    def __init__(self, monkeypatch):
        self.tried = []
        monkeypatch.setattr(asyncio.SelectorEventLoop, "sock_connect", self.connect)

    async def connect(self, sock, address):
        self.tried.append(address[0])
        raise ConnectionRefusedError(111, "Connection refused")


@pytest.fixture
def sockets(monkeypatch):
    """A socket layer that refuses everything and remembers what was tried."""
    return _Sockets(monkeypatch)


def resolving_to(*answers):
    """Return a resolver that gives the next of `answers` at each call."""
    remaining = list(answers)

    async def lookup(host, port):
        return remaining.pop(0) if len(remaining) > 1 else remaining[0]

    return lookup


@pytest.mark.proves("3.4")
def test_the_address_that_was_checked_is_the_one_connected_to(sockets):
    lookup = resolving_to(["93.184.216.34"], ["169.254.169.254"])
    with pytest.raises(httpx.ConnectError):
        asyncio.run(exchange(request_to("http://rebinding.test/"), lookup=lookup))
    assert set(sockets.tried) == {"93.184.216.34"}


@pytest.mark.proves("3.4")
def test_a_name_that_rebinds_is_refused_at_the_second_connection(sockets):
    lookup = resolving_to(["93.184.216.34"], ["169.254.169.254"])

    async def call():
        way = GuardedTransport(LOOPBACK, lookup)
        with pytest.raises(httpx.ConnectError):
            await way.handle_async_request(request_to("http://rebinding.test:81/"))
        with pytest.raises(DestinationBlocked):
            await way.handle_async_request(request_to("http://rebinding.test:82/"))

    asyncio.run(call())
    assert "169.254.169.254" not in sockets.tried


def test_one_forbidden_address_among_good_ones_refuses_the_name(sockets):
    lookup = resolving_to(["93.184.216.34", "169.254.169.254"])
    with pytest.raises(DestinationBlocked):
        asyncio.run(exchange(request_to("http://mixed.test/"), lookup=lookup))
    assert sockets.tried == []


@pytest.mark.proves("3.4")
@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "2852039166",
        "0xa9fea9fe",
        "0251.0376.0251.0376",
        "[::ffff:a9fe:a9fe]",
        "[64:ff9b::a9fe:a9fe]",
        "[fe80::1]",
        "\uff11\uff16\uff19.254.169.254",
        "user@169.254.169.254",
        "0.0.0.0",
        "0",
        "[::]",
        "168.63.129.16",
        "192.0.0.192",
    ],
)
def test_a_metadata_address_is_not_connected_to_however_it_is_written(sockets, host):
    refused = (DestinationBlocked, NameNotResolved, httpx.InvalidURL)
    with pytest.raises(refused):
        asyncio.run(exchange(request_to(f"http://{host}/latest/meta-data")))
    assert sockets.tried == []


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "[::1]", "10.0.0.1"])
def test_a_private_address_needs_the_mark(sockets, host):
    with pytest.raises(DestinationBlocked):
        asyncio.run(exchange(request_to(f"http://{host}/", marked=False)))
    assert sockets.tried == []


@pytest.mark.parametrize("listen_host", ["127.0.0.1", "0.0.0.0", "localhost", "::"])
def test_the_servers_own_address_is_refused(upstream, run, listen_host):
    rules = Rules(("127.0.0.0/8",), listen_host, upstream.port)
    with pytest.raises(DestinationBlocked, match="own address"):
        run(exchange(request_to(upstream.url + "/v1/chat/completions"), rules))
    assert upstream.connections == 0


def test_the_servers_own_sandbox_is_reached_whatever_private_networks_says(
    upstream, run
):
    rules = Rules((), "0.0.0.0", upstream.port)
    url = upstream.url + "/sandbox/v1/chat/completions"
    response, _ = run(exchange(request_to(url, marked=False), rules))
    assert response.status_code == 200


def test_a_sandbox_connection_carries_nothing_else(upstream, run):
    rules = Rules(("127.0.0.0/8",), "127.0.0.1", upstream.port)

    async def call():
        way = GuardedTransport(rules)
        await _calls(way, [upstream.url + "/sandbox/v1/models"])
        try:
            await _calls(way, [upstream.url + "/v1/models"])
        finally:
            await way.aclose()

    with pytest.raises(DestinationBlocked):
        run(call())
    assert len(upstream.requests) == 1


@pytest.mark.parametrize(
    "path", ["/sandbox/../v1/models", "/sandbox/%2e%2e/v1/models", "/sandboxes/v1", "/"]
)
def test_a_path_that_leaves_the_sandbox_is_not_in_it(path):
    assert not is_sandbox_path(path)


@pytest.mark.proves("3.3")
@pytest.mark.parametrize("service", ["127.0.0.1", "localhost"])
def test_the_database_is_refused_by_address_and_port(upstream, run, service):
    rules = Rules(("127.0.0.0/8",), services=((service, upstream.port),))
    with pytest.raises(DestinationBlocked, match="database"):
        run(exchange(request_to(upstream.url), rules))
    assert upstream.connections == 0


def test_another_port_of_the_databases_host_is_fine(upstream, run):
    rules = Rules(("127.0.0.0/8",), services=(("127.0.0.1", upstream.port + 1),))
    response, _ = run(exchange(request_to(upstream.url), rules))
    assert response.status_code == 200


def test_the_settings_name_database_and_redis(settings, monkeypatch):
    settings.REDIS_URL = "rediss://:secret@cache.internal/0"
    engine = "django.db.backends.postgresql"
    database = {"ENGINE": engine, "HOST": "db.internal", "PORT": ""}
    monkeypatch.setitem(settings.DATABASES, "default", database)
    assert Rules.from_settings().services == (
        ("db.internal", 5432),
        ("cache.internal", 6379),
    )


# --- nothing from the environment ---


@pytest.mark.proves("3.5")
def test_redirects_are_handed_back_not_followed(upstream, run):
    response, _ = run(exchange(request_to(upstream.url + "/redirect")))
    assert response.status_code == 302
    assert len(upstream.requests) == 1


@pytest.mark.proves("3.6")
def test_cookies_are_not_sent_back(upstream, run):
    async def call():
        way = GuardedTransport(LOOPBACK)
        await _calls(way, [upstream.url + "/cookie"] * 2)
        await way.aclose()

    run(call())
    assert upstream.requests[1].header("cookie") is None


@pytest.mark.proves("3.6")
def test_proxies_and_netrc_of_the_environment_are_unused(
    upstream, run, monkeypatch, tmp_path
):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    response, _ = run(exchange(request_to(upstream.url)))
    assert response.status_code == 200
    assert upstream.requests[0].header("authorization") is None


# --- failures ---


def test_a_refused_connection_sent_nothing(run):
    with refused_port() as port, pytest.raises(httpx.ConnectError) as caught:
        run(exchange(request_to(f"http://127.0.0.1:{port}/")))
    assert nothing_was_sent(caught.value)
    assert "refused" in str(caught.value)


def test_an_unknown_name_sent_nothing(run):
    async def lookup(host, port):
        raise socket.gaierror(-2, "Name or service not known")

    with pytest.raises(NameNotResolved) as caught:
        run(exchange(request_to("http://no.such.test/"), lookup=lookup))
    assert caught.value.is_unknown
    assert nothing_was_sent(caught.value)


def test_a_plain_server_behind_https_is_a_tls_failure(run):
    async def greet(reader, writer):
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    async def call():
        server = await asyncio.start_server(greet, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server:
            await exchange(request_to(f"https://127.0.0.1:{port}/"))

    with pytest.raises(TLSFailed) as caught:
        run(call())
    assert nothing_was_sent(caught.value)


def test_connecting_takes_no_longer_than_allowed(run):
    with FaultServer(mute=True) as silent:
        url = silent.url.replace("http://", "https://")
        with pytest.raises(httpx.ConnectTimeout) as caught:
            run(exchange(request_to(url, connect=0.2)))
        assert nothing_was_sent(caught.value)
        assert silent.wait_until(lambda: silent.open == 0)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("hang-up", NoAnswer),
        ("reset", NoAnswer),
        ("short", httpx.ReadError),
        ("cut", httpx.ReadError),
        ("garbage", httpx.RemoteProtocolError),
        ("garbage-chunk", httpx.RemoteProtocolError),
        ("endless-headers", httpx.RemoteProtocolError),
        ("switch", httpx.RemoteProtocolError),
    ],
)
def test_a_fault_has_one_kind_of_error(upstream, run, fault, error):
    with pytest.raises(httpx.TransportError) as caught:
        run(exchange(request_to(f"{upstream.url}/{fault}")))
    assert type(caught.value) is error
    assert not nothing_was_sent(caught.value)
    assert upstream.wait_until(lambda: upstream.open == 0)


def test_a_reset_after_some_bytes_is_an_error_not_the_end(upstream, run):
    request = request_to(f"{upstream.url}/reset", headers={"x-after": "10"})
    with pytest.raises(httpx.ReadError):
        run(exchange(request))


# --- compressed all the same ---

TEXT = b'{"text": "' + b"\xc3\xa4" * 5000 + b'"}'


def bare_deflate(text):
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(text) + packer.flush()


PACKED = {
    "gzip": ("gzip", gzip.compress(TEXT)),
    "upper case": ("GZIP", gzip.compress(TEXT)),
    "two members": ("x-gzip", gzip.compress(TEXT[:9]) + gzip.compress(TEXT[9:])),
    "deflate": ("deflate", zlib.compress(TEXT)),
    "bare deflate": ("deflate", bare_deflate(TEXT)),
    "gzip, then as it is": ("gzip, identity", gzip.compress(TEXT)),
    "none": ("none", TEXT),
    "a character set": ("utf-8", TEXT),
    "empty": ("", TEXT),
    "as it is": ("identity", TEXT),
}


# Named: gzip writes the time into its head, and workers must collect the same names.
@pytest.mark.parametrize(("coding", "packed"), PACKED.values(), ids=PACKED)
@pytest.mark.parametrize("status", [200, 429])
def test_a_compressed_body_is_read(upstream, run, coding, packed, status):
    headers = {"content-encoding": coding, "retry-after": "7"}
    upstream.answer = Answer(status, packed, headers)
    response, body = run(exchange(request_to(upstream.url)))
    assert (response.status_code, body) == (status, TEXT)
    assert response.headers["retry-after"] == "7"


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, br", "compress", "x-own"])
def test_another_coding_is_refused_by_its_name_once_it_is_read(upstream, run, coding):
    headers = {"content-encoding": coding, "retry-after": "7"}
    upstream.answer = Answer(429, b"\x8b\x00", headers)

    async def call():
        way = GuardedTransport(LOOPBACK)
        try:
            response = await way.handle_async_request(request_to(upstream.url))
            with pytest.raises(Encoded, match=coding.rpartition(" ")[2]):
                await anext(aiter(response.stream))
            await response.aclose()
        finally:
            await way.aclose()
        return response

    response = run(call())
    assert (response.status_code, response.headers["retry-after"]) == (429, "7")


def test_bytes_that_are_not_compressed_as_told_are_no_answer(upstream, run):
    upstream.answer = Answer(200, b"{}" * 40, {"content-encoding": "gzip"})
    with pytest.raises(httpx.RemoteProtocolError):
        run(exchange(request_to(upstream.url)))


def test_a_body_that_becomes_too_large_is_read_no_further(upstream, run):
    async def call():
        way = GuardedTransport(LOOPBACK)
        try:
            response = await way.handle_async_request(
                request_to(f"{upstream.url}/gzip-bomb")
            )
            return await transport.read(response, 1 << 20)
        finally:
            await way.aclose()

    assert len(run(call())) == 1 << 20
    assert upstream.wait_until(lambda: upstream.open == 0)


def test_a_long_header_is_read(upstream, run):
    upstream.answer = Answer(200, b"{}", {"x-policy": "p" * (16 << 10)})
    response, _ = run(exchange(request_to(upstream.url)))
    assert len(response.headers["x-policy"]) == 16 << 10


@pytest.mark.parametrize("size", [100, 30 << 10, 33 << 10])
def test_a_header_is_measured_whatever_comes_with_it(upstream, run, size):
    upstream.answer = Answer(200, b"x" * (40 << 10), {"x-policy": "p" * size})
    if size > 32 << 10:
        with pytest.raises(httpx.RemoteProtocolError, match="too long a header"):
            run(exchange(request_to(upstream.url)))
        return
    response, _ = run(exchange(request_to(upstream.url)))
    assert len(response.headers["x-policy"]) == size


# --- a connection that was closed as idle ---


class Closing:
    """An upstream whose connections each answer once, then end as they are told.

    `ending` takes the connection of a second request, which was read.
    """

    def __init__(self, ending):
        self._ending = ending
        self.requests = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, connection):
        with connection:
            for number in range(2):
                if not connection.recv(1 << 16):
                    return
                self.requests += 1
                if number:
                    self._ending(connection)
                else:
                    connection.sendall(
                        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
                    )

    def close(self):
        self._socket.close()


def hang_up(connection):
    connection.shutdown(socket.SHUT_RDWR)


def reset(connection):
    linger = (1).to_bytes(4, "little") + (0).to_bytes(4, "little")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)


def one_byte(connection):
    connection.sendall(b"H")
    hang_up(connection)


@pytest.fixture
def patient(monkeypatch):
    """However busy the machine is, no end of a connection comes late."""
    monkeypatch.setattr(transport, "SOON", 60.0)


def call_twice(run, ending, headers=None):
    """Make two calls after each other; return the last response and the server."""
    server = Closing(ending)

    async def calls():
        way = GuardedTransport(LOOPBACK)
        try:
            for _ in range(2):
                request = request_to(server.url, headers=headers)
                response = await way.handle_async_request(request)
                assert await transport.read(response, 100) == b"{}"
            return response
        finally:
            await way.aclose()

    try:
        return run(calls()), server
    finally:
        server.close()


@pytest.mark.parametrize("ending", [hang_up, reset])
def test_a_connection_closed_as_idle_costs_no_call(run, ending, patient):
    response, server = call_twice(run, ending)
    assert response.extensions["sent_again"]
    assert server.requests == 3


@pytest.mark.proves("6.1")
def test_an_answer_that_began_is_not_asked_for_again(run):
    with pytest.raises(httpx.ReadError) as caught:
        call_twice(run, one_byte)
    assert not isinstance(caught.value, NoAnswer)


def test_a_request_that_took_long_is_sent_again_only_where_it_is_known_again(
    run, monkeypatch
):
    monkeypatch.setattr(transport, "SOON", 0.0)
    with pytest.raises(NoAnswer):
        call_twice(run, hang_up)
    response, _ = call_twice(run, hang_up, {"Idempotency-Key": "k"})
    assert response.extensions["sent_again"]


def test_who_never_answers_a_second_time_is_not_asked_twice_for_ever(run, patient):
    """The first connection answers once; all later ones are closed at once."""
    asked = 0

    async def serve(reader, writer):
        nonlocal asked
        while await reader.readuntil(b"{}"):
            asked += 1
            if asked > 1:
                break
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
        writer.close()

    async def calls():
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        way = GuardedTransport(LOOPBACK)
        left = []
        for _ in range(2):
            request = request_to(url)
            request.extensions["repeats"] = repeats
            try:
                await transport.read(await way.handle_async_request(request), 100)
            except NoAnswer:
                left.append(repeats._left)
        await way.aclose()
        server.close()
        return left

    repeats = Repeats(lambda: 0.0)
    assert run(calls()) == [FLOOR - 1]
    assert asked == 3
    repeats._left, asked = 0.0, 0
    assert run(calls()) == [0.0]
    assert asked == 2


def test_a_new_connection_that_ends_is_not_tried_again(upstream, run):
    with pytest.raises(NoAnswer) as caught:
        run(exchange(request_to(f"{upstream.url}/hang-up")))
    assert not caught.value.reused
    assert len(upstream.requests) == 1


def test_no_content_is_an_empty_answer(upstream, run):
    response, body = run(exchange(request_to(f"{upstream.url}/no-content")))
    assert (response.status_code, body) == (204, b"")


@pytest.mark.parametrize(
    ("fault", "limits"),
    [
        ("stall", {"first_byte": 0.2}),
        ("silence", {"silence": 0.2}),
        ("silence", {"read": 0.2}),
    ],
)
def test_silence_times_out(upstream, run, fault, limits):
    with pytest.raises(httpx.ReadTimeout):
        run(exchange(request_to(f"{upstream.url}/{fault}", **limits)))
    assert upstream.wait_until(lambda: upstream.open == 0)


@pytest.mark.parametrize("fault", ["drip", "drip-head", "stream"])
def test_an_exchange_has_a_total_time_whatever_arrives_meanwhile(
    upstream, run, later, fault
):
    slow = {"x-interval": "0.5", "x-events": "1000"}
    request = request_to(
        f"{upstream.url}/{fault}", headers=slow, total=300, read=1000, first_byte=1000
    )

    async def call():
        ends = asyncio.ensure_future(exchange(request))
        while not upstream.requests:
            await asyncio.sleep(0.01)
        await later.look(100)
        assert not ends.done()
        await later.look(301)
        await ends

    with pytest.raises(transport.Overdue):
        run(call())
    assert upstream.wait_until(lambda: upstream.open == 0)


def test_a_finished_exchange_leaves_no_timer_to_its_connection(upstream, run, later):
    async def twice():
        way = GuardedTransport(LOOPBACK)
        for total in (100, 1000):
            headers = {"x-interval": "0.02", "x-events": "4"}
            url = upstream.url + "/stream"
            request = request_to(url, headers=headers, total=total, read=1000)
            response = await way.handle_async_request(request)
            pieces = aiter(response.stream)
            told = await anext(pieces)
            await later.look(total - 60)
            told += b"".join([piece async for piece in pieces])
        await way.aclose()
        return told

    assert run(twice()).endswith(b"[DONE]\n\n")
    assert upstream.connections == 1


def test_the_total_time_counts_from_the_look_up_of_the_name(run):
    async def slow(host, port):
        await asyncio.sleep(30)
        return ["127.0.0.1"]

    with pytest.raises(httpx.ConnectTimeout):
        run(exchange(request_to("http://slow.test/", total=0.2), lookup=slow))


def test_an_upstream_that_does_not_read_times_out(run):
    with FaultServer(mute=True) as silent:
        with pytest.raises(httpx.ReadTimeout):
            run(exchange(request_to(silent.url, body=b"x" * (8 << 20), first_byte=0.3)))
        assert silent.wait_until(lambda: silent.open == 0)


def test_errors_name_neither_path_nor_credentials(upstream, run):
    request = request_to(
        f"{upstream.url}/hang-up", headers={"authorization": "Bearer sk-canary"}
    )
    with pytest.raises(httpx.ReadError) as caught:
        run(exchange(request))
    assert "canary" not in repr(caught.value)
    assert "hang-up" not in str(caught.value)


# --- cancellation ---


async def _cancel_when(way, request, ready, read=False):
    """Start a call, cancel it as soon as `ready` holds, and see it end."""

    async def call():
        response = await way.handle_async_request(request)
        try:
            async for _ in response.stream:
                pass
        finally:
            await response.aclose()

    task = asyncio.ensure_future(call())
    while not ready():
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("fault", ["stall", "silence"])
def test_cancelling_closes_the_socket(upstream, run, fault):
    async def call():
        way = GuardedTransport(LOOPBACK)
        request = request_to(f"{upstream.url}/{fault}")
        await _cancel_when(way, request, lambda: upstream.requests)
        assert await upstream.closed()
        await way.aclose()

    run(call())


def test_giving_up_a_wait_for_the_next_piece_loses_nothing(upstream, run):
    async def call():
        way = GuardedTransport(LOOPBACK)
        response = await way.handle_async_request(request_to(f"{upstream.url}/silence"))
        pieces = response.stream.__aiter__()
        first = await anext(pieces)

        async def read_on():
            while True:  # what was sent may come in more than one piece
                async with asyncio.timeout(0.05):
                    await anext(pieces)

        with pytest.raises(TimeoutError):
            await read_on()
        assert first
        assert upstream.open == 1
        await response.aclose()
        assert await upstream.closed()
        await way.aclose()

    run(call())


def test_cancelling_in_the_tls_handshake_closes_the_socket(run):
    async def call():
        with FaultServer(mute=True) as silent:
            way = GuardedTransport(LOOPBACK)
            request = request_to(silent.url.replace("http://", "https://"))
            await _cancel_when(way, request, lambda: silent.open)
            assert await silent.closed()
            await way.aclose()

    run(call())


def test_cancelling_while_the_body_is_stuck_closes_the_socket(run):
    async def call():
        with FaultServer(mute=True) as silent:
            way = GuardedTransport(LOOPBACK)
            request = request_to(silent.url, body=b"x" * (8 << 20))
            await _cancel_when(way, request, lambda: silent.open)
            assert await silent.closed()
            await way.aclose()

    run(call())


def test_cancelling_while_the_name_is_looked_up_leaves_nothing(run):
    looking = []

    async def lookup(host, port):
        looking.append(host)
        await asyncio.sleep(60)
        return ["127.0.0.1"]

    async def call():
        way = GuardedTransport(LOOPBACK, lookup)
        await _cancel_when(way, request_to("http://slow.test:9/"), lambda: looking)
        await way.aclose()

    run(call())


def test_many_random_cancellations_leave_no_socket_and_no_slot(upstream, run):
    async def call():
        way = GuardedTransport(LOOPBACK)

        async def one(number):
            fault = ("stall", "silence", "stream", "v1")[number % 4]
            coroutine = _calls(way, [f"{upstream.url}/{fault}"])
            with_timeout = asyncio.wait_for(coroutine, (number % 50) / 500)
            await asyncio.gather(with_timeout, return_exceptions=True)

        await asyncio.gather(*[one(number) for number in range(400)])
        await _calls(way, [upstream.url + "/v1"] * 10)
        (pool,) = next(iter(way._pools.values())).values()
        (destination,) = pool._destinations.values()
        kept = {connection.lease.protocol for connection in destination.idle}
        assert pool.connector._acquired == kept
        await way.aclose()
        assert await upstream.closed()

    run(call())


def test_a_response_closed_early_closes_the_socket(upstream, run):
    async def call():
        way = GuardedTransport(LOOPBACK)
        response = await way.handle_async_request(request_to(upstream.url + "/silence"))
        await response.aclose()
        await response.aclose()
        assert await upstream.closed()
        await way.aclose()

    run(call())


def test_a_closed_response_does_not_look_complete(upstream, run):
    async def call():
        way = GuardedTransport(LOOPBACK)
        response = await way.handle_async_request(request_to(upstream.url + "/silence"))
        await response.aclose()
        with pytest.raises(httpx.ReadError):
            await anext(aiter(response.stream))
        await way.aclose()

    run(call())


def test_a_complete_answer_that_nobody_reads_keeps_its_connection(upstream, run):
    async def call():
        way = GuardedTransport(LOOPBACK)
        for _ in range(3):
            response = await way.handle_async_request(request_to(upstream.url))
            await response.aclose()
        await way.aclose()

    run(call())
    assert upstream.connections == 1


def test_a_bounded_read_stops_and_closes(upstream, run):
    async def call():
        way = GuardedTransport(LOOPBACK)
        response = await way.handle_async_request(request_to(upstream.url + "/huge"))
        body = await transport.read(response, 1000)
        assert await upstream.closed()
        await way.aclose()
        return body

    assert run(call()) == b" " * 1000


# --- TLS ---


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A self-signed certificate for localhost: (certificate file, key file)."""
    import datetime

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("model.test")]), False)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("certificate")
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return folder / "cert.pem", folder / "key.pem"


@pytest.fixture
def tls_upstream(certificate):
    """An https upstream with a certificate for model.test."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    with FaultServer(tls=context) as server:
        yield server


def test_an_untrusted_certificate_is_refused(tls_upstream, run):
    with pytest.raises(TLSFailed, match="Certificate not trusted"):
        run(exchange(request_to(tls_upstream.url)))
    assert tls_upstream.requests == []


@pytest.mark.parametrize(
    ("host", "trusted"), [("model.test", True), ("other.test", False)]
)
def test_tls_is_verified_against_the_name_at_the_pinned_address(
    tls_upstream, run, certificate, host, trusted
):
    async def call():
        way = GuardedTransport(
            LOOPBACK,
            resolving_to(["127.0.0.1"]),
            ssl_context=ssl.create_default_context(cafile=certificate[0]),
        )
        try:
            await _calls(way, [f"https://{host}:{tls_upstream.port}/v1"])
        finally:
            await way.aclose()

    if trusted:
        run(call())
        assert tls_upstream.requests[0].header("host") == (
            f"model.test:{tls_upstream.port}"
        )
    else:
        with pytest.raises(TLSFailed, match="not trusted"):
            run(call())
        assert tls_upstream.requests == []


def test_a_tls_connection_is_reused_and_closed_at_once(tls_upstream, run, certificate):
    async def call():
        context = ssl.create_default_context(cafile=certificate[0])
        way = GuardedTransport(LOOPBACK, resolving_to(["127.0.0.1"]), context)
        base = f"https://model.test:{tls_upstream.port}"
        await _calls(way, [base + "/v1", base + "/stream"])
        response = await way.handle_async_request(request_to(base + "/silence"))
        await anext(aiter(response.stream))
        await response.aclose()
        assert await tls_upstream.closed()
        await way.aclose()

    run(call())
    assert tls_upstream.connections == 1


@pytest.mark.parametrize("end", ["close", "unannounced"])
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}", httpx.ReadError),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}", None),
        (b"", NoAnswer),
    ],
)
def test_a_tls_connection_that_ends_without_a_word_ends_as_any_other(
    run, certificate, end, answer, error
):
    async def call():
        context = ssl.create_default_context(cafile=certificate[0])
        serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        serving.load_cert_chain(*certificate)
        way = GuardedTransport(LOOPBACK, resolving_to(["127.0.0.1"]), context)
        async with Scripted([[answer]], end, tls=serving) as upstream:
            request = request_to(f"https://model.test:{upstream.port}/")
            try:
                response = await way.handle_async_request(request)
                return await transport.read(response, 100)
            finally:
                await way.aclose()

    if error is None:
        assert run(call()) == b"{}"
        return
    with pytest.raises(error):
        run(call())


def test_nothing_is_left_to_the_garbage_collector(upstream, recwarn):
    gc.collect()
    recwarn.clear()  # what others left
    asyncio.run(exchange(request_to(upstream.url)))
    gc.collect()
    assert not [w for w in recwarn if issubclass(w.category, ResourceWarning)]
