"""Bodies are kept only where that is switched on, without keys and files."""

import json
from datetime import timedelta

import httpx
import pytest
from django.utils import timezone

from gateway.ledger.bodies import bodies_log
from gateway.ledger.bodies.joined_frames import joined
from gateway.ledger.flusher import Flusher
from gateway.models import CallBody
from gateway.worker.runtime import runtime
from gateway.worker.snapshot import Window
from providers.models import BodyWindow


def kept(gateway, door, **fields):
    door.ask(gateway(), **fields)
    flusher = Flusher(runtime.spool.folder)
    flusher.flush()
    return CallBody.objects.first()


@pytest.mark.django_db(transaction=True)
def test_nothing_is_kept_by_default(gateway, provider, upstream, door):
    provider("openai")
    upstream(json=door.upstream)
    assert kept(gateway, door) is None


@pytest.mark.django_db(transaction=True)
def test_both_requests_are_kept_on_demand(gateway, provider, upstream, door, settings):
    settings.LOG_BODIES = True
    provider("openai")
    upstream(json=door.upstream)
    body = kept(gateway, door, user="sk-abcdefgh12345678")
    assert ':"hi"' in body.asked
    assert '"hi"' in body.sent
    assert body.sent_path
    assert "sk-abcdefgh" not in body.asked + body.sent


@pytest.mark.parametrize(
    "secret",
    [
        "ra_ag_0123456789abcdefghij",
        "sk-proj-abcdefgh12345678",
        "AKIAIOSFODNN7EXAMPLE",
        "Bearer abcdefghijklmnop",
        "ghp_0123456789abcdefghij",
    ],
)
def test_what_looks_like_a_key_is_not_kept(secret):
    text = bodies_log.kept({"messages": [{"content": f"use {secret} please"}]})
    assert secret.split()[-1] not in text
    assert "please" in text


def test_files_and_long_texts_are_cut():
    url = f"data:image/png;base64,{'A' * 500}"
    text = bodies_log.kept({"url": url, "long": "x" * (bodies_log.MAX_TEXT + 5000)})
    assert "AAAA" not in text
    assert "[5000 characters more]" in text


def test_of_what_is_sealed_the_beginning_is_kept():
    sealed = {"type": "reasoning", "encrypted_content": "g1." + "x" * 100}
    told = json.loads(bodies_log.kept({"input": [sealed]}))["input"][0]
    assert told["encrypted_content"] == "g1." + "x" * 37 + "… [63 characters more]"


def test_a_body_of_very_many_parts_is_cut():
    text = bodies_log.kept({"messages": ["x" * 3000] * 200})
    assert len(text) < bodies_log.MAX_BODY + 100


@pytest.mark.django_db(transaction=True)
def test_a_large_body_is_cut_before_it_is_spooled(
    gateway, provider, upstream, chat, completion, settings
):
    settings.LOG_BODIES = True
    provider("openai")
    upstream(json=completion)
    parts = [{"type": "text", "text": "x" * 50_000} for _ in range(100)]
    messages = [{"role": "user", "content": [*parts, *([{"type": "text"}] * 50_000)]}]
    client = gateway()
    client.post("/v1/chat/completions", json={**chat, "messages": messages})
    (file,) = runtime.spool.folder.glob("*.jsonl")
    assert 100_000 < file.stat().st_size < 8 * bodies_log.MAX_BODY


def test_what_is_cut_early_is_kept_as_what_is_not():
    body = {"long": "x" * 9000, "key": "sk-abcdefgh12345678", "list": [1, None, "é"]}
    body["file"] = f"data:image/png;base64,{'A' * 20_000}"
    assert bodies_log.kept(bodies_log.cut(body)) == bodies_log.kept(body)


@pytest.mark.django_db(transaction=True)
def test_the_answer_is_kept(gateway, provider, upstream, streaming_door, settings):
    settings.LOG_BODIES = True
    provider("openai")
    said = json.dumps(streaming_door.upstream).replace(
        "hello", "It is sk-abcdefgh12345678."
    )
    upstream(json=json.loads(said))
    body = kept(gateway, streaming_door)
    told = streaming_door.text_in(json.loads(body.answered))
    assert told == "It is [redacted]."
    assert "sk-abcdefgh" not in body.answered
    assert body.received == ""


@pytest.mark.django_db(transaction=True)
def test_a_streamed_answer_is_kept_as_one(
    gateway, provider, upstream, streaming_door, settings
):
    settings.LOG_BODIES = True
    provider("openai")
    head = {"index": 0, "id": "c1", "type": "function"}
    deltas = [
        {"role": "assistant", "content": "Hel"},
        {"content": "lo"},
        {"tool_calls": [{**head, "function": {"name": "look", "arguments": '{"a":'}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": "1}"}}]},
    ]
    chunks = [{"id": "c", "choices": [{"index": 0, "delta": d}]} for d in deltas]
    end = {"index": 0, "delta": {}, "finish_reason": "tool_calls"}
    chunks.append({"id": "c", "choices": [end]})
    lines = [f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks]
    upstream(stream=[*lines, b"data: [DONE]\n\n"])
    answered = json.loads(kept(gateway, streaming_door, stream=True).answered)
    assert streaming_door.text_in(answered) == "Hello"
    if streaming_door.name != "chat":
        assert "look" in json.dumps(answered)
        return
    (choice,) = answered["choices"]
    assert choice["message"]["content"] == "Hello"
    assert choice["message"]["tool_calls"][0]["function"]["arguments"] == '{"a":1}'
    assert choice["finish_reason"] == "tool_calls"


@pytest.mark.django_db(transaction=True)
def test_what_a_provider_says_when_it_refuses_is_kept(
    gateway, provider, upstream, door, settings
):
    settings.LOG_BODIES = True
    provider("openai")
    upstream(json={"error": {"message": "no", "secret_detail": 7}}, status=400)
    body = kept(gateway, door)
    assert json.loads(body.received)["error"]["secret_detail"] == 7
    assert body.answered == ""


@pytest.mark.parametrize(
    ("window", "is_kept"),
    [
        ({}, True),
        ({"provider": "openai"}, True),
        ({"provider": "claude"}, False),
        ({"caller": "local", "provider": "openai"}, True),
        ({"caller": "somebody"}, False),
        ({"ends_at": timezone.now() - timedelta(seconds=1)}, False),
    ],
)
@pytest.mark.django_db(transaction=True)
def test_bodies_are_kept_for_a_time(gateway, provider, upstream, door, window, is_kept):
    provider("openai")
    upstream(json=door.upstream)
    later = timezone.now() + timedelta(hours=1)
    BodyWindow.objects.create(**{"ends_at": later, **window})
    assert (kept(gateway, door) is not None) == is_kept


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("window", "received", "answered"),
    [
        ({"provider": "a"}, True, False),
        ({"provider": "b"}, False, True),
        ({}, False, True),
    ],
)
@pytest.mark.django_db(transaction=True)
def test_of_a_call_that_goes_to_another_provider_each_keeps_its_own(
    gateway, provider, upstream, streaming_door, window, received, answered, stream
):
    for name in ("a", "b"):
        provider(name, endpoint=f"http://127.0.0.1:9/{name}")
    busy = httpx.Response(503, json={"error": {"message": "server is busy"}})
    choice = {"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}
    events = f"data: {json.dumps({'id': 'c', 'choices': [choice]})}\n\n"
    headers = {"content-type": "text/event-stream"}
    good = httpx.Response(200, json=streaming_door.upstream)
    if stream:
        good = httpx.Response(200, text=f"{events}data: [DONE]\n\n", headers=headers)
    upstream(lambda request: busy if "/a/" in request.url.path else good)
    later = timezone.now() + timedelta(hours=1)
    BodyWindow.objects.create(ends_at=later, **window)
    body = kept(gateway, streaming_door, stream=stream)
    assert "hi" in body.asked
    assert bool(body.received) == received
    assert bool(body.answered) == answered


def test_a_window_ends_by_itself():
    window = Window("", "", 100.0)
    assert window.holds("a", "b", 99.9)
    assert not window.holds("a", "b", 100.0)


def test_frames_that_are_no_chunks_stay_as_they_came():
    frames = "event: ping\ndata: hello\n\n"
    assert joined(frames) == frames
    assert joined('data: {"choices": [{"delta": {"cont') != ""


ASKED = [
    ("/v1/responses", {"input": "hello-there"}),
    ("/v1/messages", {"messages": [{"role": "user", "content": "hello-there"}]}),
    ("/api/chat", {"messages": [{"role": "user", "content": "hello-there"}]}),
]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("path", "asked"), ASKED)
@pytest.mark.django_db(transaction=True)
def test_both_requests_are_kept_at_every_door(
    gateway, provider, upstream, completion, settings, path, asked, stream
):
    settings.LOG_BODIES = True
    provider("openai")
    if stream:
        piece = {"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}
        chunk = {"id": "c", "object": "chat.completion.chunk", "choices": [piece]}
        line = f"data: {json.dumps(chunk)}\n\n".encode()
        upstream(stream=[line, b"data: [DONE]\n\n"])
    else:
        upstream(json=completion)
    body = {"model": "gpt-4o-mini", "max_tokens": 9, "stream": stream, **asked}
    if path == "/v1/responses":
        del body["max_tokens"]
    answer = gateway().post(path, json=body)
    assert answer.status_code == 200, answer.text
    Flusher(runtime.spool.folder).flush()
    kept = CallBody.objects.get()
    # In the words of who asked, and in those of the provider.
    asked_as, sent_as = json.loads(kept.asked), json.loads(kept.sent)
    assert {name: asked_as[name] for name in asked} == asked
    assert sent_as["messages"][-1]["content"] == "hello-there"
    assert kept.sent_path == "/v1/chat/completions"
    answered = json.loads(kept.answered)
    assert isinstance(answered, dict), answered
    assert "choices" not in answered


@pytest.mark.django_db(transaction=True)
def test_texts_are_kept_and_vectors_are_not(gateway, provider, upstream, settings):
    settings.LOG_BODIES = True
    provider("openai", models=("text-embedding-3-small",))
    vector = {"object": "embedding", "index": 0, "embedding": [0.125, 0.25]}
    upstream(json={"data": [vector], "usage": {"prompt_tokens": 1, "total_tokens": 1}})
    body = {"model": "text-embedding-3-small", "input": "hello-there"}
    assert gateway().post("/v1/embeddings", json=body).status_code == 200
    Flusher(runtime.spool.folder).flush()
    kept = CallBody.objects.get()
    assert json.loads(kept.asked)["input"] == "hello-there"
    assert "hello-there" in kept.sent
    assert kept.answered == ""
    assert kept.received == ""
