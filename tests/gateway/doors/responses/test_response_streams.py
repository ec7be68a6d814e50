"""Streams through the gateway: their end, their silence, what goes wrong in them."""

import json

import httpx
import openai
import pytest

from gateway.doors import responses
from gateway.doors.protocol import NOTHING_SENT
from gateway.errors import GatewayError
from gateway.hub.protocol import Route
from tests.gateway.doors.responses.conftest import URL, call, chunks
from tests.gateway.doors.responses.test_response_cases import CODEX
from tests.grammar import responses as grammar


def ask(gateway, asked, **headers):
    answer = gateway(headers=headers).post(URL, json={**asked, "stream": True})
    assert answer.status_code == 200, answer.text
    return grammar.check(answer.text)


def renderer(sent=NOTHING_SENT):
    asked = responses.parse_request({"model": "m", "input": "hi"}, sent)
    route = Route("m", "m", completion_id="chatcmpl-" + "x" * 29)
    responses.hub_request(asked, route)
    return responses.stream_renderer(asked)


TEXT = {"choices": [{"index": 0, "delta": {"content": "hel"}, "finish_reason": None}]}


def test_a_stream_that_breaks_off_fails_and_completes_nothing(
    provider, upstream, gateway, asked, ledger
):
    provider()
    upstream(stream=chunks({"content": "hel"})[:1])
    *_, error, failed = ask(gateway, asked)
    assert error["code"] == error["error"]["code"] == "upstream_stream_truncated"
    response = failed["response"]
    assert response["error"]["code"] == "server_error"
    assert (response["output"], response["usage"]) == ([], None)
    assert ledger()[0]["error_code"] == "upstream_stream_truncated"


def test_what_was_told_whole_is_in_a_response_that_failed(
    provider, upstream, gateway, asked
):
    provider()
    upstream(stream=chunks({"content": "so"}, call(0, "f", "{}"))[:2])
    failed = ask(gateway, asked)[-1]["response"]
    assert [item["type"] for item in failed["output"]] == ["message"]


def test_an_error_before_anything_was_said_has_a_status_of_its_own(
    provider, upstream, gateway, asked
):
    provider()
    error = {"message": "Slow down.", "type": "x", "code": "rate_limit_exceeded"}
    upstream(json={"error": error}, status=429, headers={"retry-after": "3"})
    answer = gateway().post(URL, json={**asked, "stream": True})
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "3")
    assert answer.json()["error"]["code"] == "rate_limit_exceeded"


def test_usage_is_estimated_where_the_upstream_tells_none(
    provider, upstream, gateway, asked
):
    provider()
    stream = [part for part in chunks({"content": "x" * 40}) if b"prompt" not in part]
    upstream(stream=stream)
    usage = ask(gateway, {**asked, "input": "y" * 20})[-1]["response"]["usage"]
    assert usage == {
        "input_tokens": 5,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": 10,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 15,
    }


def test_silence_is_told_as_comments_and_now_and_then_as_an_event():
    stream = renderer()
    assert b"event: response.in_progress" in stream.keep_alive(0)
    told = [stream.keep_alive(15.0 * n) for n in range(1, 10)]
    assert [part.startswith(b"event: keepalive\n") for part in told] == [
        n in (4, 8) for n in range(1, 10)
    ]
    assert told[0] == b": keep-alive\n\n"
    text = stream.render([TEXT])
    assert stream.keep_alive(15) == b": keep-alive\n\n"
    whole = b"".join([renderer().keep_alive(0), *told, text, stream.end()])
    grammar.check(whole)


@pytest.mark.parametrize(
    "annotations",
    [
        "no list",
        ["https://x"],
        [{"type": "file_citation", "file_id": "f"}],
        [{"type": "url_citation", "url_citation": "https://x"}],
        [{"type": "url_citation", "url_citation": {"url": 5, "start_index": "x"}}],
    ],
)
def test_citations_of_another_shape_break_nothing(annotations):
    stream = renderer()
    cited = {"index": 0, "delta": {"annotations": annotations}, "finish_reason": None}
    told = stream.render([TEXT, {"choices": [cited]}]) + stream.end()
    assert grammar.check(told)[-1]["response"]["status"] == "completed"


def test_the_sdk_goes_on_over_silence():
    stream = renderer()
    body = stream.keep_alive(0) + stream.keep_alive(60)
    body += stream.render([TEXT]) + stream.keep_alive(60) + stream.end()
    assert body.count(b"event: keepalive") == 2
    sse = {"content-type": "text/event-stream"}
    transport = httpx.MockTransport(
        lambda request: httpx.Response(200, headers=sse, content=body)
    )
    with (
        httpx.Client(transport=transport) as http,
        openai.OpenAI(
            api_key="x", base_url="http://x.example", http_client=http
        ) as client,
        client.responses.stream(model="m", input="hi") as events,
    ):
        assert events.get_final_response().output_text == "hel"


def test_no_event_comes_before_the_first():
    stream = renderer()
    first = stream.keep_alive(0) + stream.render([TEXT]) + stream.end()
    assert first.startswith(b"event: response.created\n")
    grammar.check(first)


def test_an_answer_without_any_event_begins_all_the_same():
    grammar.check(renderer().end())
    grammar.check(renderer().fail(GatewayError(502, "server_error", "No.", "x")))


@pytest.mark.parametrize(
    ("status", "code", "headers", "codex", "others"),
    [
        (400, "context_length_exceeded", {}, None, None),
        (429, "insufficient_quota", {}, None, None),
        (429, "rate_limit_exceeded", {"retry-after": "3"}, None, None),
        (503, "overloaded", {}, "server_error", "server_error"),
        (504, "upstream_timeout", {}, "server_error", "server_error"),
        (502, "upstream_stream_truncated", {}, "server_error", "server_error"),
        (400, "invalid_value", {}, "invalid_prompt", "invalid_value"),
        (403, "model_access_denied", {}, "invalid_prompt", "model_access_denied"),
        (404, "model_not_found", {}, "invalid_prompt", "model_not_found"),
        (502, "upstream_auth_error", {}, "invalid_prompt", "upstream_auth_error"),
    ],
)
def test_codex_is_told_whether_to_ask_again(status, code, headers, codex, others):
    error = GatewayError(status, "x", "Because.", code, headers=headers)
    for sent, expected in ((CODEX, codex), (NOTHING_SENT, others)):
        events = grammar.check(renderer(sent).fail(error))
        told = events[-1]["response"]["error"]
        assert told["code"] == (expected or code)
        assert events[-2]["code"] == code
        hint = " Please try again in 3s." if headers else ""
        assert told["message"] == f"Because.{hint}"


def test_the_ledger_and_the_headers_tell_what_was_lost(
    provider, upstream, gateway, asked, completion, ledger
):
    provider()
    upstream(json=completion)
    body = {**asked, "tools": [{"type": "web_search"}], "truncation": "auto"}
    answer = gateway().post(URL, json=body)
    told = "tools.web_search, truncation"
    assert answer.headers["x-gateway-dropped-params"] == told
    assert ledger()[0]["dropped"] == told.split(", ")


def test_one_echo_is_in_every_response_of_a_stream():
    body = {"model": "m", "input": "hi", "instructions": "é", "metadata": {"a": "b"}}
    asked = responses.parse_request(body, NOTHING_SENT)
    responses.hub_request(asked, Route("m", "m", completion_id="chatcmpl-" + "x" * 29))
    stream = responses.stream_renderer(asked)
    events = grammar.check(stream.render([TEXT]) + stream.end())
    told = [event["response"] for event in events if "response" in event]
    assert [response["instructions"] for response in told] == ["é"] * 3
    assert json.dumps(told[0]["metadata"]) == '{"a": "b"}'
