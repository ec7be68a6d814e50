"""Several providers for one model share its calls, one conversation by one of them."""

from collections import Counter
from types import SimpleNamespace
from uuid import UUID

import httpx
import pytest

from gateway.calls import router
from gateway.worker.registry import registry
from gateway.worker.snapshot import LOCAL
from providers.auth import keyed

PORTS = {"one": 9, "two": 10, "three": 11}
# By these conversations are spread: each time in the same way.
UIDS = {name: UUID(int=port) for name, port in PORTS.items()}
CALLS = 2000


@pytest.fixture
def sharing(provider):
    """Makes providers of these weights, by name."""

    def make(**weights):
        for name, weight in weights.items():
            options = {} if weight is None else {"weight": weight}
            endpoint = f"http://127.0.0.1:{PORTS[name]}"
            provider(name, endpoint=endpoint, options=options, uid=UIDS[name])

    return make


def shares(*, model: str = "gpt-4o-mini") -> Counter[str]:
    found = router.find(registry.snapshot, model, LOCAL)
    firsts = (router.spread(found, b"%d" % n)[0] for n in range(CALLS))
    return Counter(target.provider.name for target in firsts)


def answering(door):
    return lambda request: httpx.Response(200, json=door.upstream)


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ({"one": 1, "two": 1}, {"one": 0.5, "two": 0.5}),
        ({"one": 3, "two": 1}, {"one": 0.75, "two": 0.25}),
        ({"one": 3, "two": None}, {"one": 0.75, "two": 0.25}),
        ({"one": 0, "two": 1}, {"two": 1.0}),
        ({"one": 5, "two": 3, "three": 2}, {"one": 0.5, "two": 0.3, "three": 0.2}),
        ({"one": None, "two": None}, {"one": 1.0}),
    ],
)
def test_calls_are_shared_by_weight(sharing, gateway, weights, expected):
    sharing(**weights)
    gateway()
    counted = shares()
    assert set(counted) == set(expected)
    for name, share in expected.items():
        assert counted[name] / CALLS == pytest.approx(share, abs=0.05)


def test_priority_comes_before_weight(provider, gateway):
    provider("one", options={"weight": 1}, priority=2)
    provider("two", options={"weight": 1}, priority=1)
    provider("three", options={"weight": 9}, priority=2)
    gateway()
    assert shares() == {"two": CALLS}


def test_one_that_goes_moves_its_own_share_alone(sharing, gateway):
    sharing(one=1, two=1, three=1)
    gateway()
    found = router.find(registry.snapshot, "gpt-4o-mini", LOCAL)
    keys = [b"%d" % n for n in range(300)]
    before = {key: router.spread(found, key)[0].provider.name for key in keys}
    left = tuple(t for t in found if t.provider.name != "two")
    after = {key: router.spread(left, key)[0].provider.name for key in keys}
    moved = {key for key in keys if before[key] != after[key]}
    assert moved == {key for key in keys if before[key] == "two"}


BEGINNINGS = {
    "chat": ("messages", [{"role": "system", "content": "s"}]),
    "messages": ("messages", []),
    "ollama": ("messages", []),
    "responses": ("input", []),
}


def asked_ports(door, client, seen, question: str, rounds: int, **more) -> list[int]:
    """Return who was asked in one conversation that grows."""
    field, turns = BEGINNINGS[door.name]
    turns = [*turns, {"role": "user", "content": question}]
    start = len(seen)
    for number in range(rounds):
        assert door.ask(client, **{field: turns}, **more).status_code == 200
        turns = [
            *turns,
            {"role": "assistant", "content": f"answer {number}"},
            {"role": "user", "content": f"and {number}?"},
        ]
    return [each.url.port for each in seen[start:]]


def test_a_conversation_stays_with_one(sharing, upstream, gateway, streaming_door):
    sharing(one=1, two=1)
    seen = upstream(answering(streaming_door))
    more = {"store": False} if streaming_door.name == "responses" else {}
    client, ports = gateway(), set()
    for number in range(12):
        asked = asked_ports(streaming_door, client, seen, f"q{number}", 3, **more)
        assert len(set(asked)) == 1
        ports.update(asked)
    assert ports == {9, 10}


def test_what_a_provider_may_keep_is_asked_of_one_for_each_caller(
    sharing, upstream, gateway
):
    from tests.doors import RESPONSES

    sharing(one=1, two=1)
    seen = upstream(answering(RESPONSES))
    client = gateway()
    for number in range(10):
        asked_ports(RESPONSES, client, seen, f"q{number}", 1)
    assert len({each.url.port for each in seen}) == 1


@pytest.mark.parametrize(
    ("path", "headers", "body"),
    [
        ("/v1/messages", {"x-claude-code-session-id": "s-{n}"}, {"max_tokens": 9}),
        ("/v1/chat/completions", {}, {"prompt_cache_key": "s-{n}"}),
    ],
)
def test_a_session_is_known_by_its_name(
    sharing, upstream, gateway, completion, path, headers, body
):
    def named(values, number):
        return {
            name: v.format(n=number) if isinstance(v, str) else v
            for name, v in values.items()
        }

    sharing(one=1, two=1)
    seen = upstream(json=completion)
    client, ports = gateway(), set()
    for number in range(12):
        start = len(seen)
        for question in ("a", "b", "c"):
            turns = [{"role": "user", "content": question}]
            asked = {"model": "gpt-4o-mini", "messages": turns, **named(body, number)}
            client.post(path, json=asked, headers=named(headers, number))
        asked_ports = {each.url.port for each in seen[start:]}
        assert len(asked_ports) == 1
        ports |= asked_ports
    assert ports == {9, 10}


def test_embeddings_are_spread_call_by_call(sharing, upstream, gateway):
    from tests.doors import EMBEDDINGS

    sharing(one=1, two=1)
    seen = upstream(answering(EMBEDDINGS))
    for number in range(20):
        client = gateway(headers={"x-request-id": f"call-{number}"})
        EMBEDDINGS.check_answered(EMBEDDINGS.ask(client))
    assert {each.url.port for each in seen} == {9, 10}


def test_no_weight_anywhere_is_refused_in_words(sharing, upstream, gateway, door):
    sharing(one=0, two=0)
    seen = upstream(answering(door))
    told = door.check_refused(door.ask(gateway()), 503, "provider_unavailable")
    assert "(one and two: weight 0)" in told
    assert not seen


def test_one_of_weight_0_is_asked_by_name(sharing, upstream, gateway, door):
    sharing(one=0, two=1)
    seen = upstream(answering(door))
    door.check_answered(door.ask(gateway(), model="one/gpt-4o-mini"))
    assert [each.url.port for each in seen] == [9]


def test_a_row_tells_why_this_one(sharing, upstream, gateway, chat, completion, ledger):
    sharing(one=3, two=1)
    upstream(json=completion)
    gateway().post("/v1/chat/completions", json=chat)
    (row,) = ledger()
    weight = {"one": 3, "two": 1}[row["provider"]]
    assert row["details"]["why"] == f"weight {weight}; stays with its conversation"


def test_a_row_tells_who_did_not_take_it(
    sharing, upstream, gateway, chat, completion, ledger
):
    def respond(request: httpx.Request) -> httpx.Response:
        if request.url.port == 9:
            return httpx.Response(429, json={"error": {"message": "busy"}})
        return httpx.Response(200, json=completion)

    sharing(one=None, two=None)
    upstream(respond)
    gateway().post("/v1/chat/completions", json=chat)
    (row,) = ledger()
    assert row["provider"] == "two"
    assert row["details"]["why"] == "one did not take it: rate_limit_exceeded"


# --- several keys of one provider ---

KEYS = ("sk-first-0123456789abcdef", "sk-second-0123456789abcde")


@pytest.mark.parametrize("status", [401, 429])
def test_a_call_goes_on_with_another_key(provider, upstream, gateway, door, status):
    sent = []

    def respond(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers["authorization"].removeprefix("Bearer "))
        if sent[-1] == KEYS[0]:
            return httpx.Response(status, json={"error": {"message": "no"}})
        return httpx.Response(200, json=door.upstream)

    provider(key=",".join(KEYS))
    upstream(respond)
    client = gateway()
    for _ in range(2):
        door.check_answered(door.ask(client))
    assert sent == [KEYS[0], KEYS[1], KEYS[1]]


def test_a_calls_row_tells_its_key_and_which_one_rests(
    provider, upstream, gateway, chat, completion, ledger, monkeypatch
):
    def respond(request: httpx.Request) -> httpx.Response:
        is_first = request.headers["authorization"].endswith(KEYS[0])
        body = {"error": {"message": "no"}} if is_first else completion
        return httpx.Response(401 if is_first else 200, json=body)

    monkeypatch.setattr(keyed, "time", SimpleNamespace(monotonic=lambda: 7.0))
    monkeypatch.setattr(keyed, "_resting", {})
    provider(key=",".join(KEYS))
    upstream(respond)
    assert gateway().post("/v1/chat/completions", json=chat).status_code == 200
    (row,) = ledger()
    assert row["details"]["key"] == "••••bcde; ••••cdef rests for 600 s"


def test_each_of_several_keys_stays_out_of_answers(provider, upstream, gateway, chat):
    provider(key=",".join(KEYS))
    message = f"Incorrect API key provided: {KEYS[1]}"
    upstream(json={"error": {"message": message}}, status=400)
    answer = gateway().post("/v1/chat/completions", json=chat)
    assert KEYS[1] not in answer.text
    assert KEYS[1][8:] not in answer.text
