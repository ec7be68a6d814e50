"""A stream that nobody answers for long begins all the same."""

import asyncio
import json

import httpx
import pytest

from gateway.entry import waiting
from gateway.worker.draining import draining

CHAT = "/v1/chat/completions"
BUSY = {"error": {"message": "busy, come again", "type": "x"}}
SAID = b'{"index": 0, "delta": {"content": "x"}, "finish_reason": "stop"}'
STREAM = b'data: {"choices": [%b]}\n\ndata: [DONE]\n\n' % SAID
SSE = {"content-type": "text/event-stream"}

ASKED = {
    "/v1/chat/completions": {"messages": [{"role": "user", "content": "hi"}]},
    "/v1/messages": {
        "max_tokens": 9,
        "messages": [{"role": "user", "content": "hi"}],
    },
    "/v1/responses": {"input": "hi"},
    "/api/chat": {"messages": [{"role": "user", "content": "hi"}]},
}
FIRST = {
    "/v1/chat/completions": ": keep-alive\n\n",
    "/v1/messages": 'event: ping\ndata: {"type":"ping"}\n\n',
    "/v1/responses": ": keep-alive\n\n",
    "/api/chat": "\n",
}


@pytest.fixture(autouse=True)
def late(monkeypatch):
    """Makes an upstream that waits until so many frames were sent that say nothing.

    It answers with one of `answers` after the other.
    """
    monkeypatch.setattr(waiting, "EARLY_SECONDS", 0.02)
    said = []
    body_message = waiting.body_message

    def counted(frame: bytes, *, more: bool) -> dict:
        said.append(frame)
        return body_message(frame, more=more)

    monkeypatch.setattr(waiting, "body_message", counted)

    def make(*answers: httpx.Response, frames: int = 1):
        left = iter(answers)

        async def answer(request: httpx.Request) -> httpx.Response:
            while len(said) < frames:
                await asyncio.sleep(0.005)
            return next(left)

        return answer

    return make


def good() -> httpx.Response:
    return httpx.Response(200, headers=SSE, content=STREAM)


def busy() -> httpx.Response:
    return httpx.Response(429, json=BUSY)


def ask(gateway, path: str) -> httpx.Response:
    body = {"model": "gpt-4o-mini", "stream": True, **ASKED[path]}
    return gateway().post(path, json=body)


@pytest.mark.parametrize("path", ASKED)
def test_a_late_answer_is_announced(provider, upstream, gateway, late, path):
    provider(models=("gpt-4o-mini",), options={"responses_api": "off"})
    upstream(late(good()))
    answer = ask(gateway, path)
    assert answer.status_code == 200
    assert answer.text.startswith(FIRST[path])
    assert '"x"' in answer.text
    assert answer.headers["x-request-id"]
    assert answer.headers["cache-control"] == "no-cache, no-transform"


@pytest.mark.parametrize("path", ASKED)
def test_a_late_refusal_is_the_last_frame(provider, upstream, gateway, late, path):
    provider(options={"responses_api": "off"})
    upstream(late(busy()))
    answer = ask(gateway, path)
    assert answer.status_code == 200
    assert answer.text.startswith(FIRST[path])
    assert "busy" in answer.text


ODD = {
    "/v1/messages": [
        {"tools": [{"type": "custom"}]},
        {"tools": [5, None], "thinking": "x", "tool_choice": [1]},
        {"tools": {"name": "f"}},
        {"tools": 5},
        {"tools": [{"name": 5}], "thinking": [1], "tool_choice": 1},
    ],
    "/v1/responses": [
        {"tools": [{"type": "function"}, 5, None]},
        {"tools": 5, "text": "x", "reasoning": [1]},
        {"tools": {"type": "function"}, "text": [1], "reasoning": "x"},
    ],
}


@pytest.mark.parametrize(
    ("path", "changes"), [(path, each) for path in ODD for each in ODD[path]]
)
def test_what_is_passed_on_unread_is_refused_in_frames(
    provider, upstream, gateway, late, path, changes
):
    """Nobody here has looked at the body when its stream begins."""
    kind = "anthropic" if path == "/v1/messages" else "openai"
    provider(provider_type=kind, options={"responses_api": "on"})
    upstream(late(busy()))
    body = {"model": "gpt-4o-mini", "stream": True, **ASKED[path], **changes}
    answer = gateway().post(path, json=body)
    assert answer.status_code == 200
    assert answer.text.startswith(FIRST[path])
    assert "busy" in answer.text


def test_the_messages_api_is_told_the_kind_of_error(provider, upstream, gateway, late):
    provider()
    upstream(late(busy()))
    answer = ask(gateway, "/v1/messages")
    frame = answer.text.removeprefix(FIRST["/v1/messages"])
    assert frame.startswith("event: error\ndata: ")
    error = json.loads(frame.split("data: ")[1])
    assert error["error"]["type"] == "rate_limit_error"
    assert error["request_id"] == answer.headers["request-id"]


def test_a_second_provider_is_asked_behind_the_ping(
    provider, upstream, gateway, late, ledger
):
    provider("first", endpoint="http://127.0.0.1:9")
    provider("second", endpoint="http://127.0.0.1:10")
    seen = upstream(late(busy(), good()))
    answer = ask(gateway, CHAT)
    assert len(seen) == 2
    assert '"x"' in answer.text
    assert "come again" not in answer.text
    (row,) = ledger()
    assert row["outcome"] == "ok"


def test_silence_goes_on_to_be_filled(provider, upstream, gateway, late, settings):
    settings.KEEPALIVE_SECONDS = 0.02
    provider()
    upstream(late(good(), frames=2))
    answer = ask(gateway, CHAT)
    assert answer.text.startswith(FIRST[CHAT] * 2)


def test_whoever_is_quick_hears_nothing_of_it(provider, upstream, gateway, monkeypatch):
    monkeypatch.setattr(waiting, "EARLY_SECONDS", 60)
    provider()
    upstream(stream=[STREAM])
    assert "keep-alive" not in ask(gateway, CHAT).text


def test_who_does_not_stream_waits_for_the_status(provider, upstream, gateway, chat):
    async def slow(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(5 * waiting.EARLY_SECONDS)
        return busy()

    provider()
    upstream(slow)
    assert gateway().post(CHAT, json=chat).status_code == 429


def test_a_client_that_leaves_is_told_nothing_more(
    db, provider, upstream, gateway, late
):
    provider()
    upstream(late(good(), frames=2))
    gateway()
    sent = asyncio.run(left_while_waiting())
    assert [message["type"] for message in sent] == [
        "http.response.start",
        "http.response.body",
    ]


async def left_while_waiting() -> list[dict]:
    """Return what was sent to a client that left when its stream had begun."""
    from gateway.entry.handler import handle

    sent: list[dict] = []
    begun = asyncio.Event()

    async def receive() -> dict:
        body = {"model": "gpt-4o-mini", "stream": True, **ASKED[CHAT]}
        return {"type": "http.request", "body": json.dumps(body).encode()}

    async def send(message: dict) -> None:
        sent.append(message)
        if message["type"] == "http.response.body":
            begun.set()

    headers = [(b"content-type", b"application/json")]
    scope = {"path": CHAT, "method": "POST", "headers": headers}
    call = asyncio.create_task(
        handle({**scope, "client": ("127.0.0.1", 1)}, receive, send)
    )
    await begun.wait()
    call.cancel()
    await asyncio.wait([call])
    # Behind a pause of the process, too, whatever is left has its turns.
    for _ in range(15):
        await asyncio.sleep(0.01)
    assert call not in draining.calls
    assert asyncio.all_tasks() == {asyncio.current_task()}
    return sent
