"""OAuth2: one token request however many wait, renewal, refusal, connecting."""

import asyncio
import base64
import datetime
import hashlib
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from django.utils import timezone

from providers import auth, transport
from providers.auth import oauth, tokens
from providers.auth.oauth import TokenError
from providers.models import ModelProvider, OAuthToken, Secret
from providers.network import ways
from providers.transport.guard import Rules
from tests.faults import Answer, FaultServer, json_answer
from tests.forwarding import ForwardProxy


@pytest.fixture
def upstream():
    """A provider and its token server in one, reached through a real transport."""
    rules = Rules(private_networks=("127.0.0.0/8",))
    with FaultServer() as server, transport.use(transport.GuardedTransport(rules)):
        server.answers["/token"] = token_answer("canary-token-1", expires_in=3600)
        yield server


class Clock:
    """The time of tokens alone: the event loop keeps its own."""

    now = 1000.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(oauth, "time", clock)
    monkeypatch.setattr(tokens, "time", clock)
    return clock


def token_answer(token, status=200, **fields):
    return json_answer(
        {"access_token": token, "token_type": "Bearer", **fields}, status
    )


def oauth_provider(upstream, *, secret=True, **fields):
    """An unsaved provider that fetches its tokens from `upstream`."""
    row = ModelProvider(
        name="upstream",
        endpoint=upstream.url,
        private_network=True,
        auth_type="oauth2",
        token_url=upstream.url + "/token",
        **fields,
    )
    values = {"client_id": "canary-client"}
    if secret:
        values["client_secret"] = "canary-secret"
    row.secret = Secret(name="upstream-secret")
    row.secret.store(values, row.required_origins())
    return row


async def call(scheme, url):
    """Send one request signed by `scheme`; return the status."""
    response = await auth.send(
        httpx.Request(
            "POST",
            url,
            content=b"{}",
            extensions={"private_network": True, "keep_alive": False},
        ),
        scheme,
    )
    await transport.read(response, 1 << 20)
    return response.status_code


def calls(scheme, url, times=1):
    """Send `times` requests at once; return their statuses."""

    async def go():
        return await asyncio.gather(*[call(scheme, url) for _ in range(times)])

    return asyncio.run(go())


def token_requests(upstream):
    return [r for r in upstream.requests if r.target == "/token"]


def form(received):
    return {k: v[0] for k, v in parse_qs(received.body.decode()).items()}


def bearers(upstream):
    return [
        r.header("authorization") for r in upstream.requests if r.target != "/token"
    ]


# --- client credentials ---


@pytest.mark.proves("6.4")
def test_twenty_parallel_calls_fetch_one_token(upstream):
    upstream.delay = 0.05
    scheme = auth.for_provider(oauth_provider(upstream))
    assert calls(scheme, upstream.url + "/v1", 20) == [200] * 20
    assert len(token_requests(upstream)) == 1
    assert set(bearers(upstream)) == {"Bearer canary-token-1"}


def test_the_client_identifies_itself_in_the_header(upstream):
    provider = oauth_provider(
        upstream, scopes="read write", token_params={"audience": "models"}
    )
    calls(auth.for_provider(provider), upstream.url)
    received = token_requests(upstream)[0]
    pair = base64.b64encode(b"canary-client:canary-secret").decode()
    assert received.header("authorization") == f"Basic {pair}"
    assert form(received) == {
        "grant_type": "client_credentials",
        "scope": "read write",
        "audience": "models",
    }


def test_the_client_identifies_itself_in_the_body(upstream):
    provider = oauth_provider(upstream, client_auth="client_secret_post")
    calls(auth.for_provider(provider), upstream.url)
    received = token_requests(upstream)[0]
    assert received.header("authorization") is None
    assert form(received)["client_id"] == "canary-client"
    assert form(received)["client_secret"] == "canary-secret"


def test_a_token_is_renewed_before_it_expires(upstream, clock):
    scheme = auth.for_provider(oauth_provider(upstream))
    calls(scheme, upstream.url)
    clock.now += 3600 - 61
    calls(scheme, upstream.url)
    assert len(token_requests(upstream)) == 1
    clock.now += 2
    calls(scheme, upstream.url, 100)
    assert len(token_requests(upstream)) == 2


@pytest.mark.proves("6.4")
@pytest.mark.parametrize(
    ("expires_in", "age", "fetched"),
    [
        (None, 86_400, 1),
        (0, 86_400, 1),
        (-5, 86_400, 1),
        ("soon", 86_400, 1),
        ([1], 86_400, 1),
        ("3600", 3500, 1),
        ("3600", 3560, 2),
        (90, 40, 1),
        (90, 50, 2),
    ],
)
def test_an_odd_lifetime_does_no_harm(upstream, clock, expires_in, age, fetched):
    fields = {} if expires_in is None else {"expires_in": expires_in}
    upstream.answers["/token"] = token_answer("canary-token-1", **fields)
    scheme = auth.for_provider(oauth_provider(upstream))
    calls(scheme, upstream.url, 3)
    clock.now += age
    calls(scheme, upstream.url, 3)
    assert len(token_requests(upstream)) == fetched


def test_a_rejected_token_is_replaced_and_the_request_sent_once_more(upstream):
    tokens = iter(["canary-old", "canary-new"])
    upstream.answers["/token"] = lambda received: token_answer(next(tokens))
    upstream.answer = lambda received: json_answer(
        {}, 200 if received.header("authorization") == "Bearer canary-new" else 401
    )
    scheme = auth.for_provider(oauth_provider(upstream))
    assert calls(scheme, upstream.url + "/v1", 10) == [200] * 10
    assert len(token_requests(upstream)) == 2


def test_a_token_rejected_twice_is_the_answer(upstream):
    upstream.answer = json_answer({"error": {"message": "no"}}, 401)
    scheme = auth.for_provider(oauth_provider(upstream))
    assert calls(scheme, upstream.url + "/v1") == [401]
    assert len(bearers(upstream)) == 2


@pytest.mark.proves("6.4")
def test_a_failing_token_server_is_not_asked_by_every_call(upstream, clock):
    upstream.answers["/token"] = Answer(500, b"<html>oops</html>")
    scheme = auth.for_provider(oauth_provider(upstream))

    def refused():
        with pytest.raises(TokenError):
            calls(scheme, upstream.url)

    for _ in range(5):
        refused()
        clock.now += 1
    assert len(token_requests(upstream)) == 1
    clock.now += 5
    refused()
    assert len(token_requests(upstream)) == 2


def test_a_call_that_leaves_does_not_take_the_token_from_the_others(upstream):
    upstream.delay = 0.2
    scheme = auth.for_provider(oauth_provider(upstream))

    async def go():
        first = asyncio.ensure_future(call(scheme, upstream.url))
        second = asyncio.ensure_future(call(scheme, upstream.url))
        await asyncio.sleep(0.05)
        first.cancel()
        return await second

    assert asyncio.run(go()) == 200
    assert len(token_requests(upstream)) == 1


@pytest.mark.parametrize(
    ("status", "body", "rejected", "words"),
    [
        (401, {"error": "invalid_client"}, True, "client id and secret"),
        (400, {"error": "invalid_scope"}, True, "scopes"),
        (400, {"error": "canary canary"}, True, "answered 400"),
        (200, {"token": "x"}, True, "without an access token"),
        (200, ["x"], True, "without an access token"),
        (503, {}, False, "answered 503"),
    ],
)
def test_a_refusal_is_told_in_our_own_words(upstream, status, body, rejected, words):
    upstream.answers["/token"] = json_answer(body, status)
    with pytest.raises(TokenError, match=words) as caught:
        calls(auth.for_provider(oauth_provider(upstream)), upstream.url)
    assert caught.value.rejected is rejected
    assert "canary" not in str(caught.value)


def test_a_token_server_on_a_forbidden_address_is_not_asked(upstream):
    provider = oauth_provider(upstream)
    provider.token_url = "http://169.254.169.254/token"
    provider.secret.store(
        {"client_id": "a", "client_secret": "b"}, provider.required_origins()
    )
    with pytest.raises(TokenError, match="not connected to"):
        calls(auth.for_provider(provider), upstream.url)


def test_no_repr_shows_a_token(upstream):
    scheme = auth.for_provider(oauth_provider(upstream))
    calls(scheme, upstream.url)
    assert "canary" not in repr(scheme) + repr(scheme._token)


# --- authorization code ---

CODE = {"authorization_url": "https://login.example.com/authorize?tenant=1"}


@pytest.fixture
def connected(upstream, transactional_db):
    """A saved provider with a stored token that has just expired."""
    row = oauth_provider(upstream, **CODE)
    row.secret.save()
    row.save()
    token = OAuthToken(provider=row, expires_at=timezone.now())
    token.store({"access_token": "canary-old", "refresh_token": "canary-refresh-1"})
    token.save()
    return row


def test_the_authorization_request_carries_a_challenge_and_a_state(upstream):
    provider = oauth_provider(upstream, scopes="models", **CODE)
    url, kept = oauth.authorization_request(provider, "https://us.example.com/back")
    query = {k: v[0] for k, v in parse_qs(urlsplit(url).query).items()}
    digest = hashlib.sha256(kept["verifier"].encode()).digest()
    assert url.startswith("https://login.example.com/authorize?tenant=1&")
    assert query == {
        "tenant": "1",
        "response_type": "code",
        "client_id": "canary-client",
        "redirect_uri": "https://us.example.com/back",
        "scope": "models",
        "state": kept["state"],
        "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
        "code_challenge_method": "S256",
    }
    assert kept["provider"] == str(provider.uid)


def test_two_authorization_requests_share_nothing(upstream):
    provider = oauth_provider(upstream, **CODE)
    one = oauth.authorization_request(provider, "https://us.example.com/back")[1]
    two = oauth.authorization_request(provider, "https://us.example.com/back")[1]
    assert one["state"] != two["state"]
    assert one["verifier"] != two["verifier"]


def test_the_code_is_traded_for_a_token_that_is_stored_encrypted(upstream, connected):
    upstream.answers["/token"] = token_answer(
        "canary-first", expires_in=60, refresh_token="canary-refresh-9"
    )
    oauth.exchange(connected, "the-code", "the-verifier", "https://us.example.com/back")
    assert form(token_requests(upstream)[0]) == {
        "grant_type": "authorization_code",
        "code": "the-code",
        "redirect_uri": "https://us.example.com/back",
        "code_verifier": "the-verifier",
    }
    row = OAuthToken.objects.get()
    assert "canary" not in row.sealed
    assert row.reveal()["access_token"] == "canary-first"
    assert row.expires_at > timezone.now()


def test_a_client_without_a_secret_names_itself_in_the_body(upstream, db):
    provider = oauth_provider(upstream, secret=False, **CODE)
    provider.secret.save()
    provider.save()
    oauth.exchange(provider, "the-code", "v", "https://us.example.com/back")
    received = token_requests(upstream)[0]
    assert received.header("authorization") is None
    assert form(received)["client_id"] == "canary-client"


def test_a_refused_code_stores_nothing(upstream, connected):
    upstream.answers["/token"] = json_answer({"error": "invalid_grant"}, 400)
    with pytest.raises(TokenError, match="invalid_grant"):
        oauth.exchange(connected, "bad", "v", "https://us.example.com/back")
    assert OAuthToken.objects.get().reveal()["access_token"] == "canary-old"


def test_an_expired_token_is_refreshed_and_stored(upstream, connected):
    upstream.answers["/token"] = token_answer("canary-new", expires_in=3600)
    assert calls(auth.for_provider(connected), upstream.url + "/v1") == [200]
    assert form(token_requests(upstream)[0]) == {
        "grant_type": "refresh_token",
        "refresh_token": "canary-refresh-1",
    }
    row = OAuthToken.objects.get()
    assert row.reveal()["access_token"] == "canary-new"
    assert row.reveal()["refresh_token"] == "canary-refresh-1"
    assert row.refresh_lease is None


def test_two_processes_use_the_refresh_token_once(upstream, connected):
    upstream.delay = 0.2
    upstream.answers["/token"] = token_answer(
        "canary-new", expires_in=3600, refresh_token="canary-refresh-2"
    )
    one = auth.for_provider(connected)
    other = auth.for_provider(ModelProvider.objects.select_related("secret").get())

    async def go():
        return await asyncio.gather(
            *[call(scheme, upstream.url + "/v1") for scheme in (one, other) * 5]
        )

    assert asyncio.run(go()) == [200] * 10
    assert len(token_requests(upstream)) == 1
    assert set(bearers(upstream)) == {"Bearer canary-new"}


def test_a_lease_left_by_a_dead_process_runs_out(upstream, connected):
    past = timezone.now() - datetime.timedelta(seconds=1)
    OAuthToken.objects.update(refresh_lease=past)
    assert calls(auth.for_provider(connected), upstream.url) == [200]


def test_a_failed_refresh_gives_the_lease_back(upstream, connected):
    upstream.answers["/token"] = json_answer({"error": "invalid_grant"}, 400)
    with pytest.raises(TokenError, match="Reconnect"):
        calls(auth.for_provider(connected), upstream.url)
    assert OAuthToken.objects.get().refresh_lease is None


def test_a_provider_nobody_connected_says_so(upstream, connected):
    OAuthToken.objects.all().delete()
    with pytest.raises(TokenError, match="press Connect"):
        calls(auth.for_provider(connected), upstream.url)


def test_a_token_is_not_used_at_another_address(upstream, connected):
    connected.endpoint = "http://127.0.0.1:9"
    connected.secret.store(
        {"client_id": "canary-client", "client_secret": "x"},
        connected.required_origins(),
    )
    with pytest.raises(TokenError, match="another address"):
        calls(auth.for_provider(connected), upstream.url)


def test_the_token_row_is_read_once(upstream, connected):
    OAuthToken.objects.update(expires_at=timezone.now() + datetime.timedelta(hours=1))
    scheme = auth.for_provider(connected)
    assert calls(scheme, upstream.url) == [200]
    OAuthToken.objects.all().delete()
    assert calls(scheme, upstream.url) == [200]
    assert bearers(upstream) == ["Bearer canary-old"] * 2


def test_tokens_are_fetched_by_the_way_of_the_provider(upstream):
    with ForwardProxy() as proxy:
        row = oauth_provider(upstream, options={"proxy": proxy.url})
        scheme = auth.for_provider(row)
        request = httpx.Request("POST", upstream.url + "/v1", content=b"{}")
        request.extensions = ways.extensions(row, keep_alive=False)
        asyncio.run(_sent(request, scheme))
    assert proxy.asked == [f"POST {upstream.url}/token", f"POST {upstream.url}/v1"]


async def _sent(request, scheme):
    response = await auth.send(request, scheme)
    await response.aclose()


def test_a_token_request_that_the_proxy_refuses_says_so(upstream):
    with ForwardProxy(user="a:b") as proxy:
        row = oauth_provider(upstream, options={"proxy": proxy.url})
        with pytest.raises(TokenError, match="wants a user name and password"):
            asyncio.run(call(auth.for_provider(row), upstream.url + "/v1"))
