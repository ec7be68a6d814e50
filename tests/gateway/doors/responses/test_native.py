"""The Responses API to a server that has it: what comes is passed on as it stands."""

import json

import httpx
import pytest

from gateway.doors.responses import reasoning
from providers.models import ProviderModel
from tests.gateway.doors.responses.conftest import URL

HOME = "https://api.openai.com"
AZURE = "https://house.openai.azure.com/openai/v1"
MODEL = "gpt-4o-mini"

USAGE = {
    "input_tokens": 30,
    "input_tokens_details": {"cached_tokens": 8, "cache_write_tokens": 4},
    "output_tokens": 12,
    "output_tokens_details": {"reasoning_tokens": 5},
    "total_tokens": 42,
}
MESSAGE = {
    "type": "message",
    "id": "msg_68",
    "role": "assistant",
    "status": "completed",
    "content": [{"type": "output_text", "text": "hello", "annotations": []}],
}
RESPONSE = {
    "id": "resp_68",
    "object": "response",
    "created_at": 1700000000,
    "status": "completed",
    "model": "gpt-4o-mini-2024-07-18",
    "output": [MESSAGE, {"type": "of_tomorrow", "x": 1}],
    "usage": USAGE,
    "new_field": {"a": [1]},
}
COMPLETION = {
    "id": "c",
    "object": "chat.completion",
    "created": 1,
    "model": MODEL,
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "translated"},
            "finish_reason": "stop",
        }
    ],
}


@pytest.fixture
def home(provider):
    """A provider whose server has the API."""
    return provider(endpoint=HOME, private_network=False)


def event(number: int, kind: str, **fields) -> bytes:
    """One event as OpenAI frames it."""
    body = {"type": kind, "sequence_number": number, **fields}
    text = json.dumps(body, separators=(",", ":"))
    return f"event: {kind}\ndata: {text}\n\n".encode()


def delta(number: int, text: str) -> bytes:
    """A piece of the answer's text."""
    return event(
        number,
        "response.output_text.delta",
        item_id="msg_68",
        output_index=0,
        content_index=0,
        delta=text,
        logprobs=[],
        obfuscation="Xb3",
    )


CREATED = event(
    0,
    "response.created",
    response={**RESPONSE, "status": "in_progress", "output": [], "usage": None},
)
STREAM = [
    CREATED,
    event(1, "response.output_item.added", output_index=0, item=MESSAGE),
    delta(2, "hel"),
    delta(3, "lo"),
    event(4, "response.of_tomorrow", x=[1]),
    event(5, "response.completed", response=RESPONSE),
]


def test_a_request_goes_on_to_the_letter(home, upstream, gateway, ledger):
    seen = upstream(json=RESPONSE)
    sent = (
        b'{ "model": "gpt-4o-mini","input":[{"type":"of_tomorrow","n":1.10}],'
        b'"previous_response_id":"resp_1","conversation":"conv_1","store":true,'
        b'"background":true,"prompt":{"id":"pmpt_1"},"tools":[{"type":"mcp"}],'
        b'"client_metadata":{"a":"b"},"later":1e0}'
    )
    answer = gateway().post(
        URL,
        content=sent,
        headers={
            "content-type": "application/json",
            "openai-beta": "responses=v9",
            "x-client-request-id": "c-1",
            "thread-id": "t-1",
            "x-codex-turn-metadata": "{}",
        },
    )
    assert answer.status_code == 200, answer.text
    assert (seen[0].url.host, seen[0].url.path) == ("api.openai.com", "/v1/responses")
    assert seen[0].content == sent
    assert seen[0].headers["openai-beta"] == "responses=v9"
    assert seen[0].headers["x-client-request-id"] == "c-1"
    assert "thread-id" not in seen[0].headers
    assert "x-codex-turn-metadata" not in seen[0].headers
    (row,) = ledger()
    assert (row["door"], row["finish_reason"]) == ("responses", "stop")
    counts = ("input_tokens", "cached_tokens", "cache_write_tokens", "reasoning_tokens")
    assert [row[name] for name in counts] == [30, 8, 4, 5]
    assert row["output_tokens"] == 12
    assert row["details"] == {"way": "native"}


def test_an_answer_comes_as_it_is(home, upstream, gateway, asked):
    raw = json.dumps(RESPONSE, indent=1).encode()
    upstream(
        lambda _: httpx.Response(
            200, content=raw, headers={"openai-processing-ms": "7", "server": "x"}
        )
    )
    answer = gateway().post(URL, json=asked)
    assert answer.content == raw
    assert answer.headers["openai-processing-ms"] == "7"
    assert "server" not in answer.headers


def test_the_model_has_the_name_that_it_was_asked_by(provider, upstream, gateway):
    row = provider(endpoint=HOME, private_network=False)
    ProviderModel.objects.filter(provider=row).update(
        model_id="house", upstream_id="gpt-4o-mini"
    )
    seen = upstream(json=RESPONSE)
    answer = gateway().post(URL, json={"model": "house", "input": "hi"})
    assert json.loads(seen[0].content) == {"model": "gpt-4o-mini", "input": "hi"}
    assert answer.json() == {**RESPONSE, "model": "house"}
    upstream(stream=STREAM)
    streamed = {"model": "house", "input": "hi", "stream": True}
    answer = gateway().post(URL, json=streamed)
    told = b"".join(STREAM).replace(b"gpt-4o-mini-2024-07-18", b"house")
    assert answer.content == told


def test_a_stream_goes_on_event_for_event(home, upstream, gateway, asked, ledger):
    told = [
        *STREAM[:4],
        event(4, "keepalive"),
        event(5, "response.completed", response=RESPONSE) + b"data: [DONE]\n\n",
    ]
    upstream(stream=told)
    answer = gateway().post(URL, json={**asked, "stream": True})
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.content == b"".join(told)
    (row,) = ledger()
    assert (row["outcome"], row["finish_reason"]) == ("ok", "stop")
    assert (row["input_tokens"], row["reasoning_tokens"]) == (30, 5)


@pytest.mark.parametrize("behind", [[b"data: [DO", b"NE]\n\n"], [b"data: [DONE]\n\n"]])
def test_the_last_word_goes_on_whichever_read_brings_it(
    home, upstream, gateway, asked, ledger, behind
):
    more = event(6, "response.of_tomorrow", x=[1])
    upstream(stream=[*STREAM, *behind, more])
    answer = gateway().post(URL, json={**asked, "stream": True})
    assert answer.content == b"".join([*STREAM, *behind])
    (row,) = ledger()
    assert (row["outcome"], row["output_tokens"]) == ("ok", 12)


def test_events_get_their_names(home, upstream, gateway, asked):
    upstream(stream=[each.partition(b"\n")[2] for each in STREAM])
    answer = gateway().post(URL, json={**asked, "stream": True})
    assert answer.content == b"".join(STREAM)


def test_an_incomplete_answer_is_booked_as_one(home, upstream, gateway, asked, ledger):
    cut = {
        **RESPONSE,
        "status": "incomplete",
        "incomplete_details": {"reason": "max_output_tokens"},
    }
    upstream(stream=[CREATED, event(1, "response.incomplete", response=cut)])
    gateway().post(URL, json={**asked, "stream": True})
    assert ledger()[0]["finish_reason"] == "length"


def told_in(answer):
    """The events of an answer, by what they hold."""
    lines = [line[6:] for line in answer.text.splitlines() if line.startswith("data: ")]
    assert lines.pop() == "[DONE]"
    return [json.loads(line) for line in lines]


def test_a_stream_without_an_end_gets_one(home, upstream, gateway, asked, ledger):
    upstream(stream=STREAM[:4])
    answer = gateway().post(URL, json={**asked, "stream": True})
    assert answer.content.startswith(b"".join(STREAM[:4]))
    *_, error, failed = told_in(answer)
    assert (error["type"], error["sequence_number"]) == ("error", 4)
    assert error["code"] == error["error"]["code"] == "upstream_stream_truncated"
    assert (failed["type"], failed["sequence_number"]) == ("response.failed", 5)
    assert failed["response"]["id"] == "resp_68"
    assert failed["response"]["error"]["code"] == "server_error"
    (row,) = ledger()
    assert row["outcome"] == "upstream_error"
    assert row["error_code"] == "upstream_stream_truncated"


def test_a_failed_response_holds_the_items_that_are_done(
    home, upstream, gateway, asked
):
    """Clients that read the end alone have them from there."""
    call = {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f"}
    done = [
        event(4, "response.output_item.done", output_index=1, item=call),
        event(5, "response.output_item.done", output_index=0, item=MESSAGE),
    ]
    added = event(6, "response.output_item.added", output_index=2, item=call)
    upstream(stream=[*STREAM[:4], *done, added])
    *_, failed = told_in(gateway().post(URL, json={**asked, "stream": True}))
    assert failed["type"] == "response.failed"
    assert failed["response"]["output"] == [MESSAGE, call]


def test_an_error_event_is_followed_by_what_codex_reads(home, upstream, gateway, asked):
    error = {"code": "server_error", "message": "The server is on fire.", "param": None}
    upstream(stream=[*STREAM[:3], event(3, "error", **error)])
    answer = gateway().post(URL, json={**asked, "stream": True})
    *_, error, failed = told_in(answer)
    assert (error["type"], error["message"]) == ("error", "The server is on fire.")
    assert (failed["type"], failed["sequence_number"]) == ("response.failed", 4)


def test_a_failed_response_is_the_last_word(home, upstream, gateway, asked, ledger):
    failed = {
        **RESPONSE,
        "status": "failed",
        "error": {"code": "server_error", "message": "Sorry."},
    }
    told = [*STREAM[:3], event(3, "response.failed", response=failed)]
    upstream(stream=told)
    answer = gateway().post(URL, json={**asked, "stream": True})
    assert answer.content == b"".join(told)
    assert ledger()[0]["outcome"] == "upstream_error"


def test_a_failure_before_the_answer_is_a_status(home, upstream, gateway, asked):
    failed = {
        **RESPONSE,
        "status": "failed",
        "error": {"code": "rate_limit_exceeded", "message": "Slow down."},
    }
    upstream(stream=[CREATED + event(1, "response.failed", response=failed)])
    answer = gateway().post(URL, json={**asked, "stream": True})
    assert answer.status_code == 429
    assert answer.json()["error"]["code"] == "rate_limit_exceeded"


def test_what_came_whole_is_told_in_events(home, upstream, gateway, asked, ledger):
    upstream(json=RESPONSE)
    answer = gateway().post(URL, json={**asked, "stream": True})
    events = [
        json.loads(line[6:])
        for line in answer.text.splitlines()
        if line.startswith("data: ")
    ]
    assert events[0]["type"] == "response.created"
    assert [each["sequence_number"] for each in events] == list(range(len(events)))
    assert events[-1]["response"]["output"] == RESPONSE["output"]
    assert ledger()[0]["output_tokens"] == 12


def test_a_stream_that_nobody_asked_for_is_read(home, upstream, gateway, asked):
    upstream(stream=STREAM)
    assert gateway().post(URL, json=asked).json() == RESPONSE


def test_what_the_installation_is_stays_here(provider, upstream, gateway, asked):
    provider(endpoint=AZURE, private_network=False)
    seen = upstream(json=RESPONSE)
    body = {**asked, "client_metadata": {"installation": "i"}, "later": 1.5}
    assert gateway().post(URL, json=body).status_code == 200
    assert seen[0].url.path == "/openai/v1/responses"
    assert json.loads(seen[0].content) == {**asked, "later": 1.5}


def test_what_is_ours_is_taken_out(home, upstream, gateway, asked):
    seen = upstream(json=RESPONSE)
    token = "g1" + "a" * 22
    said = {"type": "message", "role": "assistant", "content": "ok", "n": 1.5}
    others = {"type": "reasoning", "id": "rs_68", "encrypted_content": "gAAA"}
    items = [
        {
            "type": "reasoning",
            "id": f"rs_{token}0",
            "encrypted_content": reasoning.blob_of_text("hm"),
        },
        {**said, "id": f"msg_{token}1"},
        others,
        {"type": "item_reference", "id": "msg_68"},
    ]
    gateway().post(URL, json={**asked, "input": items})
    sent = json.loads(seen[0].content)["input"]
    assert sent == [said, others, {"type": "item_reference", "id": "msg_68"}]


def test_options_take_fields_away(provider, upstream, gateway, asked):
    provider(endpoint=HOME, private_network=False, options={"drop_params": ["text"]})
    seen = upstream(json=RESPONSE)
    answer = gateway().post(URL, json={**asked, "text": {"verbosity": "low"}})
    assert json.loads(seen[0].content) == asked
    assert answer.headers["x-gateway-dropped-params"] == "text"


UNREADABLE = {
    "error": {
        "message": "The encrypted content gAAA could not be verified. Reason: "
        "Encrypted content could not be decrypted or parsed.",
        "type": "invalid_request_error",
        "param": None,
        "code": "invalid_encrypted_content",
    }
}


def test_what_another_account_sealed_is_left_out(home, upstream, gateway, asked):
    items = [
        {"role": "user", "content": "hi"},
        {"type": "reasoning", "id": "rs_1", "encrypted_content": "gAAA"},
    ]

    def answer(request):
        if b"gAAA" in request.content:
            return httpx.Response(400, json=UNREADABLE)
        return httpx.Response(200, json=RESPONSE)

    seen = upstream(answer)
    client = gateway()
    for _ in range(2):
        told = client.post(URL, json={**asked, "input": items})
        assert told.status_code == 200
        assert told.headers["x-gateway-downgraded"] == "reasoning"
    assert json.loads(seen[1].content)["input"] == items[:1]
    # Another conversation's may be readable: it is asked with every time.
    assert len(seen) == 4


def missing(status, **answer):
    """An upstream that has chat completions, and refuses responses so."""

    def respond(request):
        if request.url.path.endswith("/responses"):
            return httpx.Response(status, **answer)
        return httpx.Response(200, json=COMPLETION)

    return respond


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (404, {"json": {"detail": "Not Found"}}),
        (404, {"text": "404 page not found"}),
        (404, {"text": "<html><body>Not Found</body></html>"}),
        (404, {"json": {"error": {"message": "Invalid URL (POST /v1/responses)"}}}),
        (404, {"json": {"error": {"code": "404", "message": "Resource not found"}}}),
        (405, {"json": {"detail": "Method Not Allowed"}}),
        (501, {"text": "not implemented"}),
    ],
)
def test_a_server_without_the_path_gets_a_translation(
    provider, upstream, gateway, asked, ledger, status, answer
):
    provider(options={"responses_api": "on"})
    seen = upstream(missing(status, **answer))
    client = gateway()
    for _ in range(2):
        told = client.post(URL, json=asked)
        assert told.status_code == 200, told.text
        assert told.json()["output"][0]["content"][0]["text"] == "translated"
    paths = [request.url.path.rpartition("/")[2] for request in seen]
    assert paths == ["responses", "completions", "completions"]
    assert {row["details"]["way"] for row in ledger()} == {"translated"}


def test_what_only_the_upstream_could_do_is_refused_in_its_words(
    provider, upstream, gateway, asked
):
    provider(options={"responses_api": "on"})
    seen = upstream(missing(404, json={"detail": "Not Found"}))
    told = gateway().post(URL, json={**asked, "previous_response_id": "resp_1"})
    assert told.status_code == 404
    assert "Not Found" in told.json()["error"]["message"]
    assert len(seen) == 1


@pytest.mark.parametrize(
    "message",
    [
        "The model `gpt-4o-mini` does not exist or you do not have access to it.",
        "Item with id 'rs_1' not found.",
        "Response with id 'resp_1' not found.",
    ],
)
def test_a_404_about_something_else_stays_one(home, upstream, gateway, asked, message):
    seen = upstream(missing(404, json={"error": {"message": message}}))
    assert gateway().post(URL, json=asked).status_code == 404
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("endpoint", "option", "is_native"),
    [
        (HOME, None, True),
        (HOME, "off", False),
        ("https://eu.api.openai.com", "auto", True),
        (AZURE, "auto", True),
        ("https://h.services.ai.azure.com/openai/v1", None, True),
        ("https://bedrock-mantle.us-east-1.api.aws/v1", None, True),
        ("https://api.openai.com.example.org", None, False),
        ("https://api.deepseek.com", None, False),
        ("http://127.0.0.1:9", "auto", False),
        ("http://127.0.0.1:9", "on", True),
    ],
)
def test_the_host_and_an_option_decide(
    provider, upstream, gateway, asked, endpoint, option, is_native
):
    options = {"responses_api": option} if option else {}
    provider(
        endpoint=endpoint, private_network=endpoint.startswith("http:"), options=options
    )
    seen = upstream(
        lambda request: httpx.Response(
            200,
            json=RESPONSE if request.url.path.endswith("/responses") else COMPLETION,
        )
    )
    assert gateway().post(URL, json=asked).status_code == 200
    assert seen[0].url.path.endswith("/responses") is is_native


def test_nobody_else_is_asked_about_what_one_keeps(provider, upstream, gateway, asked):
    provider("first", endpoint=HOME, private_network=False)
    provider("second")
    seen = upstream(status=503, json={"error": {"message": "The engine is overloaded"}})
    told = gateway().post(URL, json={**asked, "previous_response_id": "resp_1"})
    assert (told.status_code, len(seen)) == (503, 1)
    gateway().post(URL, json=asked)
    assert len(seen) == 3


def test_another_provider_is_sent_a_translation_instead(
    provider, upstream, gateway, asked
):
    provider("first", endpoint=HOME, private_network=False, priority=1)
    provider("second", priority=2)

    def answer(request):
        if request.url.path.endswith("/responses"):
            return httpx.Response(503, json={"error": {"message": "overloaded"}})
        return httpx.Response(200, json=COMPLETION)

    upstream(answer)
    told = gateway().post(URL, json=asked)
    assert told.json()["output"][0]["content"][0]["text"] == "translated"
    assert told.headers["x-gateway-provider"] == "second"


def test_openais_models_on_bedrock_are_reached_where_they_speak_it(
    provider, upstream, gateway, asked
):
    """https://docs.aws.amazon.com/bedrock/latest/userguide/inference-responses-api.html"""
    host = "https://bedrock-runtime.us-east-1.amazonaws.com"
    options = {"responses_api": "on"}
    provider(endpoint=f"{host}/openai/v1", private_network=False, options=options)
    seen = upstream(json=RESPONSE)
    assert gateway().post(URL, json=asked).status_code == 200
    assert str(seen[0].url) == f"{host}/openai/v1/responses"
