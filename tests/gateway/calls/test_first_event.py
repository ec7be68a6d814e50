"""When a stream's status goes out: with its first event, or after long silence."""

import asyncio
import json

import httpx
import pytest

from gateway.calls import answer_stream

URL = "/v1/chat/completions"


@pytest.fixture
def streamed(chat):
    return {**chat, "stream": True}


def failing_after(seconds: float, frame: bytes):
    async def parts():
        await asyncio.sleep(seconds)
        yield frame

    return lambda request: httpx.Response(
        200, headers={"content-type": "text/event-stream"}, content=parts()
    )


ERROR = b'data: {"error": {"message": "overloaded", "type": "server_error"}}\n\n'


def test_an_error_before_any_event_has_its_status(
    provider, upstream, gateway, streamed
):
    provider()
    upstream(failing_after(0, ERROR))
    answer = gateway().post(URL, json=streamed)
    assert answer.status_code >= 500
    assert answer.headers["content-type"] == "application/json"


def test_an_error_after_long_silence_is_a_frame_of_a_stream(
    provider, upstream, gateway, streamed, monkeypatch
):
    monkeypatch.setattr(answer_stream, "COMMIT_SECONDS", 0.01)
    provider()
    upstream(failing_after(0.1, ERROR))
    answer = gateway().post(URL, json=streamed)
    assert answer.status_code == 200
    assert answer.text.startswith(": keep-alive\n\n")
    frame = answer.text.removeprefix(": keep-alive\n\n")
    assert json.loads(frame.removeprefix("data: "))["error"]["message"]
    assert "[DONE]" not in frame


def test_no_proxy_or_cache_holds_a_stream_back(provider, upstream, gateway, streamed):
    provider()
    choice = b'{"index": 0, "delta": {"content": "x"}, "finish_reason": "stop"}'
    upstream(stream=[b'data: {"choices": [%b]}\n\n' % choice])
    headers = gateway().post(URL, json=streamed).headers
    assert headers["cache-control"] == "no-cache, no-transform"
    assert headers["x-accel-buffering"] == "no"
    assert headers["content-type"].startswith("text/event-stream")
    assert "content-length" not in headers
