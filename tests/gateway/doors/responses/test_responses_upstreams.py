"""The door in front of upstreams of other formats: what they are asked, who answers."""

import json

import pytest

from gateway.calls.passages import between
from gateway.doors import responses
from gateway.doors.protocol import NOTHING_SENT, Sent
from gateway.doors.responses import reasoning
from gateway.errors import GatewayError
from gateway.hub.protocol import Route
from gateway.translators import TRANSLATORS
from tests.gateway.doors.responses.conftest import URL

CODEX = {"originator": "codex_exec"}
FUNCTION = {"type": "function", "name": "f", "parameters": {"type": "object"}}


def user(text):
    return {"role": "user", "content": text}


def rendered(body, kind, base_model, **route):
    """What a translator makes of a request at this door."""
    asked = responses.parse_request({"model": "m", "input": "hi", **body}, NOTHING_SENT)
    passage = between(responses, TRANSLATORS[kind])
    to = Route("m", base_model, base_model, completion_id="chatcmpl-1", **route)
    return passage.prepare(asked, to).render({})


def error_of(body, kind, base_model):
    with pytest.raises(GatewayError) as refused:
        rendered(body, kind, base_model)
    return refused.value


def test_a_summary_makes_thinking_readable_and_asks_for_none():
    asked = {"reasoning": {"summary": "auto"}}
    body = rendered(asked, "anthropic", "claude-sonnet-5").body
    assert body["thinking"] == {"type": "adaptive", "display": "summarized"}
    assert "output_config" not in body
    assert "thinking" not in rendered(asked, "anthropic", "claude-sonnet-4-5").body
    assert "thinking" not in rendered({}, "anthropic", "claude-sonnet-5").body
    assert "reasoning" not in rendered(asked, "openai", "gpt-4o-mini").body


def test_a_file_by_its_url_is_fetched_by_who_can():
    part = {"type": "input_file", "file_url": "https://x.example/a.pdf"}
    asked = {"input": [{"role": "user", "content": [part]}]}
    (block,) = rendered(asked, "anthropic", "claude-sonnet-5").body["messages"][0][
        "content"
    ]
    source = {"type": "url", "url": "https://x.example/a.pdf"}
    assert block == {"type": "document", "source": source}
    for kind, model in (
        ("bedrock", "anthropic.claude-opus-4-6-v1"),
        ("bedrock", "amazon.nova-pro-v1:0"),
        ("ollama", "llama3.2"),
    ):
        assert error_of(asked, kind, model).param == "input[0].content[0]"


def test_effort_beside_a_summary_is_sent():
    asked = {"reasoning": {"effort": "high", "summary": "auto"}}
    body = rendered(asked, "anthropic", "claude-sonnet-5").body
    assert body["output_config"] == {"effort": "high"}
    assert body["thinking"]["display"] == "summarized"
    assert rendered(asked, "openai", "gpt-4o-mini").body["reasoning_effort"] == "high"


def test_a_turn_without_a_limit_has_room_on_bedrock():
    claude = "anthropic.claude-opus-4-6-v1"
    assert rendered({}, "bedrock", claude).body["max_tokens"] == 32_000
    limited = rendered({"max_output_tokens": 100}, "bedrock", claude)
    assert limited.body["max_tokens"] == 100


def test_what_is_lost_has_the_clients_names():
    asked = {"text": {"verbosity": "low"}, "reasoning": {"effort": "none"}, "seed": 1}
    request = rendered(asked, "anthropic", "claude-fable-5")
    assert set(request.dropped) == {"text.verbosity", "seed"}
    assert request.downgraded == ("reasoning.effort",)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"include": ["message.output_text.logprobs"]}, "include"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
        ({"reasoning": {"effort": "huge"}}, "reasoning.effort"),
        ({"moderation": {}}, "moderation"),
        ({"n": 2}, "n"),
        (
            {
                "input": [
                    {"role": "developer", "content": "be nice"},
                    {
                        "role": "user",
                        "content": [
                            {"type": "input_text", "text": "see"},
                            {"type": "input_image", "image_url": "file:///x"},
                        ],
                    },
                ],
                "instructions": "x",
            },
            "input[1].content[1]",
        ),
        (
            {"input": [{"role": "user", "content": [{"type": "input_audio"}]}]},
            "input[0].content[0]",
        ),
        (
            {
                "tools": [
                    {"type": "web_search"},
                    {"type": "function", "name": "f", "parameters": {"type": "array"}},
                ]
            },
            "tools[1].parameters",
        ),
        (
            {
                "tools": [
                    {
                        "type": "namespace",
                        "name": "n",
                        "tools": [
                            {"type": "function", "name": "f", "parameters": []},
                        ],
                    }
                ]
            },
            "tools[0].tools[0].parameters",
        ),
        (
            {
                "text": {
                    "format": {
                        "type": "json_schema",
                        "name": "x",
                        "schema": [],
                    }
                }
            },
            "text.format.schema",
        ),
    ],
)
def test_what_a_target_refuses_is_named_as_the_client_wrote_it(body, param):
    error = error_of(body, "anthropic", "claude-sonnet-5")
    assert error.param == param, error.message
    assert "messages[" not in error.message


def test_an_upstreams_refusal_names_the_clients_field(
    provider, upstream, gateway, asked
):
    provider()
    wrong = {
        "message": "Invalid 'messages[1].content[0]': no.",
        "type": "invalid_request_error",
        "param": "messages[1].content[0]",
        "code": "invalid_value",
    }
    upstream(json={"error": wrong}, status=400)
    part = {"type": "input_text", "text": "hi", "prompt_cache_breakpoint": {"a": 1}}
    body = {
        **asked,
        "instructions": "x",
        "input": [{"role": "user", "content": [part]}],
    }
    error = gateway().post(URL, json=body).json()["error"]
    assert error["param"] == "input[0].content[0]"


@pytest.mark.parametrize(
    ("status", "headers", "codex"),
    [
        (400, {}, 400),
        (403, {}, 400),
        (413, {}, 400),
        (422, {}, 400),
        (404, {}, 404),
        (429, {}, 429),
        (429, {"x-should-retry": "false"}, 429),
        (503, {}, 503),
        (502, {"x-should-retry": "false"}, 400),
    ],
)
def test_codex_is_told_finally_what_will_not_change(status, headers, codex):
    error = GatewayError(status, "x", "No.", headers=headers)
    agent = Sent({"user-agent": ["codex_cli_rs/0.171.0 (Debian)"]})
    assert responses.status_of(error, agent) == codex
    assert responses.status_of(error, NOTHING_SENT) == status


def test_a_wrong_upstream_key_costs_codex_one_request(
    provider, upstream, gateway, asked
):
    provider()
    upstream(json={"error": {"message": "bad key"}}, status=401)
    answer = gateway(headers=CODEX).post(URL, json=asked)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "upstream_auth_error"
    assert gateway().post(URL, json=asked).status_code == 502


def test_thinking_with_a_tool_comes_back_as_it_was(provider, upstream, gateway):
    provider("claude", provider_type="anthropic", models=["claude-sonnet-5"])
    thought = {"type": "thinking", "thinking": "hm", "signature": "c2ln"}
    called = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}
    usage = {"input_tokens": 1, "output_tokens": 2}
    answer = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-5",
        "content": [thought, called],
        "stop_reason": "tool_use",
        "usage": usage,
    }
    seen = upstream(json=answer)
    question = user("go")
    body = {"model": "claude-sonnet-5", "input": [question], "tools": [FUNCTION]}
    output = gateway().post(URL, json=body).json()["output"]
    assert [item["type"] for item in output] == ["reasoning", "function_call"]
    result = {"type": "function_call_output", "call_id": "toolu_1", "output": "ok"}
    body["input"] = [question, *output, result]
    gateway().post(URL, json=body)
    sent = json.loads(seen[1].content)["messages"]
    assert sent[1] == {"role": "assistant", "content": [thought, called]}


def test_plain_reasoning_comes_back_to_who_thought_it_and_not_to_others():
    plain = {"role": "assistant", "content": "yes", "reasoning_content": "hm"}
    asked = responses.parse_request({"model": "m", "input": "hi"}, NOTHING_SENT)
    responses.hub_request(asked, Route("m", "m", completion_id="chatcmpl-1"))
    choice = {"index": 0, "message": plain, "finish_reason": "stop"}
    output = responses.render_response({"choices": [choice]}, asked)["output"]
    said = [user("hi"), *output, user("ok")]
    again = {"input": said}
    sent = rendered(again, "openai", "deepseek-chat").body["messages"]
    assert sent[1]["reasoning_content"] == "hm"
    assert "hm" not in json.dumps(rendered(again, "anthropic", "claude-sonnet-5").body)


@pytest.mark.parametrize(
    "damage", [lambda b: b[:-1], lambda b: b[:10] + b[11:], lambda b: "x" + b]
)
def test_sealed_reasoning_that_was_cut_is_left_out_with_a_word(damage):
    blob = damage(reasoning.blob_of_text("hm"))
    item = {"type": "reasoning", "encrypted_content": blob}
    said = {"role": "assistant", "content": "yes"}
    body = {"input": [user("hi"), item, said, user("ok")]}
    request = rendered(body, "openai", "x")
    assert request.downgraded == ("reasoning",)
    assert request.body["messages"][1] == said


def test_sealed_reasoning_that_inflates_beyond_all_measure_is_foreign():
    assert reasoning.unpacked(reasoning.blob_of_text("x" * 900_000)) is not None
    assert reasoning.unpacked(reasoning.blob_of_text("x" * 2_000_000)) is None
