"""What each network read of a stream must not do again."""

import json
from collections.abc import Callable
from typing import Protocol

import pytest

CHUNK = {
    "id": "chatcmpl-up",
    "object": "chat.completion.chunk",
    "created": 1700000000,
    "model": "gpt-4o-mini",
    "choices": [{"index": 0, "delta": {"content": "x"}, "finish_reason": None}],
}
END = {**CHUNK, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}


def frame(chunk: dict) -> bytes:
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def streamed(reads: int) -> list[bytes]:
    return [*[frame(CHUNK)] * reads, frame(END), b"data: [DONE]\n\n"]


@pytest.fixture
def looks(monkeypatch) -> Callable[[], int]:
    """Counts how often an object is held against a protocol, which costs 8 to 18 µs."""
    protocols = type(Protocol)
    held = protocols.__instancecheck__
    count = 0

    def counted(cls: type, instance: object) -> bool:
        nonlocal count
        count += cls.__module__.startswith("gateway.")
        return held(cls, instance)

    monkeypatch.setattr(protocols, "__instancecheck__", counted)
    return lambda: count


@pytest.mark.parametrize("extra", [{}, {"stop": ["never"]}])
def test_what_a_parser_can_do_is_asked_once_per_stream(
    provider, upstream, gateway, chat, looks, extra
):
    provider()
    asked = []
    for reads in (5, 50):
        upstream(stream=streamed(reads))
        before = looks()
        answer = gateway().post(
            "/v1/chat/completions", json={**chat, **extra, "stream": True}
        )
        assert answer.text.count('"content":"x"') == reads
        asked.append(looks() - before)
    assert asked[0] == asked[1]
