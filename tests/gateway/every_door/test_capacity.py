"""How much a worker takes on at once, at every door."""

import json

import httpx
import pytest

from gateway.worker.capacity import capacity
from providers.models import WorkspaceKey


@pytest.fixture
def key(db) -> dict[str, str]:
    """The headers of a caller with a valid key."""
    return {"authorization": f"Bearer {WorkspaceKey.issue('ci').plaintext}"}


@pytest.mark.proves("7.2")
def test_a_worker_a_provider_and_a_key_take_so_many_calls_at_once(
    provider, upstream, gateway, door, key, settings
):
    provider()
    upstream(json={})
    for setting, status, code in [
        ("CALLS_PER_WORKER", 503, "overloaded"),
        ("CALLS_PER_PROVIDER", 503, "overloaded"),
        ("CALLS_PER_KEY", 429, "rate_limit_exceeded"),
    ]:
        before = getattr(settings, setting)
        setattr(settings, setting, 0)
        response = door.ask(gateway(headers=key))
        door.check_refused(response, status, code)
        assert response.headers["retry-after"]
        assert gateway().get("/healthz").status_code == 200
        setattr(settings, setting, before)


def test_a_full_provider_hands_over_to_the_next(
    provider, upstream, gateway, door, monkeypatch
):
    provider("first", priority=1)
    provider("second", priority=2)
    upstream(json=door.upstream)
    monkeypatch.setitem(capacity._taken, "first", 10_000)
    response = door.ask(gateway())
    assert response.headers["x-gateway-provider"] == "second"


def test_a_place_is_given_back_whatever_came_of_the_call(
    provider, upstream, gateway, door, key, settings
):
    provider()
    settings.CALLS_PER_WORKER = settings.CALLS_PER_PROVIDER = 1
    settings.CALLS_PER_KEY = 1
    client = gateway(headers=key)
    upstream(json=door.upstream)
    unknown = {**door.body, "model": "unknown"}
    for body in (door.body, {"model": 3}, unknown, door.body):
        assert client.post(door.path, json=body).status_code not in {429, 503}
    upstream(stream=[b"data: [DONE]\n\n"])
    for _ in range(2):
        door.ask(client, stream=True)
    upstream(json=door.upstream)
    door.check_answered(door.ask(client))


@pytest.mark.proves("7.2")
def test_a_worker_takes_so_many_bytes_at_once_and_forgets_none(
    provider, upstream, gateway, door, settings
):
    provider()
    held = []

    def answer(request: httpx.Request) -> httpx.Response:
        held.append(capacity.bytes_held)
        return httpx.Response(200, json=door.upstream)

    seen = upstream(answer)
    body = json.dumps(door.body).encode()
    settings.BYTES_PER_WORKER = len(body)
    headers = {"content-type": "application/json"}
    client = gateway(headers=headers)
    door.check_answered(client.post(door.path, content=body))
    refused = client.post(door.path, content=body + b" ")
    door.check_refused(refused, 503, "overloaded")
    assert refused.headers["retry-after"]
    door.check_answered(client.post(door.path, content=body))
    assert held == [len(body)] * 2
    assert len(seen) == 2
    assert capacity.bytes_held == 0
