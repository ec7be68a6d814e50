"""The door as clients find it: its paths, a whole answer, a stream, refusals."""

import asyncio
import json

import pytest
from openai.types.responses import Response

from runagents.asgi import application
from tests.gateway.doors.responses.conftest import URL, chunks
from tests.grammar import responses as grammar


def test_an_answer_comes_back_as_a_response(
    provider, upstream, gateway, asked, completion, ledger
):
    provider()
    seen = upstream(json=completion)
    answer = gateway().post(URL, json=asked)
    assert answer.status_code == 200, answer.text
    response = Response.model_validate(answer.json(), strict=True)
    assert response.output_text == "hello"
    assert response.model == "gpt-4o-mini"
    assert response.usage is not None
    assert response.usage.total_tokens == 11
    sent = json.loads(seen[0].content)
    assert sent == {
        "model": "gpt-4o-mini",
        "messages": [{"role": "user", "content": "hi"}],
    }
    (row,) = ledger()
    assert (row["door"], row["outcome"], row["input_tokens"]) == ("responses", "ok", 9)


def test_a_stream_comes_event_by_event(provider, upstream, gateway, asked, ledger):
    provider()
    seen = upstream(
        stream=chunks({"role": "assistant"}, {"content": "hel"}, {"content": "lo"})
    )
    answer = gateway().post(URL, json={**asked, "stream": True})
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    events = grammar.check(answer.text)
    assert [event["type"].removeprefix("response.") for event in events] == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    assert events[-1]["response"]["usage"]["total_tokens"] == 11
    assert json.loads(seen[0].content)["stream_options"] == {"include_usage": True}
    (row,) = ledger()
    assert (row["outcome"], row["output_tokens"], row["finish_reason"]) == (
        "ok",
        2,
        "stop",
    )


@pytest.mark.parametrize(
    "path",
    [
        "/v1/responses",
        "/responses",
        "/responses/",
        "/api/v1/v1/responses",
        "/v1/responses/v1/responses",
        "/v1/p/openai/responses",
        "/v1/p/openai/v1/responses/",
        "/p/openai/v1/responses",
    ],
)
def test_every_base_url_of_sdks_leads_to_the_door(
    provider, upstream, gateway, asked, completion, path
):
    provider()
    upstream(json=completion)
    answer = gateway().post(path, json=asked)
    assert answer.json()["object"] == "response", answer.text


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        ({"input": "hi"}, "model", "missing_field"),
        ({"model": "gpt-4o-mini"}, "input", "missing_field"),
        ({"model": "gpt-4o-mini", "input": []}, "input", "invalid_value"),
        ({"model": "gpt-4o-mini", "input": ""}, "input", "invalid_value"),
        ({"model": "gpt-4o-mini", "input": 5}, "input", "invalid_value"),
        ({"model": "gpt-4o-mini", "messages": [{}]}, "messages", None),
        (
            {"model": "gpt-4o-mini", "input": "hi", "stream": 1},
            "stream",
            "invalid_value",
        ),
    ],
)
def test_what_is_no_request_is_refused(provider, gateway, body, param, code):
    provider()
    answer = gateway().post(URL, json=body)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert (error["param"], error["code"]) == (param, code)
    if param == "messages":
        assert "/v1/chat/completions" in error["message"]


def test_a_websocket_is_sent_to_post(provider, gateway):
    provider()
    headers = {"upgrade": "websocket", "connection": "Upgrade"}
    answer = gateway(headers=headers).get(URL)
    assert answer.status_code == 426
    assert answer.json()["error"]["code"] == "websocket_not_supported"


@pytest.mark.parametrize("can_tell", [True, False])
def test_a_handshake_is_refused_with_a_reason_where_servers_pass_one_on(can_tell):
    sent = []

    async def receive() -> dict:
        return {"type": "websocket.connect"}

    async def send(message: dict) -> None:
        sent.append(message)

    scope = {"type": "websocket", "path": URL, "headers": []}
    if can_tell:
        scope["extensions"] = {"websocket.http.response": {}}
    asyncio.run(application(scope, receive, send))
    if not can_tell:
        assert [message["type"] for message in sent] == ["websocket.close"]
        return
    start, body = sent
    assert (start["type"], start["status"]) == ("websocket.http.response.start", 426)
    assert json.loads(body["body"])["error"]["code"] == "websocket_not_supported"


@pytest.mark.parametrize("method", ["GET", "PUT", "HEAD"])
def test_another_method_is_refused(gateway, method):
    client = gateway()
    answer = asyncio.run(client._request(method, URL, {}))
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "resp_x"),
        ("GET", "resp_x/"),
        ("DELETE", "resp_x"),
        ("POST", "resp_x/cancel"),
        ("GET", "resp_x/input_items"),
    ],
)
def test_no_response_is_kept(gateway, method, path):
    answer = gateway().request(method, f"{URL}/{path}")
    assert answer.status_code == 404
    error = answer.json()["error"]
    assert (error["param"], error["code"]) == ("response_id", None)
    assert error["message"] == (
        "Response with id 'resp_x' not found. Responses are not kept here; call "
        "/v1/p/<provider>/responses for those that the provider keeps."
    )


def test_codex_finds_an_empty_catalog_beside_the_models(provider, gateway):
    provider()
    listed = gateway().get("/v1/models").json()
    assert "models" not in listed
    asked = gateway().get("/v1/models?client_version=0.171.0").json()
    assert asked == {**listed, "models": []}
    assert gateway().get("/v1/p/openai/models?client_version=1").json() == asked


def test_codex_tells_the_ledger_of_its_session(
    provider, upstream, gateway, asked, completion, ledger
):
    provider()
    seen = upstream(json=completion)
    headers = {
        "originator": "codex_exec",
        "session-id": "s-1",
        "thread-id": "t-1",
        "x-codex-turn-metadata": '{"turn_id":"u","request_kind":"turn"}',
    }
    gateway(headers=headers).post(URL, json=asked)
    (row,) = ledger()
    told = [row[name] for name in ("client", "session_id", "agent_id", "run_id")]
    assert told == ["codex_exec", "s-1", "t-1", "t-1"]
    assert row["request_class"] == "turn"
    assert not {"thread-id", "x-codex-turn-metadata"} & set(seen[0].headers)


@pytest.mark.parametrize("metadata", ["{", "[]", "5", '{"request_kind":5}', "\xe9"])
def test_malformed_headers_of_a_session_are_left_out(
    provider, upstream, gateway, asked, completion, ledger, metadata
):
    provider()
    upstream(json=completion)
    headers = {b"x-codex-turn-metadata": metadata.encode(), b"thread-id": b"x" * 300}
    assert gateway(headers=headers).post(URL, json=asked).status_code == 200
    (row,) = ledger()
    assert not {"run_id", "request_class", "session_id"} & set(row)


def test_the_body_decides_on_a_stream_and_not_a_header(
    provider, upstream, gateway, asked, completion
):
    provider()
    upstream(json=completion)
    client = gateway(headers={"accept": "application/json"})
    streamed = client.post(URL, json={**asked, "stream": True})
    assert streamed.headers["content-type"].startswith("text/event-stream")
    client = gateway(headers={"accept": "text/event-stream"})
    assert client.post(URL, json=asked).headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"input": [{"role": "user", "content": "hi"}] * 10_001}, "input"),
        (
            {"tools": [{"type": "function", "name": f"f{n}"} for n in range(1025)]},
            "tools",
        ),
    ],
)
def test_there_is_an_end_to_items_and_tools(
    provider, upstream, gateway, asked, more, param
):
    provider()
    seen = upstream(json={})
    answer = gateway().post(URL, json={**asked, **more})
    assert answer.status_code == 400
    assert answer.json()["error"]["param"].startswith(param)
    assert not seen
