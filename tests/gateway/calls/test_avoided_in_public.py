"""Refusals as they were reported in public: asked for once more without, or with."""

import json
from typing import Any

import httpx
import pytest

URL = "/v1/chat/completions"
CLAUDE = "claude-opus-4-6"
TEXT = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "content": [{"type": "text", "text": "ok"}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 3, "output_tokens": 4},
}
COMPUTER = {"type": "computer_20251124", "name": "computer"}

# --- betas ---

BETA_REFUSALS = [
    # https://github.com/QuantumNous/new-api/issues/2975
    "Unexpected value(s) `{}`, `structured-outputs-2025-12-15` for the "
    "`anthropic-beta` header. Please consult our documentation at docs.anthropic.com "
    "or try again without the header.",
    # https://github.com/anthropics/claude-code/issues/53855, and
    # https://github.com/anthropics/claude-code/issues/13770
    "Unexpected value(s) `{}` for the `anthropic-beta` header. Please consult our "
    "documentation at docs.anthropic.com or try again without the header.",
    # https://github.com/anthropics/claude-code/issues/21767 (without back-ticks)
    "Unexpected value(s) {} for the anthropic-beta header. Please consult our "
    "documentation at docs.anthropic.com or try again without the header.",
    # https://github.com/quarkiverse/quarkus-langchain4j/issues/2132
    "invalid beta flag",
    # The same, as gateways in between pass it on:
    # https://github.com/zed-industries/zed/issues/42715
    json.dumps(
        {
            "type": "error",
            "error": {
                "type": "invalid_request_error",
                "message": "Unexpected value(s) `{}` for the `anthropic-beta` header.",
            },
        }
    ).replace("{}", "@@"),
]


@pytest.mark.parametrize("message", BETA_REFUSALS)
def test_a_beta_that_a_host_does_not_know(provider, upstream, gateway, chat, message):
    provider("claude", provider_type="anthropic", models=(CLAUDE,))
    beta = "computer-use-2025-11-24"
    text = message.replace("{}", beta).replace("@@", beta)

    def respond(request: httpx.Request) -> httpx.Response:
        if "anthropic-beta" in request.headers:
            error = {"type": "invalid_request_error", "message": text}
            return httpx.Response(400, json={"type": "error", "error": error})
        return httpx.Response(200, json=TEXT)

    seen = upstream(respond)
    client = gateway()
    for _ in range(2):
        body = {**chat, "model": CLAUDE, "tools": [COMPUTER]}
        assert client.post(URL, json=body).status_code == 200
    assert len(seen) == 3


UNKNOWN_TAG = (
    "tools.0: Input tag '{}' found using 'type' does not match any of the expected "
    "tags: 'bash_20250124', 'custom', 'text_editor_20250124', 'text_editor_20250728'"
)


@pytest.mark.parametrize(
    ("type", "beta"),
    [
        # https://github.com/anthropics/anthropic-sdk-go/issues/235
        ("web_fetch_20250910", "web-fetch-2025-09-10"),
        # https://github.com/ax-llm/ax/pull/457
        ("web_search_20250305", "web-search-2025-03-05"),
        # https://github.com/vercel/ai/issues/16245
        ("tool_search_tool_regex_20251119", "advanced-tool-use-2025-11-20"),
        ("tool_search_tool_bm25_20251119", "advanced-tool-use-2025-11-20"),
        ("tool_search_tool_regex", "advanced-tool-use-2025-11-20"),
        ("tool_search_tool_bm25", "advanced-tool-use-2025-11-20"),
        ("code_execution_20250825", "code-execution-2025-08-25"),
        ("memory_20250818", "context-management-2025-06-27"),
    ],
)
def test_a_tool_that_a_host_knows_by_its_beta_alone(
    provider, upstream, gateway, chat, type, beta
):
    provider("claude", provider_type="anthropic", models=(CLAUDE,))

    def respond(request: httpx.Request) -> httpx.Response:
        if request.headers.get("anthropic-beta") == beta:
            return httpx.Response(200, json=TEXT)
        error = {"type": "invalid_request_error", "message": UNKNOWN_TAG.format(type)}
        return httpx.Response(400, json={"type": "error", "error": error})

    seen = upstream(respond)
    client = gateway()
    for _ in range(2):
        body = {**chat, "model": CLAUDE, "tools": [{"type": type, "name": "t"}]}
        assert client.post(URL, json=body).status_code == 200
    assert len(seen) == 3


# --- cache marks ---

SHORT = {"type": "ephemeral"}
LONG = {"type": "ephemeral", "ttl": "1h"}
NOT_CACHED = (
    "You invoked an unsupported model or your request did not allow prompt caching. "
    "See the documentation for more information."
)


def cached(chat: dict, model: str, mark: dict) -> dict:
    text = {"type": "text", "text": "hi", "cache_control": mark}
    return {**chat, "model": model, "messages": [{"role": "user", "content": [text]}]}


def marks_of(body: Any) -> list[Any]:
    """Return the marks in a body, in either form."""
    found = []
    if isinstance(body, dict):
        found = [body[name] for name in ("cache_control", "cachePoint") if name in body]
        return found + [mark for value in body.values() for mark in marks_of(value)]
    if isinstance(body, list):
        return [mark for value in body for mark in marks_of(value)]
    return found


@pytest.mark.parametrize(
    ("model", "api", "mark", "status", "message", "left"),
    [
        # https://github.com/BerriAI/litellm/issues/15880
        (
            "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "invoke",
            LONG,
            400,
            "tools.20.custom.cache_control.ephemeral.ttl: Extra inputs are not "
            "permitted",
            [SHORT],
        ),
        # https://github.com/pydantic/pydantic-ai/issues/3615
        (
            "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "invoke",
            {**SHORT, "ttl": "5m"},
            400,
            "messages.0.content.0.text.cache_control.ephemeral.ttl: Extra inputs are "
            "not permitted",
            [SHORT],
        ),
        # https://github.com/BerriAI/litellm/issues/34248
        (
            "us.anthropic.claude-haiku-4-5-20251001-v1:0",
            "converse",
            LONG,
            400,
            "messages.0.content.0.text.cache_control.ephemeral.ttl: Extra inputs are "
            "not permitted",
            [{"type": "default"}],
        ),
        # https://github.com/cg-dot/vertexai-cf-workers/pull/21
        (
            "us.anthropic.claude-sonnet-4-20250514-v1:0",
            "invoke",
            SHORT,
            400,
            "*.cache_control: Extra inputs are not permitted",
            [],
        ),
        # https://github.com/strands-agents/harness-sdk/pull/1807 (403), and
        # https://github.com/zeroclaw-labs/zeroclaw/pull/7315 (400)
        ("us.amazon.nova-pro-v1:0", "converse", SHORT, 403, NOT_CACHED, []),
        ("us.amazon.nova-pro-v1:0", "converse", SHORT, 400, NOT_CACHED, []),
        ("us.amazon.nova-pro-v1:0", "invoke", SHORT, 403, NOT_CACHED, []),
        (
            "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "converse",
            SHORT,
            403,
            NOT_CACHED,
            [],
        ),
    ],
)
def test_a_mark_that_a_host_does_not_take(
    provider, upstream, gateway, chat, model, api, mark, status, message, left
):
    provider(
        "aws",
        provider_type="bedrock",
        region="us-east-1",
        models=(model,),
        options={"bedrock_api": api},
    )
    said = {
        **TEXT,
        "output": {"message": {"role": "assistant", "content": [{"text": "ok"}]}},
        "stopReason": "end_turn",
    }

    def respond(request: httpx.Request) -> httpx.Response:
        if marks_of(json.loads(request.content)) == left:
            return httpx.Response(200, json=said)
        return httpx.Response(status, json={"message": message})

    seen = upstream(respond)
    client = gateway()
    for _ in range(2):
        answer = client.post(URL, json=cached(chat, model, mark))
        assert answer.status_code == 200
    assert len(seen) == 3


@pytest.mark.parametrize(
    "model",
    [
        # https://github.com/BerriAI/litellm/pull/39210
        "nvidia.nemotron-super-3-120b",
        # https://github.com/zeroclaw-labs/zeroclaw/pull/7315
        "qwen.qwen3-coder-next",
        # https://github.com/pensarai/apex/pull/943
        "us.deepseek.r1-v1:0",
        "anthropic.claude-3-5-sonnet-20240620-v1:0",
        "anthropic.claude-3-sonnet-20240229-v1:0",
        "anthropic.claude-3-haiku-20240307-v1:0",
        "us.meta.llama3-3-70b-instruct-v1:0",
        "mistral.mistral-large-2407-v1:0",
    ],
)
@pytest.mark.parametrize("api", ["auto", "converse"])
def test_no_mark_goes_to_a_model_without_a_cache(
    provider, upstream, gateway, chat, model, api
):
    provider(
        "aws",
        provider_type="bedrock",
        region="us-east-1",
        models=(model,),
        options={"bedrock_api": api},
    )
    seen = upstream(json={"message": "no"}, status=400)
    gateway().post(URL, json=cached(chat, model, SHORT))
    assert [marks_of(json.loads(request.content)) for request in seen] == [[]]
