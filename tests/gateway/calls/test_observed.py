"""What calls meet tells a provider's status, and closes the gate of what fails."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from gateway.worker import gates as gates_module
from gateway.worker.statuses import statuses
from providers import status, transport
from providers.status.observer import Observer

FAILED = {"error": {"message": "Out of memory", "type": "server_error"}}
LIMITED = {"error": {"message": "Slow down", "code": "rate_limit_exceeded"}}
REJECTED = {"error": {"message": "Bad key", "code": "invalid_api_key"}}


@pytest.fixture(autouse=True)
def observed(tmp_path, monkeypatch, settings) -> None:
    settings.UNAVAILABLE_AFTER = 5
    monkeypatch.setattr(gates_module.gates, "_folder", tmp_path)
    monkeypatch.setattr(gates_module.gates, "failing", {})
    # No trial comes due, however long the calls take.
    monkeypatch.setattr(gates_module.gates, "_clock", lambda: 1000.0)
    monkeypatch.setattr(status, "observer", Observer())
    monkeypatch.setattr(statuses, "_found", {})


def told() -> list[str]:
    """Return the statuses that are due to be stored."""
    return [found for found, _ in statuses._found.values()]


def whole(body: Any) -> httpx.Response:
    return httpx.Response(200, json=body)


def streamed(*events: bytes) -> httpx.Response:
    headers = {"content-type": "text/event-stream"}
    return httpx.Response(200, headers=headers, content=_parts(*events))


async def _parts(*events: bytes | Exception) -> AsyncIterator[bytes]:
    for event in events:
        if isinstance(event, Exception):
            raise event
        yield event


def cut_off(failure: Exception, *events: bytes) -> httpx.Response:
    return httpx.Response(200, content=_parts(*events, failure))


def closed(request: httpx.Request) -> httpx.Response:
    raise transport.NoAnswer(False, 3.0)


TEXT = b'data: {"choices": [{"index": 0, "delta": {"content": "He"}}]}\n\n'
END = b'data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}\n\n'
FAILURES = {
    "an error in an answer": lambda request: whole(FAILED),
    "an error in a stream": lambda request: streamed(
        b'data: {"error": {"message": "Out of memory"}}\n\n'
    ),
    "a connection closed without an answer": closed,
    "silence after the head": lambda request: cut_off(httpx.ReadTimeout("silent")),
    "too much time": lambda request: cut_off(transport.Overdue("late")),
    "a stream that breaks off": lambda request: cut_off(httpx.ReadError("gone"), TEXT),
    "a stream without an end": lambda request: streamed(TEXT),
}


@pytest.mark.parametrize("failure", [name for name in FAILURES if "stream" not in name])
def test_what_fails_after_the_head_closes_the_gate(
    provider, upstream, gateway, door, failure
):
    provider("one")
    seen = upstream(FAILURES[failure])
    client = gateway()
    for _ in range(7):
        door.ask(client)
    assert len(seen) == 5
    assert told() == ["unavailable"]


@pytest.mark.parametrize("failure", [name for name in FAILURES if "stream" in name])
def test_what_fails_in_a_stream_closes_the_gate(
    provider, upstream, gateway, streaming_door, failure
):
    provider("one")
    seen = upstream(FAILURES[failure])
    client = gateway()
    for _ in range(7):
        streaming_door.ask(client, stream=True)
    assert len(seen) == 5
    assert told() == ["unavailable"]


@pytest.mark.parametrize(
    "good",
    [{"error": None}, {}],
)
def test_an_answer_in_between_starts_the_count_again(
    provider, upstream, gateway, door, good
):
    provider("one")
    seen = upstream(
        lambda request: whole(FAILED if len(seen) % 4 else {**door.upstream, **good})
    )
    client = gateway()
    for _ in range(12):
        door.ask(client)
    assert len(seen) == 12
    assert told() == ["available"]


@pytest.mark.parametrize(
    ("said", "statuses"), [(LIMITED, []), (REJECTED, ["unavailable"])]
)
def test_an_error_in_an_answer_counts_as_the_status_it_means(
    provider, upstream, gateway, door, said, statuses
):
    provider("one")
    seen = upstream(json=said)
    client = gateway()
    for _ in range(7):
        door.ask(client)
    assert len(seen) == 7
    assert told() == statuses


def test_one_broken_model_leaves_a_provider_available(
    provider, upstream, gateway, door
):
    provider("one", models=("good", "bad"))

    def answer(request: httpx.Request) -> httpx.Response:
        is_bad = b'"bad"' in request.content
        return httpx.Response(500, json={}) if is_bad else whole(door.upstream)

    upstream(answer)
    client = gateway()
    found = []
    for model in ["bad", "good", *["bad"] * 9, "good"]:
        door.ask(client, model=model)
        found += told()
        statuses._found.clear()
    assert found == ["available"]


def test_a_closed_gate_opens_with_the_first_event_of_a_stream(
    provider, upstream, gateway, streaming_door, monkeypatch
):
    provider("one")
    gates = gates_module.gates
    seen = upstream(
        lambda request: (
            httpx.Response(500, json={})
            if len(seen) < 6
            else streamed(TEXT, END, b"data: [DONE]\n\n")
        )
    )
    client = gateway()
    for _ in range(6):
        streaming_door.ask(client, stream=True)
    monkeypatch.setattr(gates, "_clock", lambda: 1030.0)
    answer = streaming_door.ask(client, stream=True)
    assert streaming_door.said_in(answer.content) == ("He", (), "")
    assert gates.failing == {}
