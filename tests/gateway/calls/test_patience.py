"""A provider that is busy is waited for and asked again; how long is bounded."""

import asyncio
import time

import httpx
import pytest

from gateway.calls import answer_stream
from gateway.calls.attempts import rounds
from gateway.entry import waiting
from gateway.worker.gates import gates
from tests.gateway.entry.test_waiting import FIRST

BUSY = {"error": {"message": "busy, come again", "type": "x"}}
SOON = {"retry-after-ms": "1"}
CHOICE = b'{"index": 0, "delta": {"content": "x"}, "finish_reason": "stop"}'
STREAM = b'data: {"choices": [%b]}\n\ndata: [DONE]\n\n' % CHOICE
OVERLOADED = b'data: {"error": {"message": "busy", "code": "rate_limit_exceeded"}}\n\n'


@pytest.fixture(autouse=True)
def _patient(settings):
    settings.RETRY_PATIENCE = 10


@pytest.fixture
def waited(monkeypatch):
    """The seconds that were waited, which take no time."""
    seconds = []

    async def sleep(pause: float) -> None:
        seconds.append(pause)

    monkeypatch.setattr(rounds, "sleep", sleep)
    monkeypatch.setattr(rounds, "JITTER", (1.0, 1.0))
    return seconds


def busy_for(times: int, status: int, answer, headers=SOON):
    """Return what refuses so often and answers then."""
    left = [times]

    def respond(request: httpx.Request) -> httpx.Response:
        left[0] -= 1
        if left[0] >= 0:
            return httpx.Response(status, json=BUSY, headers=headers)
        return answer(request)

    return respond


def streamed(*parts: bytes):
    async def body():
        for part in parts:
            yield part

    kind = {"content-type": "text/event-stream"}
    return lambda request: httpx.Response(200, headers=kind, content=body())


class Slow(httpx.AsyncByteStream):
    """Parts, each so many seconds after the one before; waiting may be given up."""

    def __init__(self, parts: list[tuple[float, bytes]]) -> None:
        self._parts = parts
        self._since = time.monotonic()

    def __aiter__(self):
        return self

    async def __anext__(self) -> bytes:
        if not self._parts:
            raise StopAsyncIteration
        seconds, part = self._parts[0]
        left = self._since + seconds - time.monotonic()
        if left > 0:
            await asyncio.sleep(left)
        self._since = time.monotonic()
        self._parts.pop(0)
        return part


@pytest.fixture
def sent_just_now(monkeypatch):
    """Has no time pass between a request and the wait for its answer."""
    for module in (rounds, answer_stream):
        monkeypatch.setattr(module, "monotonic", lambda: 7.0)


def slow(parts: list[tuple[float, bytes]]) -> httpx.Response:
    kind = {"content-type": "text/event-stream"}
    return httpx.Response(200, headers=kind, stream=Slow(parts))


@pytest.mark.parametrize("status", [429, 503, 529])
@pytest.mark.parametrize("times", [1, 2])
def test_one_that_is_busy_for_a_moment_answers(
    provider, upstream, gateway, door, ledger, status, times
):
    provider()
    ok = httpx.Response(200, json=door.upstream)
    seen = upstream(busy_for(times, status, lambda request: ok))
    door.check_answered(door.ask(gateway()))
    assert len(seen) == times + 1
    (row,) = ledger()
    assert (row["outcome"], row["status"]) == ("ok", 200)


def test_how_often_it_was_asked_is_in_the_row(
    provider, upstream, gateway, chat, completion, ledger
):
    provider()
    ok = httpx.Response(200, json=completion)
    upstream(busy_for(2, 503, lambda request: ok))
    assert gateway().post("/v1/chat/completions", json=chat).status_code == 200
    (row,) = ledger()
    assert row["details"]["asked_again"] == 2


@pytest.mark.proves("6.1")
def test_it_is_asked_again_twice_at_most(provider, upstream, gateway, door, waited):
    provider()
    seen = upstream(json=BUSY, status=503)
    door.check_refused(door.ask(gateway()), 503, "overloaded")
    assert len(seen) == 3
    assert waited == [2.0, 2.0]


@pytest.mark.parametrize(
    ("headers", "own", "expected"),
    [
        ({"retry-after": "4"}, {}, [4.0, 4.0]),
        ({"retry-after": "6"}, {}, [6.0]),
        ({"retry-after": "11"}, {}, []),
        ({"retry-after": "11"}, {"patience": 30}, [11.0, 11.0]),
        ({"retry-after": "1"}, {"patience": 0}, []),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, {}, []),
        ({"retry-after": "1", "x-should-retry": "false"}, {}, []),
        ({"retry-after": "3", "retry-after-ms": "2500"}, {}, [2.5, 2.5]),
    ],
)
def test_a_call_waits_as_long_as_it_is_told_and_has_patience(
    provider, upstream, gateway, door, waited, headers, own, expected
):
    provider(options={"timeouts": own})
    seen = upstream(json=BUSY, status=429, headers=headers)
    door.check_refused(door.ask(gateway()), 429, "rate_limit_exceeded")
    assert waited == expected
    assert len(seen) == len(expected) + 1


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, {"error": {"message": "it broke", "type": "server_error"}}),
        (502, {"error": {"message": "bad gateway", "type": "server_error"}}),
        (504, {"error": {"message": "took too long", "type": "timeout"}}),
        (400, {"error": {"message": "temperature is too high"}}),
        (429, {"error": {"message": "quota", "code": "insufficient_quota"}}),
    ],
)
@pytest.mark.proves("6.1")
def test_nothing_else_is_asked_again(
    provider, upstream, gateway, door, waited, status, body
):
    provider()
    seen = upstream(json=body, status=status)
    assert door.ask(gateway()).status_code >= 400
    assert (len(seen), waited) == (1, [])


def test_another_that_serves_the_model_is_asked_instead(
    provider, upstream, gateway, door, waited
):
    provider("first", endpoint="http://127.0.0.1:9", priority=1)
    provider("second", endpoint="http://127.0.0.1:10", priority=2)

    def respond(request: httpx.Request) -> httpx.Response:
        if request.url.port == 9:
            return httpx.Response(429, json=BUSY, headers=SOON)
        return httpx.Response(200, json=door.upstream)

    seen = upstream(respond)
    door.check_answered(door.ask(gateway()))
    assert [each.url.port for each in seen] == [9, 10]
    assert waited == []


def test_the_last_one_asked_is_waited_for(provider, upstream, gateway, door, waited):
    provider("first", endpoint="http://127.0.0.1:9", priority=1)
    provider("second", endpoint="http://127.0.0.1:10", priority=2)
    seen = upstream(json=BUSY, status=429, headers={"retry-after": "1"})
    door.check_refused(door.ask(gateway()), 429, "rate_limit_exceeded")
    assert [each.url.port for each in seen] == [9, 10, 10, 10]


@pytest.mark.proves("6.2")
def test_one_that_stays_busy_is_asked_a_tenth_more(
    frozen, provider, upstream, gateway, chat, waited
):
    provider()
    seen = upstream(json=BUSY, status=503)
    client = gateway()
    for _ in range(100):
        client.post("/v1/chat/completions", json=chat)
    assert len(seen) <= 100 * 1.1 + 4


def test_a_busy_moment_counts_once_towards_a_closed_gate(
    provider, upstream, gateway, chat, waited, settings, monkeypatch
):
    settings.UNAVAILABLE_AFTER = 5
    monkeypatch.setattr(gates, "failing", {})
    provider()
    upstream(json=BUSY, status=503)
    gateway().post("/v1/chat/completions", json=chat)
    assert list(gates.failing.values()) == [1]


def test_a_repeat_counts_towards_requests_per_minute(
    provider, upstream, gateway, door, waited
):
    provider(requests_per_minute=2)
    seen = upstream(json=BUSY, status=503)
    told = door.check_refused(door.ask(gateway()), 429, "rate_limit_exceeded")
    assert "2 requests per minute" in told
    assert len(seen) == 2


# --- streams ---


def test_a_stream_whose_first_event_is_that_it_is_busy_begins_anew(
    provider, upstream, gateway, streaming_door, waited
):
    answers = [streamed(OVERLOADED), streamed(STREAM)]
    provider()
    seen = upstream(lambda request: answers.pop(0)(request))
    answer = streaming_door.ask(gateway(), stream=True)
    assert streaming_door.said_in(answer.content).text == "x"
    assert len(seen) == 2


def test_nothing_is_asked_again_once_an_answer_began(
    provider, upstream, gateway, streaming_door, waited
):
    begun = STREAM.partition(b"data: [DONE]")[0].replace(b'"stop"', b"null")
    provider()
    seen = upstream(streamed(begun, OVERLOADED))
    answer = streaming_door.ask(gateway(), stream=True)
    said = streaming_door.said_in(answer.content)
    assert said.text == "x"
    assert said.failure
    assert (len(seen), waited) == (1, [])


def test_a_stream_is_kept_alive_while_its_call_waits(
    provider, upstream, gateway, streaming_door, monkeypatch
):
    monkeypatch.setattr(waiting, "EARLY_SECONDS", 0.02)
    provider()
    upstream(busy_for(1, 503, streamed(STREAM), {"retry-after-ms": "200"}))
    answer = streaming_door.ask(gateway(), stream=True)
    assert answer.text.startswith(FIRST[streaming_door.path])
    assert streaming_door.said_in(answer.content).text == "x"


@pytest.mark.usefixtures("sent_just_now")
@pytest.mark.parametrize("commit", [0.01, 10])
@pytest.mark.parametrize("said", [(), (b": PROCESSING\n\n",)])
def test_a_stream_that_does_not_begin_is_late(
    provider, upstream, gateway, streaming_door, monkeypatch, commit, said
):
    monkeypatch.setattr(answer_stream, "COMMIT_SECONDS", commit)
    provider(options={"timeouts": {"first_token": 0.1}})
    seen = upstream(lambda request: slow([*((0, part) for part in said), (60, b"")]))
    answer = streaming_door.ask(gateway(), stream=True)
    if commit == 10:
        told = streaming_door.check_refused(answer, 504, "upstream_timeout")
    else:
        told = streaming_door.said_in(answer.content).failure
    assert "did not begin its answer in time" in told
    assert len(seen) == 1


@pytest.mark.usefixtures("sent_just_now")
def test_what_has_begun_may_be_silent_for_longer(
    provider, upstream, gateway, streaming_door, monkeypatch
):
    begun = STREAM.partition(b"data: [DONE]")[0].replace(b'"stop"', b"null")
    monkeypatch.setattr(answer_stream, "COMMIT_SECONDS", 0.01)
    provider(options={"timeouts": {"first_token": 0.2}})
    upstream(lambda request: slow([(0, begun), (0.3, STREAM)]))
    said = streaming_door.said_in(streaming_door.ask(gateway(), stream=True).content)
    assert (said.text, said.failure) == ("xx", "")


@pytest.mark.parametrize(
    ("private", "own", "expected"),
    [
        (False, {}, 120),
        (True, {}, 600),
        (False, {"first_byte": 300}, 300),
        (True, {"first_token": 30, "first_byte": 300}, 30),
    ],
)
def test_the_time_to_a_streams_first_event(provider, gateway, private, own, expected):
    from gateway.worker.registry import registry

    provider(private_network=private, options={"timeouts": own})
    gateway()
    (target,) = registry.snapshot.targets["gpt-4o-mini"]
    assert target.provider.first_token == expected
    assert target.provider.streaming["timeout"]["first_byte"] == expected
    whole = target.provider.extensions["timeout"]["first_byte"]
    assert whole == own.get("first_byte", 600)
