"""The way out by a proxy, with CAs and client certificates of one's own."""

import asyncio
import socket
import ssl
from contextlib import ExitStack

import httpx
import pytest
import uvloop

from providers import transport
from providers.transport import (
    DestinationBlocked,
    GuardedTransport,
    NameNotResolved,
    Proxy,
    ProxyFailed,
    TLSFailed,
    Unusable,
    Way,
    nothing_was_sent,
    ways,
)
from providers.transport.guard import Rules
from tests.certified import HOST, Authority, strict
from tests.faults import FaultServer, refused_port
from tests.forwarding import ForwardProxy

LOOPBACK = Rules(private_networks=("127.0.0.0/8", "::1/128"))
# However busy the machine is: nothing here ends by its time unless it says so.
LIMITS = {"connect": 60, "first_byte": 60, "read": 60}
USER, PASSWORD = "agents", "proxy-pass-0123456789"


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request):
    """Runs a coroutine to its end, on either event loop."""
    return asyncio.run if request.param == "asyncio" else uvloop.run


@pytest.fixture(scope="module")
def authority():
    return Authority()


@pytest.fixture
def https(authority, tmp_path):
    """An https upstream for model.test, of a CA that nobody knows."""
    with FaultServer(tls=authority.sign().context(tmp_path)) as server:
        yield server


@pytest.fixture
def http():
    with FaultServer() as server:
        yield server


def resolving_to(addresses):
    async def lookup(host, port):
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return addresses

    return lookup


def request_to(url, way=None, *, marked=True, **limits):
    extensions = {"private_network": marked, "timeout": {**LIMITS, **limits}}
    if way is not None:
        extensions["way"] = lambda: way
    return httpx.Request("POST", url, content=b"{}", extensions=extensions)


async def exchange(
    *requests, rules=LOOPBACK, resolved=("127.0.0.1",), installation=None
):
    """Send requests one after the other through one transport; return the statuses."""
    out = GuardedTransport(rules, resolving_to(resolved), way=installation)
    try:
        statuses = []
        for request in requests:
            response = await out.handle_async_request(request)
            await transport.read(response, 1 << 20)
            statuses.append(response.status_code)
        return statuses
    finally:
        await out.aclose()


def failure_of(kind, run, *requests, match=None, **options):
    """Return what requests fail with."""
    with pytest.raises(kind, match=match) as caught:
        run(exchange(*requests, **options))
    return caught.value


def through(proxy, *, private=True, resolves=False, user="", password=""):
    return Proxy.of(
        proxy.url,
        private_network=private,
        resolves_names=resolves,
        user=user,
        password=password,
    )


def at(server):
    return f"https://{HOST}:{server.port}/v1"


# --- whom is trusted ---


def test_a_private_ca_is_trusted_where_it_was_entered(https, authority, run):
    way = Way(authorities=authority.pem)
    assert run(exchange(request_to(at(https), way))) == [200]


def test_another_ca_is_not(https, run):
    other = Way(authorities=Authority("Another").pem)
    with pytest.raises(TLSFailed, match="Certificate not trusted") as caught:
        run(exchange(request_to(at(https), other)))
    assert nothing_was_sent(caught.value)
    assert caught.value.cause == "its certificate is not trusted"
    assert "CA" in caught.value.hint
    assert https.requests == []


def test_the_systems_cas_are_trusted_beside_it(authority):
    context = ways.contexts.of(authority.pem, "", "")
    usual = ssl.create_default_context()
    assert context.verify_mode == usual.verify_mode
    assert len(context.get_ca_certs()) == len(usual.get_ca_certs()) + 1


def test_who_trusts_it_shares_no_connection_with_who_does_not(https, authority, run):
    way = Way(authorities=authority.pem)
    with pytest.raises(TLSFailed):
        run(exchange(request_to(at(https), way), request_to(at(https))))
    assert len(https.requests) == 1


def test_the_same_way_shares_connections(https, authority, run):
    requests = [request_to(at(https), Way(authorities=authority.pem)) for _ in range(3)]
    run(exchange(*requests))
    assert https.connections == 1


# --- who we are ---


@pytest.fixture(params=[ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def mutual(request, authority, tmp_path):
    """An upstream that wants a certificate of the test's CA."""
    context = authority.sign().context(tmp_path, wants=authority)
    context.maximum_version = context.minimum_version = request.param
    with strict(context) as server:
        yield server


def test_a_client_certificate_lets_in(mutual, authority, run):
    own = authority.sign("gateway")
    way = Way(None, authority.pem, own.certificate, own.key)
    assert run(exchange(request_to(at(mutual), way))) == [200]


@pytest.mark.parametrize("times", range(5))
def test_who_shows_none_is_told_that_one_is_wanted(mutual, authority, run, times):
    with pytest.raises(TLSFailed, match="certificate") as caught:
        run(exchange(request_to(at(mutual), Way(authorities=authority.pem))))
    assert nothing_was_sent(caught.value)
    assert "client certificate" in caught.value.hint
    assert mutual.requests == []


def test_a_server_that_hangs_up_on_who_shows_none_is_told(authority, tmp_path, run):
    context = authority.sign().context(tmp_path, wants=authority)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with FaultServer(tls=context) as silent, pytest.raises(TLSFailed) as caught:
        run(exchange(request_to(at(silent), Way(authorities=authority.pem))))
    assert "client certificate" in caught.value.hint


def test_an_expired_one_is_told(mutual, authority, run):
    own = authority.sign("gateway", days=-1)
    way = Way(None, authority.pem, own.certificate, own.key)
    with pytest.raises(TLSFailed, match="which has expired"):
        run(exchange(request_to(at(mutual), way)))
    assert mutual.requests == []


def test_one_of_an_unknown_ca_is_told(mutual, authority, run):
    own = Authority("Another").sign("gateway")
    way = Way(None, authority.pem, own.certificate, own.key)
    with pytest.raises(TLSFailed, match="does not know the CA of the client"):
        run(exchange(request_to(at(mutual), way)))
    assert mutual.requests == []


def test_the_key_lies_in_no_file_and_no_repr(authority, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    own = authority.sign("gateway")
    ways.contexts.of(authority.pem, own.certificate, own.key)
    assert list(tmp_path.iterdir()) == []
    assert own.key[40:80] not in repr(Way(None, "", own.certificate, own.key))


def test_texts_that_are_no_certificates_are_never_sent_by(run):
    with pytest.raises(Unusable) as caught:
        run(exchange(request_to("https://model.test/", Way(authorities="no PEM"))))
    assert nothing_was_sent(caught.value)


# --- through a proxy ---


def test_https_goes_through_a_tunnel_and_tls_ends_at_the_upstream(
    https, authority, run
):
    with ForwardProxy() as proxy:
        way = Way(through(proxy), authority.pem)
        assert run(exchange(request_to(at(https), way), request_to(at(https), way)))
    assert proxy.asked == [f"CONNECT {HOST}:{https.port}"]
    assert [r.target for r in https.requests] == ["/v1", "/v1"]
    assert https.connections == 1


def test_http_names_the_whole_address(http, run):
    with ForwardProxy() as proxy:
        url = f"http://{HOST}:{http.port}/v1?x=%2F"
        run(exchange(request_to(url, Way(through(proxy)))))
    assert proxy.asked == [f"POST {url}"]
    assert http.requests[0].header("host") == f"{HOST}:{http.port}"
    assert http.requests[0].body == b"{}"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_credentials_go_to_the_proxy_alone(http, https, authority, run, scheme):
    server = https if scheme == "https" else http
    with ForwardProxy(user=f"{USER}:{PASSWORD}") as proxy:
        way = Way(through(proxy, user=USER, password=PASSWORD), authority.pem)
        url = f"{scheme}://{HOST}:{server.port}/v1"
        assert run(exchange(request_to(url, way))) == [200]
    if scheme == "https":
        assert server.requests[0].header("proxy-authorization") is None
    assert PASSWORD not in repr(way)
    assert way.proxy.authorization not in repr(way)


def test_a_password_with_a_colon_and_more_than_ascii_is_sent_as_it_is(http, run):
    with ForwardProxy(user="a:b:ü@") as proxy:
        way = Way(through(proxy, user="a", password="b:ü@"))
        url = f"http://{HOST}:{http.port}/v1"
        assert run(exchange(request_to(url, way))) == [200]


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    ("password", "told"),
    [("", "wants a user name and password"), ("wrong", "refused its user name")],
)
def test_a_407_says_what_to_enter(http, run, scheme, password, told):
    user = USER if password else ""
    with ForwardProxy(user=f"{USER}:{PASSWORD}") as proxy:
        way = Way(through(proxy, user=user, password=password))
        with pytest.raises(ProxyFailed, match=told) as caught:
            run(exchange(request_to(f"{scheme}://{HOST}:{http.port}/v1", way)))
    assert caught.value.needs_change
    assert nothing_was_sent(caught.value)
    assert http.requests == []


@pytest.mark.parametrize(
    ("status", "told", "lasting"),
    [
        (403, "does not allow model.test", True),
        (502, "cannot reach model.test", False),
        (503, "cannot reach model.test", False),
        (504, "cannot reach model.test", False),
        (404, "is no proxy", True),
        (405, "is no proxy", True),
        (400, "is no proxy", True),
    ],
)
def test_a_refusal_of_the_proxy_is_no_answer_of_the_upstream(
    https, run, status, told, lasting
):
    with ForwardProxy(refusal=status) as proxy:
        request = request_to(at(https), Way(through(proxy)))
        failure = failure_of(ProxyFailed, run, request, match=told)
    assert str(proxy.port) in str(failure)
    assert failure.needs_change is lasting
    assert str(proxy.port) not in failure.cause
    assert https.connections == 0


@pytest.mark.parametrize(
    "says",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"\x15\x03\x03\x00\x02\x02\x28",
        b"220 mail ready\r\n",
    ],
)
def test_what_is_no_proxy_is_told(https, run, says):
    with ForwardProxy(says=says) as proxy:
        request = request_to(at(https), Way(through(proxy)))
        failure_of(ProxyFailed, run, request, match="is no proxy")


def test_what_speaks_before_it_is_asked_is_no_proxy(https, run):
    said = b"HTTP/1.1 200 OK\r\n\r\nhello"
    with ForwardProxy(says=said) as proxy, pytest.raises(ProxyFailed, match="no proxy"):
        run(exchange(request_to(at(https), Way(through(proxy)))))


def test_a_proxy_that_does_not_answer_is_told(https, run):
    with ForwardProxy(mute=True) as proxy:
        request = request_to(at(https), Way(through(proxy)), connect=0.3)
        failure = failure_of(ProxyFailed, run, request, match="answer in time")
    assert not failure.needs_change


def test_a_proxy_that_is_not_there_is_told(run):
    with refused_port() as port:
        way = Way(Proxy("127.0.0.1", port, private_network=True))
        with pytest.raises(ProxyFailed, match="connection refused"):
            run(exchange(request_to("https://model.test/", way)))


def test_an_untrusted_upstream_behind_a_proxy_is_one(https, run):
    with ForwardProxy() as proxy, pytest.raises(TLSFailed, match="not trusted"):
        run(exchange(request_to(at(https), Way(through(proxy)))))
    assert https.requests == []


def test_a_client_certificate_goes_through_the_tunnel(mutual, authority, run):
    own = authority.sign("gateway")
    with ForwardProxy() as proxy:
        way = Way(through(proxy), authority.pem, own.certificate, own.key)
        assert run(exchange(request_to(at(mutual), way))) == [200]
        bare = Way(through(proxy), authority.pem)
        with pytest.raises(TLSFailed, match="certificate"):
            run(exchange(request_to(at(mutual), bare)))


def test_each_way_has_connections_of_its_own(http, run):
    with ExitStack() as stack:
        first, second = (stack.enter_context(ForwardProxy()) for _ in range(2))
        url = f"http://{HOST}:{http.port}/v1"
        sent = [Way(through(first)), Way(through(second)), None, Way(through(first))]
        run(exchange(*(request_to(url, way) for way in sent)))
    assert (len(first.heads), len(second.heads)) == (1, 1)
    assert http.connections == 3


def test_cancelling_in_the_tunnel_closes_the_socket(https, authority, run):
    async def call():
        with ForwardProxy(mute=True) as proxy:
            out = GuardedTransport(LOOPBACK, resolving_to(["127.0.0.1"]))
            request = request_to(at(https), Way(through(proxy)))
            task = asyncio.create_task(out.handle_async_request(request))
            while not proxy.heads:
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await out.aclose()

    run(call())


# --- the guard decides whom a proxy is asked for ---


@pytest.mark.proves("3.3")
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("address", ["169.254.169.254", "::ffff:a9fe:a9fe", "0.0.0.0"])
def test_a_proxy_is_not_asked_for_a_forbidden_address(run, scheme, address):
    with ForwardProxy() as proxy:
        request = request_to(f"{scheme}://{HOST}/", Way(through(proxy)))
        failure_of(DestinationBlocked, run, request, resolved=(address,))
    assert proxy.asked == []


@pytest.mark.proves("3.3")
@pytest.mark.parametrize("address", ["10.0.0.5", "127.0.0.1"])
def test_a_proxy_is_not_asked_for_a_private_address_without_the_mark(run, address):
    resolved = ("93.184.216.34", address)
    with ForwardProxy() as proxy:
        request = request_to(f"https://{HOST}/", Way(through(proxy)), marked=False)
        told = failure_of(DestinationBlocked, run, request, resolved=resolved)
    assert "private" in str(told)
    assert proxy.asked == []


def test_a_proxy_is_not_asked_for_the_database(run):
    rules = Rules(LOOPBACK.private_networks, services=(("127.0.0.1", 5432),))
    with ForwardProxy() as proxy:
        request = request_to(f"https://{HOST}:5432/", Way(through(proxy)))
        failure_of(DestinationBlocked, run, request, match="database", rules=rules)
    assert proxy.asked == []


def test_a_proxy_on_a_private_network_needs_the_mark(run):
    with ForwardProxy() as proxy:
        request = request_to(f"https://{HOST}/", Way(through(proxy, private=False)))
        failure_of(DestinationBlocked, run, request, match="The proxy")
    assert proxy.heads == []


def test_private_networks_hold_for_a_proxy(run):
    public = ("93.184.216.34",)
    with ForwardProxy() as proxy:
        request = request_to(f"https://{HOST}/", Way(through(proxy)), marked=False)
        told = failure_of(
            DestinationBlocked, run, request, rules=Rules(), resolved=public
        )
    assert "The proxy" in str(told)
    assert proxy.heads == []


def test_a_name_that_nobody_knows_here_is_not_handed_over(run):
    with ForwardProxy() as proxy, pytest.raises(NameNotResolved):
        run(exchange(request_to(f"https://{HOST}/", Way(through(proxy))), resolved=()))
    assert proxy.asked == []


@pytest.mark.parametrize(
    ("url", "is_asked"),
    [
        ("https://api.example.com/", True),
        ("http://api.example.com/", False),
        ("https://wiki/", False),
        ("https://vault.internal/", False),
    ],
)
def test_it_is_where_the_proxy_is_said_to_resolve_names(run, url, is_asked):
    with ForwardProxy(refusal=403) as proxy:
        request = request_to(url, Way(through(proxy, resolves=True)), marked=False)
        failure_of(
            ProxyFailed if is_asked else NameNotResolved, run, request, resolved=()
        )
    assert bool(proxy.asked) is is_asked


# --- the installation's ---


def test_the_settings_make_a_way(settings, authority):
    settings.UPSTREAM_PROXY = "http://agents:p%40ss@proxy.example:8080"
    settings.UPSTREAM_NO_PROXY = [".corp.example", "10.0.0.0/8"]
    settings.UPSTREAM_CA_CERTIFICATES = authority.pem
    own = authority.sign("gateway")
    settings.UPSTREAM_CLIENT_CERTIFICATE = own.certificate
    settings.UPSTREAM_CLIENT_KEY = own.key
    way = ways.of_installation(for_provider=True)
    assert (way.proxy.host, way.proxy.port) == ("proxy.example", 8080)
    assert way.proxy.authorization == ways.basic("agents", "p@ss")
    assert (way.authorities, way.certificate) == (authority.pem, own.certificate)
    # A request that a client chose the address of shows no certificate.
    assert ways.of_installation().certificate == ""


@pytest.mark.parametrize(
    ("host", "is_asked"),
    [
        ("api.openai.com", True),
        ("llm.corp.example", False),
        ("corp.example", False),
        ("notcorp.example", True),
        ("203.0.113.9", False),
        ("93.184.216.34", True),
        ("localhost", False),
        ("10.1.2.3", False),
        ("ollama", False),
    ],
)
def test_the_installations_proxy_spares_who_is_near_and_who_is_named(host, is_asked):
    proxy = Proxy("proxy.example", 3128, spares=(".corp.example", "203.0.113.0/24"))
    assert proxy.is_for(host) is is_asked


def test_requests_that_name_no_way_go_the_installations(http, run):
    with ForwardProxy() as proxy:
        installation = Way(through(proxy))
        url = f"http://{HOST}:{http.port}/v1"
        run(exchange(request_to(url), installation=installation))
    assert len(proxy.asked) == 1


@pytest.mark.proves("3.6")
def test_proxies_of_the_environment_are_never_taken(http, run, monkeypatch):
    with ForwardProxy() as proxy:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy"):
            monkeypatch.setenv(name, proxy.url)
        run(exchange(request_to(f"http://{HOST}:{http.port}/v1")))
    assert proxy.heads == []
