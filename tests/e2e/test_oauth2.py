"""OAuth2 client credentials: one token for all who wait, renewed once."""

import base64
import itertools
import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs

import httpx
import pytest

from providers.auth.oauth import FAILURE_SECONDS
from tests.e2e import dialects, registries
from tests.e2e.processes import Server
from tests.e2e.replay import Received, Replay, Reply, json_reply

CLIENT = ("client-id", "client-secret-0123456789")
SECRETS = {"CLIENT_ID": CLIENT[0], "CLIENT_SECRET": CLIENT[1]}


class TokenServer:
    """Tokens on a replay server; calls with another one than the last get a 401."""

    def __init__(self, replay: Replay, name: str) -> None:
        self.requests: list[Received] = []
        self.refused = 0
        self.valid = ""
        self.expires_in = 3600
        self.is_down = False
        self._name = name
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        replay.route(f"/{name}/token", self._token)
        replay.route(f"/{name}/v1/chat/completions", self._chat)

    def _token(self, received: Received) -> Reply:
        self.requests.append(received)
        if self.is_down:
            return json_reply({"error": "temporarily_unavailable"}, 503)
        self.valid = f"token-{self._name}-{next(self._numbers)}"
        answer = {"access_token": self.valid, "token_type": "Bearer"}
        reply = json_reply({**answer, "expires_in": self.expires_in})
        # Long enough for all that call at once to find no token yet.
        reply.delay = 0.3
        return reply

    def _chat(self, received: Received) -> Reply:
        if received.header("authorization") != f"Bearer {self.valid}":
            self.refused += 1
            return json_reply({"error": {"message": "Unknown token."}}, 401)
        return dialects.openai(received)


@pytest.fixture(scope="module")
def tokens(replay: Replay) -> dict[str, TokenServer]:
    """A token server for each test, by the name of provider and model."""
    names = ("cold", "expired", "down", "short", "shared")
    return {name: TokenServer(replay, name) for name in names}


def providers(replay: Replay, names: list[str]) -> dict:
    """Return a registry with a provider and a model of each name."""
    rows = [
        registries.with_oauth2(
            registries.openai(name, f"{replay.url}/{name}", name),
            "client",
            f"{replay.url}/{name}/token",
        )
        for name in names
    ]
    client = {"client_id": "CLIENT_ID", "client_secret": "CLIENT_SECRET"}
    return registries.registry(*rows, client=client)


@pytest.fixture(scope="module")
def gateway(server: Callable[..., Server], replay: Replay, tokens) -> Server:
    """A server whose providers want tokens."""
    names = [name for name in tokens if name != "shared"]
    made = server(providers(replay, names), SECRETS)
    # The first status check of each provider fetches a token of its own.
    assert replay.wait_until(lambda: all(tokens[name].requests for name in names))
    return made


def call_at_once(gateway: Server, model: str, count: int) -> list[httpx.Response]:
    """Return the answers to `count` calls that start together."""
    start = threading.Barrier(count)

    def call(number: int) -> httpx.Response:
        start.wait()
        return gateway.chat(model, f"call {number}")

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(call, range(count)))


def test_twenty_calls_without_a_token_fetch_one(gateway, tokens):
    before = len(tokens["cold"].requests)
    answers = call_at_once(gateway, "cold", 20)
    assert [answer.status_code for answer in answers] == [200] * 20
    assert len(tokens["cold"].requests) == before + 1
    assert tokens["cold"].refused == 0


def test_the_token_request_is_what_the_standard_says(gateway, tokens):
    gateway.chat("cold")
    request = tokens["cold"].requests[-1]
    assert request.header("content-type") == "application/x-www-form-urlencoded"
    assert parse_qs(request.body.decode()) == {
        "grant_type": ["client_credentials"],
        "scope": ["chat"],
    }
    basic = base64.b64encode(":".join(CLIENT).encode()).decode()
    assert request.header("authorization") == f"Basic {basic}"


def test_a_token_that_the_provider_refuses_is_renewed_once(gateway, tokens):
    server = tokens["expired"]
    assert gateway.chat("expired").status_code == 200
    before = len(server.requests)
    server.valid = "revoked on the other side"
    answers = call_at_once(gateway, "expired", 20)
    assert [answer.status_code for answer in answers] == [200] * 20
    assert len(server.requests) == before + 1


def test_a_token_is_renewed_when_its_time_is_up(gateway, tokens):
    server = tokens["short"]
    server.expires_in = 1
    assert gateway.chat("short").status_code == 200
    before = len(server.requests)
    # Half its life is over. The next one lives for as long as the calls may take.
    threading.Event().wait(0.6)
    server.expires_in = 3600
    answers = call_at_once(gateway, "short", 5)
    assert [answer.status_code for answer in answers] == [200] * 5
    assert len(server.requests) == before + 1
    assert server.refused == 0


def test_a_token_server_that_is_down_is_not_asked_by_everyone(gateway, tokens):
    server = tokens["down"]
    server.is_down = True
    before = len(server.requests)
    began = time.monotonic()
    answers = [*call_at_once(gateway, "down", 20), gateway.chat("down")]
    seconds = time.monotonic() - began
    assert {answer.status_code for answer in answers} == {502}
    error = answers[0].json()["error"]
    assert error["code"] == "upstream_auth_error"
    assert "down" in error["message"]
    assert answers[0].headers["x-should-retry"] == "false"
    # What failed is not asked again for so long, unless the calls took longer.
    assert 1 <= len(server.requests) - before <= 1 + seconds // FAILURE_SECONDS
    (row, *_) = gateway.rows(21, model="down")
    assert (row["outcome"], row["status"]) == ("upstream_error", 502)


def test_four_workers_fetch_one_token_each_at_most(server, replay, tokens):
    shared = tokens["shared"]
    made = server(providers(replay, ["shared"]), SECRETS, workers=4)
    assert replay.wait_until(lambda: bool(shared.requests))
    before = len(shared.requests)
    # Each worker's token replaces the others' here; accept them all.
    replay.route("/shared/v1/chat/completions", dialects.openai)
    answers = call_at_once(made, "shared", 20)
    assert [answer.status_code for answer in answers] == [200] * 20
    assert 1 <= len(shared.requests) - before <= 4
    used = {
        json.loads(call.body)["messages"][0]["content"]
        for call in replay.calls
        if call.path == "/shared/v1/chat/completions"
    }
    assert len(used) == 20
