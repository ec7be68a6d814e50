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


# --- pauses ---

SEARCH = {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {}}
FOUND = {"type": "web_search_tool_result", "tool_use_id": "s1", "content": []}


def searching(*parts: tuple[str, list[dict]]) -> Callable[..., httpx.Response]:
    """An upstream that answers in parts: stop reason and content of each."""
    left = list(parts)

    def respond(request: httpx.Request) -> httpx.Response:
        reason, content = left.pop(0) if len(left) > 1 else left[0]
        part = {**ANSWER, "stop_reason": reason, "content": content}
        return httpx.Response(200, json=part)

    return respond


def text(said: str) -> dict:
    return {"type": "text", "text": said}


@pytest.fixture
def search(provider, chat):
    provider(
        "claude",
        provider_type="anthropic",
        models=(MODEL,),
        options={"server_web_search": True},
    )
    return {**chat, "model": MODEL, "web_search_options": {}}


def test_a_search_that_pauses_is_asked_to_go_on(upstream, gateway, search, ledger):
    seen = upstream(
        searching(
            ("pause_turn", [text("Let me see. "), SEARCH]),
            ("pause_turn", [FOUND]),
            ("end_turn", [text("It rains.")]),
        )
    )
    answer = gateway().post(URL, json=search).json()
    choice = answer["choices"][0]
    assert choice["message"]["content"] == "Let me see. It rains."
    assert choice["finish_reason"] == "stop"
    assert choice["native_finish_reason"] == "end_turn"
    usage = answer["usage"]
    assert (usage["prompt_tokens"], usage["completion_tokens"]) == (9, 12)
    turns = [json.loads(request.content)["messages"] for request in seen]
    assert [len(turn) for turn in turns] == [1, 2, 2]
    assert turns[2][-1] == {
        "role": "assistant",
        "content": [text("Let me see. "), SEARCH, FOUND],
    }
    (row,) = ledger()
    assert row["output_tokens"] == 12


def test_a_search_that_never_ends_is_given_up_after_three_more_requests(
    upstream, gateway, search
):
    seen = upstream(searching(("pause_turn", [text("Hm. ")])))
    choice = gateway().post(URL, json=search).json()["choices"][0]
    assert len(seen) == 4
    assert choice["message"]["content"] == "Hm. Hm. Hm. Hm. "
    assert choice["native_finish_reason"] == "pause_turn"


def test_a_pause_of_the_clients_own_tool_is_the_clients(
    claude, upstream, gateway, chat
):
    seen = upstream(searching(("pause_turn", [text("Hm.")])))
    tools = [{"type": "web_search_20250305", "name": "web_search"}]
    answer = gateway().post(URL, json={**chat, "model": MODEL, "tools": tools})
    assert len(seen) == 1
    assert answer.json()["choices"][0]["native_finish_reason"] == "pause_turn"
