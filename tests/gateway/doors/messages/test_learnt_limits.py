"""Limits below what coding agents ask for, in the words that were reported in public.

Each report stands beside its words. The answer is asked for once more with the limit
that is told, and from then on with that.
"""

import json
from typing import Any

import httpx
import pytest

URL = "/v1/messages"
ASKED = 64_000
REPORTS = [
    (
        "Gitlawb/openclaude/issues/58",
        "max_tokens is too large: 32000. This model supports at most 16384 completion "
        "tokens, whereas you provided 32000.",
        16384,
    ),
    (
        "ChatGPTNextWeb/NextChat/issues/3195",
        "max_tokens is too large: 8192. This model supports at most 4096 completion "
        "tokens, whereas you provided 8192.",
        4096,
    ),
    (
        "Gitlawb/openclaude/issues/35",
        "Invalid max_tokens value, the valid range of max_tokens is [1, 8192]",
        8192,
    ),
    (
        "Aider-AI/aider/pull/4125",
        "Invalid max_tokens value, the valid range of max_tokens is [1, 63999]",
        63999,
    ),
    (
        "musistudio/claude-code-router/issues/184",
        "<400> InternalError.Algo.InvalidParameter: Range of max_tokens should be "
        "[1, 8192]",
        8192,
    ),
    (
        "anomalyco/opencode/issues/40770",
        "Range of max_tokens should be [1, 32768]",
        32768,
    ),
    (
        "Gitlawb/openclaude/issues/331",
        "The parameter `max_completion_tokens` specified in the request are not valid: "
        "integer above maximum value, expected a value <= 12288, but got 32000 "
        "instead. Request id: 0217752964393142fa50af54af66c5",
        12288,
    ),
    (
        "cline/cline/issues/8337",
        "max_tokens (current value: 65536) must be between 0 and 32768 ",
        32768,
    ),
    (
        "skapadia3214/groq-moa/issues/8",
        "max_tokens for `llama-3.1-8b-instant` must be less than or equal to 8000",
        8000,
    ),
    (
        "anthropics/claude-code/issues/24451",
        "max_tokens: 128001 > 60000, which is the maximum allowed number of output "
        "tokens for claude-opus-4-5-20251101",
        60000,
    ),
]
BY_BEDROCK = [
    (
        "aws-samples/bedrock-access-gateway/issues/41",
        "The maximum tokens you requested exceeds the model limit of 2048. Try again "
        "with a maximum tokens value that is lower than 2048.",
        2048,
    ),
    (
        "langchain-ai/langchain/issues/9697 (the words)",
        "Malformed input request: #/max_gen_len: 8192 is not less or equal to 2048, "
        "please reformat your input and try again.",
        2048,
    ),
]


def limits(body: Any) -> list[int]:
    """Return the limits in a body, whatever its format."""
    told = {**body, **body.get("inferenceConfig", {})}
    names = ("max_tokens", "max_completion_tokens", "max_gen_len", "maxTokens")
    return [told[name] for name in names if name in told]


def ask(client: Any, model: str) -> httpx.Response:
    message = {"role": "user", "content": "hi"}
    body = {"model": model, "max_tokens": ASKED, "messages": [message]}
    return client.post(URL, json=body)


@pytest.mark.parametrize(("report", "said", "most"), REPORTS)
def test_a_limit_is_learnt_in_these_words(
    provider, upstream, gateway, completion, report, said, most
):
    provider(models=("m",))

    def respond(request: httpx.Request) -> httpx.Response:
        if limits(json.loads(request.content))[0] > most:
            return httpx.Response(400, json={"error": {"message": said}})
        return httpx.Response(200, json=completion)

    seen = upstream(respond)
    client = gateway()
    assert [ask(client, "m").status_code for _ in range(2)] == [200, 200]
    sent = [limits(json.loads(request.content)) for request in seen]
    assert sent == [[ASKED], [most], [most]], report


@pytest.mark.parametrize("api", ["invoke", "converse"])
@pytest.mark.parametrize(("report", "said", "most"), BY_BEDROCK)
def test_a_limit_on_bedrock_is_learnt_too(
    provider, upstream, gateway, report, said, most, api
):
    model = "us.meta.llama3-1-70b-instruct-v1:0"
    options = {"bedrock_api": api}
    aws = {"provider_type": "bedrock", "region": "us-east-1", "options": options}
    provider("aws", models=(model,), **aws)
    text = {"output": {"message": {"role": "assistant", "content": [{"text": "ok"}]}}}
    answer = {**text, "stopReason": "end_turn", "generation": "ok"}

    def respond(request: httpx.Request) -> httpx.Response:
        if limits(json.loads(request.content))[0] > most:
            return httpx.Response(400, json={"message": said})
        return httpx.Response(200, json=answer)

    seen = upstream(respond)
    client = gateway()
    assert [ask(client, model).status_code for _ in range(2)] == [200, 200]
    sent = [limits(json.loads(request.content)) for request in seen]
    assert sent == [[8192], [most], [most]], report
