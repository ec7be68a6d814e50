"""What an upstream refuses by name is asked for once more without it."""

import json
from collections.abc import Callable

import httpx
import pytest

URL = "/v1/chat/completions"

SCHEMA = {
    "type": "json_schema",
    "json_schema": {
        "name": "n",
        "schema": {"type": "object", "properties": {"n": {"type": "integer"}}},
    },
}
MODEL = "claude-opus-4-5"
ANSWER = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "content": [
        {"type": "tool_use", "id": "t", "name": "json_output", "input": {"n": 1}}
    ],
    "stop_reason": "tool_use",
    "usage": {"input_tokens": 3, "output_tokens": 4},
}


def refusing(
    field: str, message: str, answer: httpx.Response
) -> Callable[[httpx.Request], httpx.Response]:
    """An upstream that refuses bodies with a field and answers others."""
    refusal = {"error": {"type": "invalid_request_error", "message": message}}

    def respond(request: httpx.Request) -> httpx.Response:
        if field in json.loads(request.content):
            return httpx.Response(400, json=refusal)
        return answer

    return respond


def fields_of(seen: list[httpx.Request], field: str) -> list[bool]:
    return [field in json.loads(request.content) for request in seen]


@pytest.fixture
def claude(provider):
    return provider("claude", provider_type="anthropic", models=(MODEL,))


@pytest.fixture
def structured(chat):
    return {**chat, "model": MODEL, "response_format": SCHEMA}


def test_a_refused_output_config_is_left_out_and_stays_out(
    claude, upstream, gateway, structured, ledger
):
    message = "output_config.format: Extra inputs are not permitted"
    seen = upstream(
        refusing("output_config", message, httpx.Response(200, json=ANSWER))
    )
    client = gateway()
    for _ in range(2):
        answer = client.post(URL, json=structured)
        assert answer.json()["choices"][0]["message"]["content"] == '{"n":1}'
    assert fields_of(seen, "output_config") == [True, False, False]
    rows = ledger()
    assert [row["outcome"] for row in rows] == ["ok", "ok"]
    assert not any("upstream_status" in row for row in rows)


def test_a_refused_schema_does_not_spoil_the_model_for_others(
    claude, upstream, gateway, structured
):
    message = "output_config.format.schema: the schema is too complex"
    seen = upstream(
        refusing("output_config", message, httpx.Response(200, json=ANSWER))
    )
    client = gateway()
    for _ in range(2):
        assert client.post(URL, json=structured).status_code == 200
    assert fields_of(seen, "output_config") == [True, False, True, False]


def test_other_models_of_the_provider_are_asked_as_before(
    provider, upstream, gateway, structured
):
    models = (MODEL, "claude-sonnet-4-6")
    provider("claude", provider_type="anthropic", models=models)
    message = "output_config: Extra inputs are not permitted"
    seen = upstream(
        refusing("output_config", message, httpx.Response(200, json=ANSWER))
    )
    client = gateway()
    client.post(URL, json=structured)
    client.post(URL, json={**structured, "model": models[1]})
    assert fields_of(seen, "output_config") == [True, False, True, False]


def test_a_server_without_stream_options_streams_all_the_same(
    provider, upstream, gateway, chat
):
    provider()
    chunk = {"choices": [{"index": 0, "delta": {"content": "hi"}}]}
    last = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    lines = [f"data: {json.dumps(each)}\n\n" for each in (chunk, last)]
    sse = {"content-type": "text/event-stream"}

    def respond(request: httpx.Request) -> httpx.Response:
        if "stream_options" in json.loads(request.content):
            detail = [{"loc": ["body", "stream_options"], "msg": "extra fields"}]
            return httpx.Response(422, json={"detail": detail})
        return httpx.Response(200, headers=sse, content=_parts(lines))

    async def _parts(lines):
        for line in lines:
            yield line.encode()

    upstream(respond)
    answer = gateway().post(URL, json={**chat, "stream": True})
    assert answer.status_code == 200
    assert '"content":"hi"' in answer.text
    assert answer.text.endswith("data: [DONE]\n\n")


def test_any_other_refusal_is_told_at_once(claude, upstream, gateway, structured):
    message = "messages: roles must alternate"
    seen = upstream(refusing("messages", message, httpx.Response(200)))
    answer = gateway().post(URL, json=structured)
    assert (answer.status_code, len(seen)) == (400, 1)
    assert answer.json()["error"]["message"] == message


def test_a_refusal_that_goes_on_is_told_after_one_more_attempt(
    claude, upstream, gateway, structured
):
    message = "output_config is not supported"
    seen = upstream(refusing("messages", message, httpx.Response(200)))
    answer = gateway().post(URL, json=structured)
    assert (answer.status_code, len(seen)) == (400, 2)


def test_both_attempts_count_against_the_limit(provider, upstream, gateway, structured):
    provider(
        "claude", provider_type="anthropic", models=(MODEL,), requests_per_minute=1
    )
    message = "output_config is not supported"
    seen = upstream(
        refusing("output_config", message, httpx.Response(200, json=ANSWER))
    )
    assert gateway().post(URL, json=structured).status_code == 429
    assert len(seen) == 1


# --- betas ---


def test_an_administrators_beta_stands_beside_ours(provider, upstream, gateway, chat):
    options = {"extra_headers": {"Anthropic-Beta": "files-api-2025-04-14"}}
    provider(
        "claude",
        provider_type="anthropic",
        models=("claude-opus-5-5",),
        options=options,
    )
    seen = upstream(json={**ANSWER, "content": [], "stop_reason": "end_turn"})
    block = {"type": "thinking", "thinking": "", "signature": "s"}
    earlier = [
        {"role": "assistant", "content": "Hm.", "thinking_blocks": [block]},
        {"role": "user", "content": "And?"},
    ]
    messages = [*chat["messages"], *earlier]
    body = {**chat, "model": "claude-opus-5-5", "messages": messages}
    gateway().post(URL, json=body)
    betas = seen[0].headers["anthropic-beta"].split(",")
    assert betas == ["files-api-2025-04-14", "thinking-binding-controls-2026-08-01"]
