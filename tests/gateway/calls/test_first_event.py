"""When a stream's status goes out: with its first event, or after long silence."""

import pytest

from gateway.calls import answer_stream
from tests.gateway.calls.test_patience import slow

ERROR = b'data: {"error": {"message": "overloaded", "type": "server_error"}}\n\n'

ALIVE = {
    "chat": ": keep-alive\n\n",
    "responses": "event: response.created\n",
    "messages": "event: ping\n",
    "ollama": "\n",
}


@pytest.mark.proves("5.3")
def test_an_error_before_any_event_has_its_status(
    provider, upstream, gateway, streaming_door
):
    provider()
    upstream(stream=[ERROR])
    answer = streaming_door.ask(gateway(), stream=True)
    assert answer.status_code >= 500
    assert answer.headers["content-type"] == "application/json"


def test_an_error_after_long_silence_is_a_frame_of_a_stream(
    provider, upstream, gateway, streaming_door, monkeypatch
):
    monkeypatch.setattr(answer_stream, "COMMIT_SECONDS", 0.01)
    provider()
    upstream(lambda request: slow([(0.1, ERROR)]))
    answer = streaming_door.ask(gateway(), stream=True)
    assert answer.status_code == 200
    assert answer.text.startswith(ALIVE[streaming_door.name])
    said = streaming_door.said_in(answer.content)
    assert (said.text, said.failure) == ("", "overloaded")


@pytest.mark.parametrize("first", [b": PROCESSING\n\n", ERROR[:20]])
def test_what_says_nothing_yet_begins_no_answer(
    provider, upstream, gateway, streaming_door, first
):
    provider()
    upstream(stream=[first, ERROR.removeprefix(first)])
    answer = streaming_door.ask(gateway(), stream=True)
    streaming_door.check_refused(answer, 502, "upstream_error")


@pytest.mark.proves("5.3")
def test_no_proxy_or_cache_holds_a_stream_back(
    provider, upstream, gateway, streaming_door
):
    provider()
    choice = b'{"index": 0, "delta": {"content": "x"}, "finish_reason": "stop"}'
    upstream(stream=[b'data: {"choices": [%b]}\n\n' % choice])
    headers = streaming_door.ask(gateway(), stream=True).headers
    assert headers["cache-control"] == "no-cache, no-transform"
    assert headers["x-accel-buffering"] == "no"
    kinds = {"ollama": "application/x-ndjson"}
    expected = kinds.get(streaming_door.name, "text/event-stream; charset=utf-8")
    assert headers["content-type"] == expected
    assert "content-length" not in headers
