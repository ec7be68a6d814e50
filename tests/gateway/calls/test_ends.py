"""How a streamed answer ends that its upstream does not end as it should."""

import json
from collections.abc import AsyncIterator

import httpx
import pytest

CHUNK = {
    "id": "chatcmpl-up",
    "object": "chat.completion.chunk",
    "created": 1700000000,
    "model": "gpt-4o-mini",
    "choices": [{"index": 0, "delta": {"content": "x"}, "finish_reason": None}],
}
END = {**CHUNK, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
DONE = b"data: [DONE]\n\n"


def frame(chunk: dict) -> bytes:
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


async def broken_off(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part
    raise httpx.ReadError("connection reset")


def asked(gateway, chat) -> httpx.Response:
    return gateway().post("/v1/chat/completions", json={**chat, "stream": True})


@pytest.mark.parametrize("rest", [(), (DONE,)])
def test_a_connection_that_breaks_behind_the_end_loses_nothing(
    provider, upstream, gateway, chat, ledger, rest
):
    provider()
    parts = broken_off(frame(CHUNK), frame(END), *rest)
    upstream(lambda request: httpx.Response(200, content=parts))
    answer = asked(gateway, chat)
    assert '"finish_reason":"stop"' in answer.text
    assert answer.text.endswith("data: [DONE]\n\n")
    (call,) = ledger()
    assert call["outcome"] == "ok"


def test_a_connection_that_breaks_before_the_end_is_an_error(
    provider, upstream, gateway, chat, ledger
):
    provider()
    parts = broken_off(frame(CHUNK))
    upstream(lambda request: httpx.Response(200, content=parts))
    answer = asked(gateway, chat)
    assert "broke off its answer" in answer.text
    assert "[DONE]" not in answer.text
    (call,) = ledger()
    assert call["outcome"] == "upstream_error"


def test_an_end_without_a_reason_is_noted(provider, upstream, gateway, chat, ledger):
    provider()
    upstream(stream=[frame(CHUNK), DONE])
    answer = asked(gateway, chat)
    assert '"finish_reason":"stop"' in answer.text
    (call,) = ledger()
    assert call["outcome"] == "ok"
    assert call["finish_reason"] == "stop"
    assert "without a reason" in call["error_message"]
