"""What upstreams refuse of what coding agents always send is left out, and remembered.

The refusals are those of real servers.
"""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

URL = "/v1/messages"
TOOL = {"name": "Read", "input_schema": {"type": "object", "properties": {}}}
SCHEMA = {
    "type": "object",
    "properties": {"n": {"type": "integer"}},
    "required": ["n"],
    "additionalProperties": False,
}
ASKED = {
    "model": "gpt-4o-mini",
    "max_tokens": 64000,
    "messages": [{"role": "user", "content": "hi"}],
}
MID = [
    {"role": "user", "content": "hi"},
    {"role": "assistant", "content": "yes"},
    {"role": "user", "content": "go"},
    {"role": "system", "content": "Be brief."},
]
TOO_LARGE = (
    "max_tokens is too large: 64000. This model supports at most 16384 completion "
    "tokens, whereas you provided 64000."
)

# What is asked besides, the refusal, whether a body is refused, what is sent then.
Refused = Callable[[dict[str, Any]], bool]
CASES: dict[str, tuple[dict[str, Any], str, Refused, dict[str, Any]]] = {
    "limit of OpenAI": (
        {},
        TOO_LARGE,
        lambda body: body["max_tokens"] > 16384,
        {"max_tokens": 16384},
    ),
    "limit of a compatible server": (
        {},
        "integer above maximum value, expected a value <= 12288 for max_tokens",
        lambda body: body["max_tokens"] > 12288,
        {"max_tokens": 12288},
    ),
    "limit of DeepSeek": (
        {},
        "Invalid max_tokens value, the valid range of max_tokens is [1, 8192]",
        lambda body: body["max_tokens"] > 8192,
        {"max_tokens": 8192},
    ),
    "limit of Groq": (
        {},
        "`max_tokens` must be less than or equal to `32768`, the maximum value for "
        "`max_tokens` is less than the `context_window` for this model",
        lambda body: body["max_tokens"] > 32768,
        {"max_tokens": 32768},
    ),
    "name of the limit": (
        {},
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
        "'max_completion_tokens' instead.",
        lambda body: "max_tokens" in body,
        {"max_completion_tokens": 64000, "max_tokens": None},
    ),
    "effort": (
        {"output_config": {"effort": "high"}, "model": "m"},
        "Unrecognized request argument supplied: reasoning_effort",
        lambda body: "reasoning_effort" in body,
        {"reasoning_effort": None},
    ),
    "level of effort": (
        {"output_config": {"effort": "max"}, "model": "m"},
        "Unsupported value: 'reasoning_effort' does not support 'max' with this "
        "model. Supported values are: 'low', 'medium', and 'high'.",
        lambda body: body.get("reasoning_effort") == "max",
        {"reasoning_effort": "high"},
    ),
    "effort beside tools": (
        {"tools": [TOOL], "output_config": {"effort": "high"}, "model": "m"},
        "Function tools with reasoning_effort are not supported for gpt-5.5 in "
        "/v1/chat/completions. Please use /v1/responses instead.",
        lambda body: body.get("reasoning_effort") != "none",
        {"reasoning_effort": "none"},
    ),
    "temperature": (
        {"temperature": 0.2},
        "Unsupported value: 'temperature' does not support 0.2 with this model. Only "
        "the default (1) value is supported.",
        lambda body: "temperature" in body,
        {"temperature": None},
    ),
    "instructions amid": (
        {"messages": MID},
        "System messages are not allowed in the middle of a conversation",
        lambda body: body["messages"][-1]["role"] == "system",
        {
            "messages": [
                *MID[:3],
                {
                    "role": "user",
                    "content": "<system-reminder>\nBe brief.\n</system-reminder>",
                },
            ]
        },
    ),
    "parallel calls": (
        {
            "tools": [TOOL],
            "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
        },
        "Unknown parameter: 'parallel_tool_calls'.",
        lambda body: "parallel_tool_calls" in body,
        {"parallel_tool_calls": None},
    ),
}


def refusing(
    message: str, is_refused: Refused, answer: dict[str, Any]
) -> Callable[[httpx.Request], httpx.Response]:
    def respond(request: httpx.Request) -> httpx.Response:
        if is_refused(json.loads(request.content)):
            error = {"message": message, "type": "invalid_request_error"}
            return httpx.Response(400, json={"error": error})
        return httpx.Response(200, json=answer)

    return respond


@pytest.mark.parametrize("name", CASES)
def test_a_refusal_is_learnt_once(
    provider, upstream, gateway, completion, ledger, name
):
    changes, message, is_refused, expected = CASES[name]
    provider(models=("gpt-4o-mini", "m"))
    seen = upstream(refusing(message, is_refused, completion))
    client = gateway()
    for _ in range(2):
        answer = client.post(URL, json=ASKED | changes)
        assert answer.status_code == 200, answer.text
    bodies = [json.loads(request.content) for request in seen]
    assert [is_refused(body) for body in bodies] == [True, False, False]
    for body in bodies[1:]:
        assert {field: body.get(field) for field in expected} == expected
    assert [row["outcome"] for row in ledger()] == ["ok", "ok"]


def test_several_refusals_of_one_request_are_learnt(
    provider, upstream, gateway, completion
):
    provider()
    names = ("limit of OpenAI", "temperature", "parallel calls")
    asked = dict(ASKED)
    for name in names:
        asked |= CASES[name][0]

    def respond(request: httpx.Request) -> httpx.Response:
        for name in names:
            _, message, is_refused, _ = CASES[name]
            if is_refused(json.loads(request.content)):
                return httpx.Response(400, json={"error": {"message": message}})
        return httpx.Response(200, json=completion)

    seen = upstream(respond)
    answer = gateway().post(URL, json=asked)
    assert answer.status_code == 200
    assert len(seen) == 4
    assert answer.headers["x-gateway-dropped-params"] == (
        "temperature, tool_choice.disable_parallel_tool_use"
    )
    assert answer.headers["x-gateway-downgraded"] == "max_tokens"


def test_a_format_that_is_not_known_is_asked_for_in_words(
    provider, upstream, gateway, completion
):
    provider()
    message = "response_format: Extra inputs are not permitted"
    seen = upstream(
        refusing(message, lambda body: "response_format" in body, completion)
    )
    config = {"format": {"type": "json_schema", "schema": SCHEMA}}
    answer = gateway().post(URL, json=ASKED | {"output_config": config})
    assert answer.status_code == 200
    assert answer.headers["x-gateway-downgraded"] == "output_config.format"
    assert '"required":["n"]' in json.loads(seen[1].content)["messages"][0]["content"]


def test_a_prompt_that_is_too_long_is_not_asked_again(
    provider, upstream, gateway, completion
):
    provider()
    message = (
        "'max_tokens' is too large: 64000. This model's maximum context length is "
        "32768 tokens and your request has 40000 input tokens"
    )
    seen = upstream(refusing(message, lambda body: True, completion))
    answer = gateway().post(URL, json=ASKED)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == (
        "prompt is too long: 40000 tokens > 32768 maximum"
    )
    assert len(seen) == 1


def test_the_other_door_learns_nothing_of_it(
    provider, upstream, gateway, completion, chat
):
    provider()
    seen = upstream(
        refusing(TOO_LARGE, lambda body: body["max_tokens"] > 16384, completion)
    )
    answer = gateway().post("/v1/chat/completions", json={**chat, "max_tokens": 64000})
    assert answer.status_code == 400
    assert len(seen) == 1


@pytest.mark.parametrize(
    "said",
    [
        "system message must be at the beginning",
        {
            "code": 500,
            "message": "\n------------\nWhile executing CallExpression at line 85, "
            "column 32 in source:\n...first %}\u21b5            {{- raise_exception("
            "'System message must be at the beginnin...\n\nError: Jinja Exception: "
            "System message must be at the beginning.",
            "type": "server_error",
        },
    ],
)
def test_ollama_refuses_with_a_status_of_failures(provider, upstream, gateway, said):
    """https://github.com/ollama/ollama/issues/17754, .../18241"""
    provider(provider_type="ollama")
    told = {"role": "assistant", "content": "hello"}
    good = {"model": "m", "message": told, "done": True, "done_reason": "stop"}

    def respond(request: httpx.Request) -> httpx.Response:
        roles = [each["role"] for each in json.loads(request.content)["messages"]]
        if "system" in roles[1:]:
            return httpx.Response(500, json={"error": said})
        return httpx.Response(200, json=good)

    seen = upstream(respond)
    client = gateway()
    for _ in range(2):
        answer = client.post(URL, json={**ASKED, "messages": MID})
        assert answer.status_code == 200, answer.text
    assert len(seen) == 3


@pytest.mark.parametrize(
    "said",
    [
        "This model doesn't support the messages.content.searchResult field. Remove "
        "messages.content.searchResult and try again.",
        "The model returned the following errors: Citations are not supported for "
        "this model.",
        "Search result blocks are not supported by this model.",
    ],
)
def test_sources_that_a_model_does_not_know_are_told_in_words(
    provider, upstream, gateway, said
):
    model = "us.amazon.nova-pro-v1:0"
    provider("aws", provider_type="bedrock", region="us-east-1", models=(model,))
    content = [{"text": "It rains."}]
    answer = {
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": "end_turn",
        "usage": {"inputTokens": 3, "outputTokens": 4, "totalTokens": 7},
    }

    def respond(request: httpx.Request) -> httpx.Response:
        if b"searchResult" in request.content:
            return httpx.Response(400, json={"message": said})
        return httpx.Response(200, json=answer)

    seen = upstream(respond)
    found = {
        "type": "search_result",
        "source": "https://example.org",
        "title": "Rain",
        "content": [{"type": "text", "text": "It rains."}],
        "citations": {"enabled": True},
    }
    asked = {**ASKED, "model": model, "max_tokens": 100}
    asked["messages"] = [{"role": "user", "content": [found]}]
    client = gateway()
    for _ in range(2):
        told = client.post(URL, json=asked)
        assert told.status_code == 200, told.text
        assert told.headers["x-gateway-downgraded"] == "messages"
    assert [b"<search_result" in each.content for each in seen] == [False, True, True]
