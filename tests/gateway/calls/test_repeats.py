"""A provider that fails every call is not called twice for each."""

import itertools

import httpx
import pytest

from gateway.calls import router
from gateway.worker.registry import registry
from gateway.worker.snapshot import LOCAL
from providers.transport.repeats import FLOOR, Repeats

URL = "/v1/chat/completions"
CALLS = 100
NUMBERS = itertools.count()
MOST = int(CALLS * 1.1 + FLOOR)


@pytest.fixture
def oauth(provider):
    """A provider whose tokens come from its own host."""
    row = provider(auth_type="oauth2", token_url="http://127.0.0.1:9/token")
    values = {"client_id": "client", "client_secret": "secret-0123456789"}
    row.secret.store(values, row.required_origins())
    row.secret.save()


def tokens(request: httpx.Request) -> httpx.Response | None:
    if request.url.path != "/token":
        return None
    answer = {"access_token": f"token-{next(NUMBERS):08}", "expires_in": 3600}
    return httpx.Response(200, json=answer)


def asked(seen: list[httpx.Request]) -> list[httpx.Request]:
    return [each for each in seen if each.url.path != "/token"]


def test_every_token_is_refused(frozen, oauth, upstream, gateway, door):
    seen = upstream(lambda r: tokens(r) or httpx.Response(401, json={"error": "no"}))
    client = gateway()
    codes = {door.ask(client).status_code for _ in range(CALLS)}
    assert codes == {502}
    assert CALLS + FLOOR < len(asked(seen)) <= MOST


def test_an_expired_token_costs_no_call_however_often(
    frozen, oauth, upstream, gateway, door
):
    def one_call_each(request: httpx.Request) -> httpx.Response:
        token = request.headers["authorization"]
        if token in used:
            return httpx.Response(401, json={})
        used.add(token)
        return httpx.Response(200, json=door.upstream)

    used: set[str] = set()
    upstream(lambda request: tokens(request) or one_call_each(request))
    client = gateway()
    assert [door.ask(client).status_code for _ in range(20)] == [200] * 20


def test_every_call_is_refused_for_one_reason_after_another(
    frozen, provider, upstream, gateway, chat
):
    def respond(request: httpx.Request) -> httpx.Response:
        name = "stream_options" if b"stream_options" in request.content else "stream"
        return httpx.Response(400, json={"error": {"message": f"Unknown: {name}"}})

    # What one model refuses is remembered, so each call is for another.
    models = tuple(f"m{n}" for n in range(CALLS))
    provider(models=models)
    seen = upstream(respond)
    client = gateway()
    for model in models:
        client.post(URL, json={**chat, "model": model, "stream": True})
    assert CALLS < len(seen) <= MOST


@pytest.mark.proves("6.2")
def test_two_that_fail_do_not_call_each_other_twice(
    frozen, provider, upstream, gateway, door, settings
):
    settings.UNAVAILABLE_AFTER = 0
    provider("first", endpoint="http://127.0.0.1:9")
    provider("second", endpoint="http://127.0.0.1:10")
    busy = {"error": {"message": "busy", "type": "x"}}
    seen = upstream(lambda request: httpx.Response(429, json=busy))
    client = gateway()
    codes = {door.ask(client).status_code for _ in range(CALLS)}
    assert codes == {429}
    ports = [each.url.port for each in seen]
    fewer, more = sorted((ports.count(9), ports.count(10)))
    assert more == CALLS
    assert FLOOR <= fewer <= MOST - CALLS


def test_one_that_answers_takes_all_calls_of_another(
    frozen, provider, upstream, gateway, door, settings
):
    settings.UNAVAILABLE_AFTER = 0
    provider("first", endpoint="http://127.0.0.1:9")
    provider("second", endpoint="http://127.0.0.1:10")
    client = gateway()
    (first, *_) = router.find(registry.snapshot, door.body["model"], LOCAL)

    def respond(request: httpx.Request) -> httpx.Response:
        if f":{request.url.port}" in first.provider.row.endpoint:
            return httpx.Response(429, json={"error": {"message": "busy"}})
        return httpx.Response(200, json=door.upstream)

    upstream(respond)
    assert {door.ask(client).status_code for _ in range(30)} == {200}


def test_repeats_come_back_with_time(frozen):
    repeats = Repeats()
    while repeats.are_left():
        repeats.failed()
    frozen.now += 10
    spent = 0
    while repeats.are_left():
        repeats.failed()
        spent += 1
    assert spent == FLOOR


@pytest.mark.proves("6.2")
def test_repeats_are_not_saved_up(frozen):
    repeats = Repeats()
    for _ in range(1000):
        repeats.called()
    spent = 0
    while repeats.are_left():
        repeats.failed()
        spent += 1
    assert spent == FLOOR
