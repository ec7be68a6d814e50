"""What a hostile or careless client may do at the gateway's edge."""

import asyncio
import time
from dataclasses import replace

import pytest

from gateway.entry import hops, routes
from gateway.errors import GatewayError
from gateway.worker.draining import draining
from gateway.worker.registry import KEPT_SECONDS, registry
from gateway.worker.runtime import runtime
from gateway.worker.snapshot import Snapshot
from providers import attempts
from providers.models import WorkspaceKey
from runagents.asgi import application
from tests import limits

URL = "/v1/chat/completions"
OTHER = "1.1 gw-0123456789ab"


@pytest.fixture
def key(db) -> dict[str, str]:
    """The headers of a caller with a valid key."""
    return {"authorization": f"Bearer {WorkspaceKey.issue('ci').plaintext}"}


# --- Via ---


@pytest.mark.proves("3.9")
def test_a_request_that_came_back_is_refused(provider, upstream, gateway, door, key):
    provider()
    seen = upstream(json={})
    response = door.ask(gateway(headers={**key, "via": f"1.1 proxy, {runtime.via}"}))
    door.check_refused(response, 508, "loop_detected")
    assert not seen


def test_the_gateways_on_the_way_are_told_upstream_and_nobody_else(
    provider, upstream, gateway, door, key
):
    provider()
    seen = upstream(json=door.upstream)
    client = gateway(headers={**key, "via": f"1.1 client-secret, {OTHER}"})
    door.check_answered(door.ask(client))
    assert seen[0].headers["via"] == f"{OTHER}, {runtime.via}"


@pytest.mark.proves("3.9")
def test_a_way_over_many_gateways_is_a_loop_too():
    with pytest.raises(GatewayError) as caught:
        hops.forwarded([", ".join([OTHER] * hops.MAX_HOPS)], runtime.via)
    assert caught.value.status == 508


# --- wrong keys ---


@pytest.mark.proves("2.6")
def test_sixty_wrong_keys_a_minute_are_enough(gateway, settings):
    settings.TRUSTED_PROXIES = 1
    client = gateway(headers={"authorization": "Bearer wrong"})

    def status(hop: str) -> int:
        return client.get("/v1/models", headers={"x-forwarded-for": hop}).status_code

    assert {status("1.1.1.1") for _ in range(60)} == {401}
    response = client.get("/v1/models", headers={"x-forwarded-for": "9.9.9.9, 1.1.1.1"})
    assert response.status_code == 429
    assert 1 <= int(response.headers["retry-after"]) <= 60
    # Which addresses are counted together nobody knows beforehand.
    counted = attempts.place_of("1.1.1.1")
    others = (f"2.2.2.{n}" for n in range(1, 255))
    other = next(each for each in others if attempts.place_of(each) != counted)
    assert status(other) == 401


@pytest.mark.proves("2.6")
def test_workers_count_wrong_keys_together(gateway, monkeypatch):
    """Each worker has a limiter of its own, over the same files or the same Redis."""
    client = gateway(headers={"authorization": "Bearer wrong"})
    other = limits.of_a_test(runtime.limiter._folder)
    for _ in range(60):
        assert client.get("/v1/models").status_code == 401
    monkeypatch.setattr(runtime, "limiter", other)
    assert client.get("/v1/models").status_code == 429
    assert client.get("/api/v1/model-providers").status_code == 429
    asyncio.run(other.aclose())


def test_a_valid_key_passes_beside_any_number_of_wrong_ones(gateway, key):
    wrong = gateway(headers={"authorization": "Bearer wrong"})
    for _ in range(61):
        refused = wrong.get("/v1/models").status_code
    assert refused == 429
    assert gateway(headers=key).get("/v1/models").status_code == 200


def test_a_key_that_becomes_known_while_attempts_are_counted_is_let_in(
    gateway, key, monkeypatch
):
    client = gateway(headers=key)
    newer = registry.snapshot
    registry.snapshot = replace(newer, callers={})

    async def add(place: str) -> float:
        registry.snapshot = newer
        return 0.0

    monkeypatch.setattr(attempts.wrong_keys, "add", add)
    assert client.get("/v1/models").status_code == 200


# --- what is in memory ---


@pytest.mark.proves("9.1")
@pytest.mark.parametrize("age", [KEPT_SECONDS, 10 * KEPT_SECONDS])
def test_after_a_day_without_the_database_nobody_is_let_in(
    gateway, key, monkeypatch, age
):
    client = gateway(headers=key)
    confirmed_at = registry._confirmed_at
    monkeypatch.setattr(registry, "_confirmed_at", confirmed_at - KEPT_SECONDS + 60)
    assert client.get("/v1/models").status_code == 200
    monkeypatch.setattr(registry, "_confirmed_at", confirmed_at - age)
    answer = client.get("/v1/models")
    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "store_unavailable"
    assert answer.headers["retry-after"]
    assert client.get("/readyz").status_code == 503


# --- paths, methods, protocols ---


@pytest.mark.parametrize("tail", ["x", "chat/completions/x", "p/", "models"])
def test_a_path_of_repetitions_is_matched_at_once(tail):
    # Matching again and again would take minutes.
    began = time.thread_time()
    routes.match("/" + "v1/" * 650 + tail)
    routes.match("/" + "v1/" * 2600 + tail)
    assert time.thread_time() - began < 1


@pytest.mark.parametrize(
    "path", ["/v1/" + "x" * 8000, "/v1/\x1b[31m\r\nx", "/v1/\udcff", "/v1/é\u202e"]
)
def test_a_strange_path_is_a_404_in_plain_characters(gateway, path):
    status, _, body = _answer(path)
    assert status == 404
    assert all(32 <= byte < 127 for byte in body)


def test_head_is_answered_like_get_without_a_body(gateway):
    gateway()
    status, headers, body = _answer("/readyz", "HEAD")
    assert (status, body) == (200, b"")
    assert headers["content-length"] == str(len(b'{"status":"ready"}'))


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "PUT", "GET", "HEAD"])
def test_another_method_is_a_405_that_names_the_right_one(gateway, method):
    gateway()
    status, headers, _ = _answer(URL, method)
    assert (status, headers["allow"]) == (405, "POST")


@pytest.mark.proves("2.5")
def test_no_answer_allows_pages_of_other_origins(provider, gateway, chat, key):
    provider()
    client = gateway(headers={**key, "origin": "https://evil.example"})
    for response in (
        client.get("/v1/models"),
        client.post(URL, json=chat),
        client.get("/healthz"),
        client.get("/login/"),
        asyncio.run(client._request("OPTIONS", URL, {})),
    ):
        assert not [h for h in response.headers if h.startswith("access-control-")]


@pytest.mark.parametrize("value", [b"k\xe9y", b"a" * 8000, b"\x01", b"a\tb"])
def test_a_strange_idempotency_key_fails_nothing(
    provider, upstream, gateway, door, value
):
    provider()
    upstream(json=door.upstream)
    client = gateway(headers={b"idempotency-key": value})
    assert door.ask(client).status_code < 500


def test_a_websocket_is_refused_without_an_error():
    sent = []

    async def receive() -> dict:
        return {"type": "websocket.connect"}

    async def send(message: dict) -> None:
        sent.append(message["type"])

    asyncio.run(application({"type": "websocket", "path": URL}, receive, send))
    assert sent == ["websocket.close"]


def _answer(path: str, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
    """Send a request as a server would hand it over, whatever the path."""
    sent = []

    async def receive() -> dict:
        return {"type": "http.request", "body": b""}

    async def send(message: dict) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1")],
        "client": ("127.0.0.1", 50000),
    }
    asyncio.run(application(scope, receive, send))
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, b"".join(m["body"] for m in sent[1:])


@pytest.mark.proves("10.4")
def test_a_worker_that_ends_is_not_ready_and_still_alive(gateway, monkeypatch):
    client = gateway()
    assert client.get("/readyz").status_code == 200
    monkeypatch.setattr(draining, "has_begun", True)
    assert client.get("/readyz").status_code == 503
    assert client.get("/readyz").json()["reason"] == "draining"
    assert client.get("/healthz").status_code == 200


@pytest.mark.proves("10.4")
def test_the_version_is_told_to_whoever_has_the_token_and_to_nobody_else(
    gateway, settings
):
    client = gateway()
    right = {"authorization": "Bearer for-prometheus"}
    for headers in ({}, right, {"authorization": "Bearer "}):
        assert client.get("/healthz", headers=headers).json() == {"status": "ok"}
    settings.METRICS_TOKEN = "for-prometheus"
    told = client.get("/healthz", headers=right).json()
    assert told == {"status": "ok", "version": settings.VERSION}
    for headers in ({}, {"authorization": "Bearer for-promethean"}):
        assert client.get("/healthz", headers=headers).json() == {"status": "ok"}


@pytest.mark.proves("10.4")
def test_readyz_says_in_a_word_why_not(gateway, monkeypatch):
    client = gateway()
    monkeypatch.setattr(registry, "_confirmed_at", -2 * 86400.0)
    assert client.get("/readyz").json() == {
        "status": "not ready",
        "reason": "outdated",
    }
    monkeypatch.setattr(registry, "snapshot", Snapshot())
    assert client.get("/readyz").json()["reason"] == "starting"


# --- what no browser may guess at ---


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("get", "/healthz", 200),
        ("get", "/v1/models", 200),
        ("post", URL, 200),
        ("get", URL, 405),
        ("post", "/v1/nowhere", 404),
        ("post", "/openai/v1/nowhere", 404),
        ("post", "/sandbox/v1/chat/completions", 401),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_no_answer_is_taken_for_a_page(
    provider, upstream, gateway, chat, completion, method, path, status, stream
):
    provider()
    if stream:
        choice = b'{"index": 0, "delta": {"content": "x"}, "finish_reason": "stop"}'
        upstream(stream=[b'data: {"choices": [%b]}\n\n' % choice])
    else:
        upstream(json=completion)
    sent = {"json": {**chat, "stream": stream}} if method == "post" else {}
    answer = getattr(gateway(), method)(path, **sent)
    assert answer.status_code == status
    assert answer.headers.get_list("x-content-type-options") == ["nosniff"]


# --- codings of a body ---

CODINGS = [
    ["gzip, chunked"],
    ["gzip", "chunked"],
    ["chunked", "gzip"],
    ["chunked", "chunked"],
    ["identity", "chunked"],
    ["Chunked, gzip"],
]


@pytest.mark.django_db
@pytest.mark.parametrize("codings", CODINGS)
@pytest.mark.parametrize("path", [URL, "/login/", "/api/v1/model-providers"])
def test_a_body_in_another_coding_than_chunks_is_not_read(gateway, codings, path):
    lines = [("transfer-encoding", each) for each in codings]
    headers = [("content-type", "application/json"), *lines]
    answer = gateway().post(path, content=b"{}", headers=headers)
    assert answer.status_code == 415
    assert "but chunked" in answer.text


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", [URL, "/api/v1/model-providers"])
@pytest.mark.parametrize("coding", ["chunked", "Chunked", " chunked "])
def test_a_body_in_chunks_is_read(gateway, path, coding):
    headers = [("content-type", "application/json"), ("transfer-encoding", coding)]
    answer = gateway().post(path, content=b"{}", headers=headers)
    assert answer.status_code in {400, 401}
