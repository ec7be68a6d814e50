"""Requests along an outline, and answers: what httpx has, made when it is asked for."""

import asyncio

import httpx
import pytest

from providers import auth
from providers.transport import GuardedTransport, Outgoing, Outline, Unusable
from providers.transport.exchange import Answer
from providers.transport.outgoing import OWN_HEADERS
from providers.transport.ways import DIRECT, Proxy, Way
from tests.faults import FaultServer
from tests.providers.auth.test_auth import api_key_provider
from tests.providers.test_transport import LOOPBACK, TIMEOUT

HEADERS = {"content-type": "application/json", "X-Own": "a", "te": "trailers"}
EXTENSIONS = {"private_network": True, "timeout": TIMEOUT}


def outgoing(url: str, own=None) -> Outgoing:
    outline = Outline(f"{url}/v1/x?a=%2F", HEADERS)
    return Outgoing(outline, "POST", b"{}", EXTENSIONS, own or {})


def by_httpx(url: str, own=None) -> httpx.Request:
    return httpx.Request(
        "POST",
        f"{url}/v1/x?a=%2F",
        headers={**httpx.Headers(HEADERS), **(own or {})} if own else HEADERS,
        stream=httpx.ByteStream(b"{}"),
        extensions=EXTENSIONS,
    )


def sent(server: FaultServer, request: httpx.Request):
    """Return what arrives of a request: its target, headers and body."""

    async def exchange() -> None:
        way = GuardedTransport(LOOPBACK)
        try:
            response = await way.handle_async_request(request)
            await response.aclose()
        finally:
            await way.aclose()

    asyncio.run(exchange())
    arrived = server.requests[-1]
    return arrived.target, arrived.headers, arrived.body


@pytest.mark.parametrize("own", [None, {"via": "1.1 a", "x-own": "b"}])
@pytest.mark.parametrize(
    ("name", "value"),
    [("authorization", "Bearer k"), ("x-own", "c"), ("X-OWN", "d"), ("cookie", "e")],
)
def test_it_is_sent_as_httpx_request_would_be(own, name, value):
    with FaultServer() as server:
        short, long = outgoing(server.url, own), by_httpx(server.url, own)
        short.put(name.encode(), value.encode())
        long.headers[name] = value
        assert sent(server, short) == sent(server, long)


KINDS = [
    {},
    {"method": "GET", "body": b""},
    {"own": {"via": "1.1 a"}},
    {"put": ("authorization", "Bearer k")},
    {"put": ("authorization", "Bearer other")},
    {"extensions": {**EXTENSIONS, "keep_alive": False}},
    {"body": b"{}" * 50_000},
]


def of_kind(outline, method="POST", own=None, put=None, body=b"{}", extensions=None):
    """Return a request along an outline and the same by httpx."""
    extensions = extensions or EXTENSIONS
    short = Outgoing(outline, method, body, extensions, own or {})
    headers = {**httpx.Headers(HEADERS), **(own or {})}
    long = httpx.Request(
        method,
        outline.url,
        headers=headers if own else HEADERS,
        stream=httpx.ByteStream(body),
        extensions=extensions,
    )
    if put is not None:
        short.put(put[0].encode(), put[1].encode())
        long.headers[put[0]] = put[1]
    return short, long


@pytest.mark.parametrize("before", KINDS)
def test_it_is_sent_so_whatever_was_sent_along_its_outline_before(before):
    with FaultServer() as server:
        outline = Outline(f"{server.url}/v1/x?a=%2F", HEADERS)
        for kind in KINDS:
            sent(server, of_kind(outline, **before)[0])
            short, long = of_kind(outline, **kind)
            assert sent(server, short) == sent(server, long)


def way_of(way):
    return {**EXTENSIONS, "way": lambda: way[0]}


def test_a_way_that_changes_is_gone_by_the_next_request():
    with FaultServer() as server, FaultServer() as proxy:
        outline = Outline(f"{server.url}/v1/x", HEADERS)
        way = [DIRECT]
        extensions, transport = way_of(way), GuardedTransport(LOOPBACK)
        told = Proxy.of(proxy.url, private_network=True)

        async def both() -> None:
            for taken in (DIRECT, DIRECT, Way(told)):
                way[0] = taken
                request = Outgoing(outline, "POST", b"{}", extensions, {})
                response = await transport.handle_async_request(request)
                await response.aclose()
            await transport.aclose()

        asyncio.run(both())
        assert (len(server.requests), len(proxy.requests)) == (2, 1)


def test_what_was_put_stands_in_the_headers_that_somebody_asks_for():
    request = outgoing("https://host")
    request.put(b"authorization", b"Bearer k")
    assert request.headers["authorization"] == "Bearer k"
    request.headers["x-own"] = "b"
    assert b"x-own: b" in request.sent_lines()


def test_requests_along_one_outline_share_no_header():
    outline = Outline("https://host/", HEADERS)
    one = Outgoing(outline, "POST", b"", {}, {})
    one.headers["authorization"] = "Bearer k"
    other = Outgoing(outline, "POST", b"", {}, {})
    assert "authorization" not in other.headers
    assert not any(b"Bearer" in line for line in other.sent_lines())


def test_an_outline_cannot_be_sent_that_breaks_a_line():
    with pytest.raises(Unusable):
        Outline("https://host/", {"x": "a\r\nb: c"})


def test_headers_of_the_head_are_none_of_an_outline():
    own = {name.decode(): "x" for name in OWN_HEADERS}
    assert Outline("https://host/", own).lines == []


def test_it_holds_what_httpx_request_holds():
    short, long = outgoing("https://host"), by_httpx("https://host")
    assert vars(long).keys() <= {*vars(short), "headers", "stream"}
    assert b"".join(short.stream) == b"".join(long.stream)
    assert short.read() == long.read() == b"{}"
    assert short.headers == long.headers


def test_an_answer_holds_what_httpx_response_holds():
    stream = httpx.ByteStream(b"")
    short, long = Answer(200, [], stream), httpx.Response(200, stream=stream)
    assert {name: getattr(short, name) for name in vars(long)} == vars(long)


def test_one_key_is_put_without_a_flow():
    scheme = auth.for_provider(api_key_provider())
    request = outgoing("https://host")
    assert scheme.signs_at_once(request)
    flowed = next(scheme.auth_flow(by_httpx("https://host")))
    assert request.headers["authorization"] == flowed.headers["authorization"]
