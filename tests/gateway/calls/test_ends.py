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


@pytest.mark.parametrize("rest", [(), (DONE,)])
def test_a_connection_that_breaks_behind_the_end_loses_nothing(
    provider, upstream, gateway, streaming_door, ledger, rest
):
    provider()
    parts = broken_off(frame(CHUNK), frame(END), *rest)
    upstream(lambda request: httpx.Response(200, content=parts))
    answer = streaming_door.ask(gateway(), stream=True)
    assert streaming_door.said_in(answer.content) == ("x", (), "")
    (call,) = ledger()
    assert call["outcome"] == "ok"


def test_a_connection_that_breaks_before_the_end_is_an_error(
    provider, upstream, gateway, streaming_door, ledger
):
    provider()
    parts = broken_off(frame(CHUNK))
    upstream(lambda request: httpx.Response(200, content=parts))
    answer = streaming_door.ask(gateway(), stream=True)
    said = streaming_door.said_in(answer.content)
    assert said.text == "x"
    assert "broke off its answer" in said.failure
    (call,) = ledger()
    assert call["outcome"] == "upstream_error"


def test_an_end_without_a_reason_is_noted(
    provider, upstream, gateway, streaming_door, ledger
):
    provider()
    upstream(stream=[frame(CHUNK), DONE])
    answer = streaming_door.ask(gateway(), stream=True)
    assert streaming_door.said_in(answer.content) == ("x", (), "")
    (call,) = ledger()
    assert call["outcome"] == "ok"
    assert call["finish_reason"] == "stop"
    assert "without a reason" in call["error_message"]


@pytest.mark.proves("3.8")
def test_a_reason_to_end_that_holds_the_key_is_not_kept(
    provider, upstream, gateway, streaming_door, ledger
):
    provider(key="sk-upstream-0123456789")
    choice = {"index": 0, "delta": {}, "finish_reason": "sk-upstream-0123456789"}
    upstream(stream=[frame(CHUNK), frame({**END, "choices": [choice]}), DONE])
    answer = streaming_door.ask(gateway(), stream=True)
    assert b"sk-upstream" not in answer.content
    (call,) = ledger()
    assert call["finish_reason"] == "[redacted]"


def whole(completion: dict, **changes: object) -> bytes:
    return json.dumps({**completion, **changes}).encode()


@pytest.mark.parametrize(
    "spelled",
    [
        pytest.param(lambda raw: b"\xef\xbb\xbf" + raw, id="a byte order mark"),
        pytest.param(lambda raw: raw.replace(b"hello", rb"hello\ud99c"), id="half"),
        pytest.param(lambda raw: raw.replace(b"hello", b"hello\xff"), id="no text"),
        pytest.param(lambda raw: raw.replace(b'"logprobs": null', b'"logprobs": NaN')),
    ],
)
@pytest.mark.parametrize("status", [200, 201])
def test_a_whole_answer_is_read_although_it_is_not_json_to_the_letter(
    provider, upstream, gateway, chat, completion, ledger, spelled, status
):
    provider()
    raw = spelled(whole(completion))
    upstream(lambda request: httpx.Response(status, content=raw))
    answer = gateway().post("/v1/chat/completions", json=chat)
    assert answer.status_code == 200
    said = answer.json()["choices"][0]["message"]["content"]
    assert said.rstrip("\ufffd") == "hello"
    (call,) = ledger()
    assert call["outcome"] == "ok"


def test_a_stream_that_nobody_asked_for_is_read_as_a_whole(
    provider, upstream, gateway, streaming_door, ledger
):
    provider()
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    parts = [frame(CHUNK), frame(CHUNK), frame(END), frame({"usage": usage}), DONE]
    upstream(stream=parts)
    answer = streaming_door.ask(gateway()).json()
    assert streaming_door.text_in(answer) == "xx"
    if streaming_door.name == "chat":
        (choice,) = answer["choices"]
        assert answer["object"] == "chat.completion"
        assert choice["message"] == {"role": "assistant", "content": "xx"}
        assert choice["finish_reason"] == "stop"
        assert answer["usage"] == usage
    (call,) = ledger()
    assert call["output_tokens"] == 4


def test_a_stream_of_an_error_that_nobody_asked_for_is_the_error(
    provider, upstream, gateway, chat
):
    provider()
    upstream(stream=[b'error: {"code":429,"message":"Slow down"}\n\n', DONE])
    answer = gateway().post("/v1/chat/completions", json=chat)
    assert answer.status_code == 429


def test_lines_of_ollama_that_nobody_asked_for_are_an_answer(
    provider, upstream, gateway, chat, ledger
):
    provider(provider_type="ollama")
    lines = [
        {"message": {"role": "assistant", "content": "Hi"}, "done": False},
        {"message": {"content": "!"}, "done": False},
        {"done": True, "done_reason": "stop", "eval_count": 5, "prompt_eval_count": 2},
    ]
    upstream(stream=[json.dumps(line).encode() + b"\n" for line in lines])
    answer = gateway().post("/v1/chat/completions", json=chat).json()
    assert answer["choices"][0]["message"]["content"] == "Hi!"
    (call,) = ledger()
    assert call["output_tokens"] == 5


def test_half_of_a_surrogate_pair_in_a_request_is_named(provider, gateway, chat):
    provider()
    raw = json.dumps(chat).replace('"hi"', r'"hi\ud99c"').encode()
    headers = {"content-type": "application/json"}
    answer = gateway().post("/v1/chat/completions", content=raw, headers=headers)
    assert answer.status_code == 400
    assert r"\ud99c" in answer.json()["error"]["message"]
    assert f"byte {raw.index(b'ud99c') - 1}" in answer.json()["error"]["message"]
