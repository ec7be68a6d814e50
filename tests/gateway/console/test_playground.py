"""The Playground: a chat through the gateway's own path, streamed or page by page."""

import ast
import asyncio
import json
import re

import httpx
import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient

from gateway.console.playground_form import served_models
from gateway.worker.capacity import capacity
from gateway.worker.registry import registry
from gateway.worker.runtime import runtime
from gateway.worker.snapshot import Snapshot
from tests.gateway.conftest import ledger, upstream  # noqa: F401  fixtures

FIELDS = {"model": "openai/gpt-4o-mini", "message": "hi"}


def chunk(**delta):
    return {
        "id": "chatcmpl-up",
        "object": "chat.completion.chunk",
        "created": 1700000000,
        "model": "gpt-4o-mini",
        "choices": [{"index": 0, "delta": delta, "finish_reason": None}],
    }


def frames(*chunks):
    stop = chunk()
    stop["choices"][0]["finish_reason"] = "stop"
    usage = {**chunk(), "choices": [], "usage": USAGE}
    return [
        b"data: " + json.dumps(each).encode() + b"\n\n"
        for each in (*chunks, stop, usage)
    ] + [b"data: [DONE]\n\n"]


USAGE = {"prompt_tokens": 1000, "completion_tokens": 2000, "total_tokens": 3000}
COMPLETION = {
    "id": "chatcmpl-up",
    "object": "chat.completion",
    "created": 1700000000,
    "model": "gpt-4o-mini",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "hello <b>you</b>"},
            "finish_reason": "stop",
        }
    ],
    "usage": USAGE,
}


@pytest.fixture
def models(provider, ledger, administrator):  # noqa: F811
    """Two providers in the registry."""
    provider("openai", endpoint="https://api.openai.com")
    provider("other", models=("m1",))
    registry.load()
    yield
    registry.snapshot = Snapshot()


@pytest.fixture
def stream(administrator, models):
    """Posts to the streaming view and returns the events' HTML, joined."""

    async def post(fields):
        client = AsyncClient()
        await client.aforce_login(administrator)
        response = await client.post("/playground/stream/", fields)
        assert response.status_code == 200
        assert response["content-type"].startswith("text/event-stream")
        parts = [part async for part in response.streaming_content]
        return b"".join(parts).decode()

    def call(**fields):
        raw = async_to_sync(post)({**FIELDS, **fields})
        events = [event for event in raw.split("\n\n") if event]
        assert all(line.startswith("data: ") for e in events for line in e.split("\n"))
        return [e.removeprefix("data: ").replace("\ndata: ", "\n") for e in events]

    return call


def test_without_models_the_page_leads_to_registering_one(logged_in_client):
    page = logged_in_client.get("/playground/").content.decode()
    assert "No models yet." in page
    assert "/models/new/" in page


def test_models_are_grouped_by_their_provider(logged_in_client, models):
    page = logged_in_client.get("/playground/?model=other/m1").content.decode()
    assert '<optgroup label="openai">' in page
    assert re.search(r'value="other/m1"\s+selected', page)


def test_a_message_is_answered_by_a_whole_page(
    logged_in_client,
    models,
    upstream,  # noqa: F811
):
    seen = upstream(json=COMPLETION)
    page = logged_in_client.post(
        "/playground/", {**FIELDS, "system": "Be kind.", "temperature": "0.5"}
    ).content.decode()
    assert "hello &lt;b&gt;you&lt;/b&gt;" in page
    sent = json.loads(seen[0].read())
    assert sent["temperature"] == 0.5
    assert [m["role"] for m in sent["messages"]] == ["system", "user"]
    assert "1,000 tokens in, 2,000 out" in page
    assert "$0.001350" in page or "$0.00" in page
    assert "View request" in page


def test_the_conversation_travels_along(logged_in_client, models, upstream):  # noqa: F811
    seen = upstream(json=COMPLETION)
    fields = {
        **FIELDS,
        "said": ["one", "two"],
        "first": ["eins", ""],
        "second": ["", "zwei"],
    }
    page = logged_in_client.post("/playground/", fields).content.decode()
    assert [m["content"] for m in json.loads(seen[0].read())["messages"]] == [
        "one",
        "eins",
        "hi",
    ]
    assert page.count('name="said"') == 3
    assert page.count('name="first"') == page.count('name="second"') == 3


def test_calls_are_booked_under_the_user(
    logged_in_client,
    models,
    upstream,  # noqa: F811
    ledger,  # noqa: F811
):
    upstream(json=COMPLETION)
    logged_in_client.post("/playground/", FIELDS)
    (call,) = ledger()
    assert (call["caller"], call["caller_kind"]) == ("admin", "console")
    assert (call["outcome"], call["provider"]) == ("ok", "openai")


def test_a_provider_s_limit_holds_for_the_playground(
    logged_in_client,
    provider,
    models,
    upstream,  # noqa: F811
    tmp_path,
    monkeypatch,
):
    from gateway.limits.host import HostLimiter

    monkeypatch.setattr(runtime, "limiter", HostLimiter(tmp_path / "limits"))
    provider("slow", models=("m2",), requests_per_minute=1)
    registry.load()
    upstream(json=COMPLETION)
    fields = {"model": "slow/m2", "message": "hi"}
    pages = [logged_in_client.post("/playground/", fields) for _ in range(2)]
    assert b"rate_limit_exceeded" not in pages[0].content
    assert b"rate_limit_exceeded" in pages[1].content


def test_an_answer_streams_token_by_token(stream, upstream, ledger):  # noqa: F811
    upstream(stream=frames(chunk(content="Hel"), chunk(content="lo")))
    events = stream()
    assert 'name="said" value="hi"' in events[0]
    said = "".join(re.findall(r"<span>(.*?)</span></hx-partial>", "".join(events)))
    assert said == "Hello"
    assert 'name="first" value="Hello"' in events[-1]
    assert "first token after" in events[-1]
    assert "1,000 tokens in, 2,000 out" in events[-1]
    assert ledger()[0]["outcome"] == "ok"


@pytest.mark.proves("5.7")
def test_every_token_is_escaped(stream, upstream):  # noqa: F811
    evil = "<script>alert(1)</script>\r\n</hx-partial><hx-partial hx-target='body'>"
    upstream(stream=frames(chunk(content=evil), chunk(reasoning_content="<i>\r")))
    page = "\n".join(stream(message='"><script>x</script>'))
    assert "<script" not in page
    assert "hx-target='body'" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\n" in page
    assert "&lt;i&gt;" in page


def test_two_models_answer_side_by_side(stream, upstream, ledger):  # noqa: F811
    upstream(stream=frames(chunk(content="Hello")))
    events = stream(other_model="other/m1")
    assert events[0].count('class="answer"') == 2
    page = "".join(events)
    assert 'name="first" value="Hello"' in page
    assert 'name="second" value="Hello"' in page
    assert {call["provider"] for call in ledger()} == {"openai", "other"}


def test_a_failure_is_told_in_the_answer(stream, upstream):  # noqa: F811
    upstream(status=401, json={"error": {"message": "no", "type": "x"}})
    page = "".join(stream())
    assert "upstream_auth_error" in page
    assert "data-unfinished" not in page.partition("outerHTML")[2]


def test_a_failure_midway_keeps_what_was_said(stream, upstream):  # noqa: F811
    upstream(stream=frames(chunk(content="Hel"))[:1])
    page = "".join(stream())
    assert 'name="first" value="Hel"' in page
    assert "notice bad" in page


def test_leaving_closes_the_upstream(administrator, models, upstream, ledger):  # noqa: F811
    closed = []

    class Endless(httpx.AsyncByteStream):
        async def __aiter__(self):
            while True:
                yield frames(chunk(content="on and on"))[0]
                await asyncio.sleep(0.01)

        async def aclose(self):
            closed.append(True)

    def answer(request):
        headers = {"content-type": "text/event-stream"}
        return httpx.Response(200, headers=headers, stream=Endless())

    upstream(answer)

    async def leave():
        client = AsyncClient()
        await client.aforce_login(administrator)
        response = await client.post("/playground/stream/", FIELDS)
        parts = aiter(response.streaming_content)
        await anext(parts)
        await anext(parts)
        await parts.aclose()

    async_to_sync(leave)()
    assert closed
    assert ledger()[0]["outcome"] == "client_closed"


def test_a_server_that_ends_says_so(stream, upstream, ledger, monkeypatch):  # noqa: F811
    from gateway.worker.draining import draining

    async def cut_off(request):
        monkeypatch.setattr(draining, "is_over", True)
        for call in list(draining.calls):
            call.cancel()
        await asyncio.sleep(5)

    upstream(cut_off)
    page = "".join(stream())
    assert "shutting_down" in page
    assert ledger()[0]["outcome"] == "shutdown"


@pytest.mark.parametrize("url", ["/playground/", "/playground/stream/"])
def test_a_mistake_is_told_and_nothing_is_sent(logged_in_client, models, ledger, url):  # noqa: F811
    fields = {"model": "openai/gpt-4o-mini", "message": " ", "temperature": "9"}
    response = logged_in_client.post(url, fields)
    assert response.status_code == 422
    page = response.content.decode()
    assert "Write a message first." in page
    assert "less than or equal to 2" in page
    assert ledger() == []


def test_a_model_nobody_offers_is_refused(logged_in_client, models):
    response = logged_in_client.post("/playground/", {**FIELDS, "model": "x/y"})
    assert response.status_code == 422


def test_clearing_keeps_the_settings(logged_in_client, models):
    fields = {**FIELDS, "action": "clear", "system": "Be kind.", "said": "one"}
    page = logged_in_client.post("/playground/", {**fields, "first": "x"})
    assert page.status_code == 200
    assert b"Be kind." in page.content
    assert b'class="turn"' not in page.content


def test_the_code_is_valid_and_holds_the_conversation(logged_in_client, models):
    fields = {
        **FIELDS,
        "action": "code",
        "said": 'say "it\'s"',
        "first": "done\n",
        "second": "",
        "temperature": "0.5",
    }
    response = logged_in_client.post("/playground/", fields)
    codes = response.context["codes"][0]
    for name in ("python", "sdk"):
        ast.parse(codes[name])
    assert 'say \\"it\'s\\"' in codes["sdk"]
    assert "temperature=0.5" in codes["sdk"]
    assert codes["curl"].startswith("curl http://testserver/v1/chat/completions")


def test_without_a_new_message_the_code_is_the_last_request(logged_in_client, models):
    fields = {"model": FIELDS["model"], "action": "code"}
    turns = {"said": ["one", "two"], "first": ["eins", "zwei"], "second": ["", ""]}
    response = logged_in_client.post("/playground/", {**fields, **turns})
    code = ast.parse(response.context["codes"][0]["python"])
    body = ast.literal_eval(code.body[2].value)
    assert [m["content"] for m in body["messages"]] == ["one", "eins", "two"]


def test_hundreds_of_models_make_no_long_page(logged_in_client, provider, models):
    provider("huge", models=tuple(f"m{n}" for n in range(600)))
    response = logged_in_client.get("/playground/?model=huge/m599")
    assert len(response.content) < 100_000
    assert b'value="huge/m599" list=' in response.content


def test_a_long_conversation_can_be_sent(logged_in_client, provider):
    provider("openai")
    turns = {"said": ["hello"] * 20, "first": ["a\n b" * 40_000] * 20}
    form = {"model": "openai/gpt-4o-mini", "action": "code", "message": "x"}
    answer = logged_in_client.post(
        "/playground/", {**form, **turns, "second": [""] * 20}
    )
    assert answer.status_code == 200


@pytest.mark.parametrize("setting", ["CALLS_PER_WORKER", "CALLS_PER_PROVIDER"])
def test_a_question_takes_a_place_as_any_call_does(
    stream,
    upstream,  # noqa: F811
    settings,
    setting,
):
    seen = upstream(stream=frames(chunk(content="hello")))
    before = getattr(settings, setting)
    setattr(settings, setting, 0)
    assert "overloaded" in "".join(stream())
    assert not seen
    setattr(settings, setting, before)
    assert "hello" in "".join(stream())
    assert capacity._taken == {}


def test_credentials_that_an_upstream_echoes_stay_out_of_the_page(
    stream,
    provider,
    upstream,  # noqa: F811
):
    provider("keyed", key="sk-echoed-canary")
    registry.load()
    upstream(stream=frames(chunk(content="your key is sk-echoed-canary")))
    page = "".join(stream(model="keyed/gpt-4o-mini"))
    assert "your key is [redacted]" in page
    assert "canary" not in page


@pytest.fixture
def shared(provider, ledger, administrator):  # noqa: F811
    """A model that two providers serve."""
    for priority, name in enumerate(("first", "second")):
        endpoint = f"https://{name}.example"
        provider(name, models=("gpt-4o",), priority=priority, endpoint=endpoint)
    registry.load()
    yield
    registry.snapshot = Snapshot()


def test_a_shared_model_may_be_asked_by_its_id(logged_in_client, shared):
    page = logged_in_client.get("/playground/").content.decode()
    assert 'label="Any provider, by priority"' in page
    assert '<option value="gpt-4o">' in page


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("second/gpt-4o", "Asks <strong>second</strong>."),
        (
            "gpt-4o",
            "Asks <strong>first</strong>; where that does not take it, "
            "<strong>second</strong>.",
        ),
        ("nothing", ""),
    ],
)
def test_who_would_answer_is_told_before(logged_in_client, shared, model, words):
    page = logged_in_client.get(f"/playground/route/?model={model}").content.decode()
    assert page.strip() == words
    page = logged_in_client.get(f"/playground/?model={model}").content.decode()
    assert words in page


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("gpt-4o", "answered by <strong>second</strong>, after first did not take it"),
        ("second/gpt-4o", "answered by <strong>second</strong> </span></li>"),
    ],
)
def test_who_answered_after_whom_is_told(stream, shared, upstream, model, words):  # noqa: F811
    def answer(request):
        if request.url.host.startswith("first"):
            return httpx.Response(503, json={"error": {"message": "busy"}})
        body = b"".join(frames(chunk(content="Hi")))
        headers = {"content-type": "text/event-stream"}
        return httpx.Response(200, headers=headers, content=body)

    upstream(answer)
    page = " ".join("".join(stream(model=model)).split())
    assert words in page, page


def test_who_was_asked_in_vain_is_told(stream, shared, upstream):  # noqa: F811
    upstream(status=503, json={"error": {"message": "busy"}})
    page = " ".join("".join(stream(model="gpt-4o")).split())
    assert "asked first, then <strong>second</strong>" in page


def test_an_answer_is_formatted_when_it_is_complete(stream, upstream):  # noqa: F811
    upstream(stream=frames(chunk(content="**bo"), chunk(content="ld** <img src=x>")))
    events = stream()
    assert "<strong>" not in "".join(events[:-1])
    assert "<strong>bold</strong> &lt;img src=x&gt;" in events[-1]
    # What travels along is what the model said.
    assert 'name="first" value="**bold** &lt;img src=x&gt;"' in events[-1]


def test_only_models_that_chat_are_offered(provider):
    row = provider(models=("gpt-4o", "text-embedding-3-small", "docs", "e5"))
    row.provider_models.filter(model_id="docs").update(
        capabilities={"kind": "embedding"}
    )
    row.provider_models.filter(model_id="e5").update(capabilities={"kind": "chat"})
    assert served_models().values == ["openai/gpt-4o", "openai/e5"]
