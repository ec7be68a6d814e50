"""What an upstream refuses by name is asked for once more without it."""

import json
from collections.abc import Callable
from types import SimpleNamespace

import httpx
import pytest

from gateway.calls.attempts import avoidance
from gateway.doors.protocol import Asked
from gateway.errors import GatewayError
from gateway.hub.requests.schemas.grammar import GRAMMAR

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
    schema = {"type": "object", "properties": {"m": {"type": "string"}}}
    other = {"type": "json_schema", "json_schema": {"name": "m", "schema": schema}}
    for body in (structured, structured, {**structured, "response_format": other}):
        assert client.post(URL, json=body).status_code == 200
    assert fields_of(seen, "output_config") == [True, False, False, True, False]


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


def _answering_without(
    is_sent: Callable[[dict], bool], status: int, message: str, answer: dict
) -> Callable[[httpx.Request], httpx.Response]:
    def respond(request: httpx.Request) -> httpx.Response:
        if is_sent(json.loads(request.content)):
            return httpx.Response(status, json={"error": {"message": message}})
        return httpx.Response(200, json=answer)

    return respond


@pytest.mark.parametrize(
    ("model", "message", "asked", "sent"),
    [
        (
            "qwen3:8b",
            'think value "low" is not supported for this model',
            "low",
            ["low", True, True],
        ),
        (
            "gpt-oss:20b",
            'invalid think value: "max" (must be "high", "medium", "low", true, or '
            "false)",
            "max",
            ["max", "high", "high"],
        ),
        (
            "llama3.1:8b",
            '"llama3.1:8b" does not support thinking',
            "high",
            ["high", None, None],
        ),
    ],
)
def test_a_refused_level_of_thinking_is_asked_for_as_the_model_takes_it(
    provider, upstream, gateway, chat, model, message, asked, sent
):
    provider("llama", provider_type="ollama", models=(model,))
    answer = {"message": {"role": "assistant", "content": "hi"}, "done": True}
    answer["done_reason"] = "stop"
    refused = _answering_without(
        lambda body: body.get("think") == sent[0], 400, message, answer
    )
    seen = upstream(refused)
    client = gateway()
    for _ in range(2):
        told = client.post(
            URL, json={**chat, "model": model, "reasoning_effort": asked}
        )
        assert told.status_code == 200
        kind = "dropped-params" if sent[1] is None else "downgraded"
        assert told.headers[f"x-gateway-{kind}"] == "reasoning_effort"
    bodies = [json.loads(request.content) for request in seen]
    assert [body.get("think") for body in bodies] == sent


@pytest.mark.parametrize("status", [400, 422])
def test_reasoning_that_a_server_refuses_is_not_sent_back_to_it(
    provider, upstream, gateway, chat, status
):
    provider()
    answer = {
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "hi"},
                "finish_reason": "stop",
            }
        ]
    }
    message = (
        "body.messages.1.assistant.reasoning_content: Extra inputs are not permitted"
    )
    earlier = {"role": "assistant", "content": "Yes.", "reasoning_content": "Hm."}
    body = {**chat, "messages": [*chat["messages"], earlier, *chat["messages"]]}
    seen = upstream(
        _answering_without(
            lambda sent: "reasoning_content" in str(sent), status, message, answer
        )
    )
    client = gateway()
    for _ in range(2):
        told = client.post(URL, json=body)
        assert (told.status_code, told.headers["x-gateway-downgraded"]) == (
            200,
            "messages",
        )
    assert ["reasoning_content" in each.content.decode() for each in seen] == [
        True,
        False,
        False,
    ]


def test_reasoning_that_a_server_misses_is_not_left_out(
    provider, upstream, gateway, chat
):
    provider()
    message = "Missing `reasoning_content` field in the assistant message at index 3"
    earlier = {"role": "assistant", "content": "Yes.", "reasoning_content": "Hm."}
    body = {**chat, "messages": [*chat["messages"], earlier, *chat["messages"]]}
    seen = upstream(_answering_without(lambda sent: True, 400, message, {}))
    assert (gateway().post(URL, json=body).status_code, len(seen)) == (400, 1)


CACHED = [
    {"type": "text", "text": "hi", "cache_control": {"type": "ephemeral", "ttl": "1h"}}
]


@pytest.mark.parametrize(
    ("status", "message", "marks"),
    [
        (
            403,
            "You invoked an unsupported model or your request did not allow prompt "
            "caching. See the documentation for more information.",
            [None],
        ),
        (
            400,
            "messages.0.content.0.text.cache_control: Extra inputs are not permitted",
            [None],
        ),
        (
            400,
            "messages.0.content.0.text.cache_control.ephemeral.ttl: Extra inputs are "
            "not permitted",
            [{"type": "ephemeral"}],
        ),
        (422, "cachePoint: unknown field", [None]),
    ],
)
def test_a_prompt_whose_cache_marks_are_refused_is_asked_without(
    provider, upstream, gateway, chat, status, message, marks
):
    provider("claude", provider_type="anthropic", models=(MODEL,))
    answer = {**ANSWER, "content": [{"type": "text", "text": "ok"}]}
    answer["stop_reason"] = "end_turn"
    full = CACHED[0]["cache_control"]

    def mark_of(body: dict) -> dict | None:
        return body["messages"][0]["content"][0].get("cache_control")

    seen = upstream(
        _answering_without(lambda body: mark_of(body) == full, status, message, answer)
    )
    client = gateway()
    body = {**chat, "model": MODEL, "messages": [{"role": "user", "content": CACHED}]}
    for _ in range(2):
        assert client.post(URL, json=body).status_code == 200
    sent = [mark_of(json.loads(request.content)) for request in seen]
    assert sent == [full, *marks, *marks]


def test_another_denial_is_told_at_once(provider, upstream, gateway, chat):
    provider("claude", provider_type="anthropic", models=(MODEL,))
    seen = upstream(_answering_without(lambda body: True, 403, "Not for you.", {}))
    body = {**chat, "model": MODEL, "messages": [{"role": "user", "content": CACHED}]}
    assert (gateway().post(URL, json=body).status_code, len(seen)) == (403, 1)


SAID = {
    "output": {"message": {"role": "assistant", "content": [{"text": "one END two"}]}},
    "stopReason": "end_turn",
    "usage": {"inputTokens": 3, "outputTokens": 4, "totalTokens": 7},
}


def lacking(field: str) -> Callable[[httpx.Request], httpx.Response]:
    """A model on Bedrock that lacks a field, wherever in the body it stands."""
    text = (
        f"This model doesn't support the {field} field. Remove {field} and try again."
    )
    name = field.rpartition(".")[2]

    def respond(request: httpx.Request) -> httpx.Response:
        if f'"{name}"'.encode() in request.content:
            return httpx.Response(400, json={"message": text})
        return httpx.Response(200, json=SAID)

    return respond


@pytest.mark.parametrize(
    ("field", "asked", "told"),
    [
        ("stopSequences", {"stop": ["END"]}, ""),
        ("inferenceConfig.temperature", {"temperature": 0.5}, "dropped-params"),
        ("topP", {"top_p": 0.5}, "dropped-params"),
    ],
)
def test_what_a_model_on_bedrock_lacks_is_emulated_or_dropped(
    provider, upstream, gateway, chat, field, asked, told
):
    model = "writer.palmyra-x5-v1:0"
    provider("aws", provider_type="bedrock", region="us-east-1", models=(model,))
    seen = upstream(lacking(field))
    client = gateway()
    for _ in range(2):
        answer = client.post(URL, json={**chat, "model": model, **asked})
        assert answer.status_code == 200
        content = answer.json()["choices"][0]["message"]["content"]
        assert content == ("one " if "stop" in asked else "one END two")
        if told:
            assert answer.headers[f"x-gateway-{told}"] == next(iter(asked))
    assert len(seen) == 3


def test_a_tool_choice_that_a_model_on_bedrock_lacks_is_weakened(
    provider, upstream, gateway, chat
):
    model = "zai.glm-5"
    options = {"bedrock_api": "converse"}
    provider(
        "aws",
        provider_type="bedrock",
        region="us-east-1",
        models=(model,),
        options=options,
    )
    seen = upstream(lacking("toolConfig.toolChoice.any"))
    tool = {"type": "function", "function": {"name": "f", "parameters": {}}}
    asked = {**chat, "model": model, "tools": [tool], "tool_choice": "required"}
    answer = gateway().post(URL, json=asked)
    assert answer.status_code == 200
    assert answer.headers["x-gateway-downgraded"] == "tool_choice"
    assert len(seen) == 2


TOO_LARGE = (
    "The compiled grammar is too large, which would cause performance issues. Simplify "
    "your tool schemas or reduce the number of strict tools."
)
REFUSED_SCHEMAS = [
    TOO_LARGE,
    f"output_config.format.schema: Invalid schema: {TOO_LARGE}",
    f"The model returned the following errors: {TOO_LARGE}",
    "Schema is too complex for compilation. Try reducing the number of tools or "
    "simplifying tool schemas.",
    "Schema is too complex.",
    "The model returned the following errors: Schema is too complex for compilation.",
    "Grammar compilation timed out.",
    "Schemas contains too many optional parameters (87), which would make grammar "
    "compilation inefficient. Reduce the number of optional parameters in your tool "
    "schemas (limit: 24).",
    "Schemas contains too many parameters with union types (19 parameters with type "
    "arrays or anyOf). This causes exponential compilation cost. Reduce the number of "
    "nullable or union-typed parameters (limit: 16 parameters with unions).",
    "Too many strict tools (22). The maximum number of strict tools supported is 20. "
    "Try reducing the number of tools marked as strict.",
    "tools.0.custom: For 'array' type, property 'maxItems' is not supported",
    "The model returned the following errors: tools.1.custom: For 'array' type, "
    "property 'maxItems' is not supported",
    "output_config.format.schema: For 'integer' type, properties maximum, minimum are "
    "not supported",
    "output_format.schema: For 'object' type, 'additionalProperties' must be "
    "explicitly set to false",
]
REFUSED_STRICT = [
    "tools.0.custom.strict: Extra inputs are not permitted",
    "The model returned the following errors: tools.0.custom.strict: Extra inputs are "
    "not permitted",
    "tools.12.custom.strict: Extra inputs are not permitted",
    "This model doesn't support the toolConfig.tools.toolSpec.strict field. Remove "
    "toolConfig.tools.toolSpec.strict and try again.",
    "Malformed input request: #/tools/0: extraneous key [strict] is not permitted, "
    "please reformat your input and try again.",
]
CLAUDES = {
    "anthropic": MODEL,
    "invoke": "us.anthropic.claude-opus-4-5-20251101-v1:0",
    "converse": "us.anthropic.claude-opus-4-5-20251101-v1:0",
}


@pytest.fixture(params=CLAUDES)
def strict_client(request, provider, gateway):
    """Return a client and the model to ask, on each host of Claude."""
    api = request.param
    if api == "anthropic":
        provider("claude", provider_type=api, models=(CLAUDES[api],))
    else:
        provider(
            "aws",
            provider_type="bedrock",
            region="us-east-1",
            models=(CLAUDES[api],),
            options={"bedrock_api": api},
        )
    return gateway(), CLAUDES[api], SAID if api == "converse" else ANSWER


def strict_tool(name: str) -> dict:
    schema = {"type": "object", "properties": {name: {"type": "string"}}}
    function = {"name": name, "parameters": schema, "strict": True}
    return {"type": "function", "function": function}


def _is_strict(body: dict) -> bool:
    return '"strict"' in json.dumps(body)


def ask_for_tools(strict_client, upstream, chat, message: str) -> list[bool]:
    """Ask twice with one tool, once with another; tell what was sent strict."""
    client, model, answer = strict_client
    seen = upstream(
        _answering_without(
            lambda body: '"strict"' in json.dumps(body), 400, message, answer
        )
    )
    for name in ("f", "f", "g"):
        body = {**chat, "model": model, "tools": [strict_tool(name)]}
        told = client.post(URL, json=body)
        assert (told.status_code, told.headers["x-gateway-downgraded"]) == (
            200,
            "tools",
        )
    return [b'"strict"' in each.content for each in seen]


@pytest.mark.parametrize("message", REFUSED_SCHEMAS)
def test_schemas_that_are_refused_hold_nobody_and_others_are_held(
    strict_client, upstream, chat, message
):
    sent = ask_for_tools(strict_client, upstream, chat, message)
    assert sent == [True, False, False, True, False]


@pytest.mark.parametrize("message", REFUSED_STRICT)
def test_a_model_without_strict_tools_is_asked_without(
    strict_client, upstream, chat, message
):
    sent = ask_for_tools(strict_client, upstream, chat, message)
    assert sent == [True, False, False, False]


def known(target, body):
    return avoidance.known(target, Asked("m", False, body))


def test_schemas_without_end_are_not_all_remembered():
    provider = SimpleNamespace(avoided={"m": frozenset({"strict"})}, refused_schemas={})
    target = SimpleNamespace(provider=provider, upstream_id="m")
    error = GatewayError(400, "invalid_request_error", TOO_LARGE)
    for number in range(1000):
        body = {"tools": [strict_tool(f"f{number}")]}
        avoidance.remember(target, GRAMMAR, error, body)
        assert known(target, body) == {"grammar", "strict"}
    assert known(target, {"tools": []}) == {"strict"}
    assert len(provider.refused_schemas["m"]) <= 256


def test_schemas_are_told_apart_only_where_some_were_refused(monkeypatch):
    counted = []
    digest = avoidance._digest
    monkeypatch.setattr(
        avoidance, "_digest", lambda body: counted.append(body) or digest(body)
    )
    provider = SimpleNamespace(avoided={}, refused_schemas={})
    target = SimpleNamespace(provider=provider, upstream_id="m")
    body = {"tools": [strict_tool("f")]}
    assert known(target, body) == set()
    error = GatewayError(400, "invalid_request_error", TOO_LARGE)
    avoidance.remember(target, GRAMMAR, error, body)
    counted.clear()
    assert known(target, body) == {"grammar"}
    assert len(counted) == 1
    assert known(target, {"messages": []}) == set()
    other = SimpleNamespace(provider=provider, upstream_id="n")
    assert known(other, body) == set()
    assert len(counted) == 1


# --- betas and tiers ---

COMPUTER = {
    "type": "computer_20251124",
    "name": "computer",
    "display_width_px": 1024,
    "display_height_px": 768,
}
TEXT = {
    **ANSWER,
    "content": [{"type": "text", "text": "ok"}],
    "stop_reason": "end_turn",
}
UNEXPECTED = (
    "Unexpected value(s) `{}` for the `anthropic-beta` header. Please consult our "
    "documentation at docs.anthropic.com or try again without the header."
)


@pytest.mark.parametrize(
    ("message", "left"),
    [
        (UNEXPECTED.format("computer-use-2025-11-24"), "mcp-client-2025-11-20"),
        (UNEXPECTED.format("mcp-client-2025-11-20"), "computer-use-2025-11-24"),
        (
            UNEXPECTED.format("computer-use-2025-11-24`, `mcp-client-2025-11-20"),
            None,
        ),
        ("invalid beta flag", None),
    ],
)
def test_a_refused_beta_is_left_out_and_stays_out(
    claude, upstream, gateway, chat, message, left
):
    both = "computer-use-2025-11-24,mcp-client-2025-11-20"

    def respond(request: httpx.Request) -> httpx.Response:
        if request.headers.get("anthropic-beta") == both:
            return httpx.Response(400, json={"error": {"message": message}})
        return httpx.Response(200, json=TEXT)

    seen = upstream(respond)
    toolset = {"type": "mcp_toolset", "mcp_server_name": "a"}
    body = {**chat, "model": MODEL, "tools": [COMPUTER, toolset]}
    client = gateway()
    for _ in range(2):
        assert client.post(URL, json=body).status_code == 200
    sent = [request.headers.get("anthropic-beta") for request in seen]
    assert sent == [both, left, left]


def test_a_beta_that_we_did_not_send_is_told(claude, upstream, gateway, chat):
    message = UNEXPECTED.format("context-1m-2025-08-07")
    seen = upstream(json={"error": {"message": message}}, status=400)
    body = {**chat, "model": MODEL, "tools": [COMPUTER]}
    assert gateway().post(URL, json=body).status_code == 400
    assert len(seen) == 1


def test_a_refused_beta_in_a_body_is_left_out_too(provider, upstream, gateway, chat):
    model = "us.anthropic.claude-opus-4-6-v1"
    provider("aws", provider_type="bedrock", region="us-east-1", models=(model,))
    seen = upstream(
        refusing("anthropic_beta", "invalid beta flag", httpx.Response(200, json=TEXT))
    )
    search = {"type": "tool_search_tool_regex", "name": "tool_search_tool_regex"}
    body = {**chat, "model": model, "tools": [search]}
    client = gateway()
    for _ in range(2):
        assert client.post(URL, json=body).status_code == 200
    assert fields_of(seen, "anthropic_beta") == [True, False, False]


@pytest.mark.parametrize(
    ("api", "message"),
    [
        ("converse", "The provided service tier is not supported for this model."),
        ("invoke", "Service tier 'flex' is not available in this region."),
    ],
)
def test_a_refused_tier_is_left_out_and_told(
    provider, upstream, gateway, chat, api, message
):
    model = "us.amazon.nova-pro-v1:0"
    provider(
        "aws",
        provider_type="bedrock",
        region="us-east-1",
        models=(model,),
        options={"bedrock_api": api},
    )
    header = "x-amzn-bedrock-service-tier"

    def respond(request: httpx.Request) -> httpx.Response:
        if "serviceTier" in json.loads(request.content) or header in request.headers:
            return httpx.Response(400, json={"message": message})
        return httpx.Response(200, json=SAID)

    seen = upstream(respond)
    client = gateway()
    for _ in range(2):
        body = {**chat, "model": model, "service_tier": "flex"}
        answer = client.post(URL, json=body)
        assert answer.status_code == 200
        assert answer.headers["x-gateway-dropped-params"] == "service_tier"
    assert len(seen) == 3
