"""Numbers beyond what a family on Bedrock takes are moved to its border, and told.

https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html,
https://docs.aws.amazon.com/nova/latest/userguide/complete-request-schema.html,
https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-cohere-command-r-plus.html,
https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-mistral-text-completion.html,
https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-meta.html.

Reported as https://github.com/stdapi-ai/stdapi.ai/issues/224 (a temperature above 1),
https://github.com/vegu-ai/talemate/issues/102 (Mistral's), and
https://github.com/BoltAI/BoltAI/issues/399 (Claude's two).
"""

from collections.abc import Iterator
from typing import Any

import pytest

from gateway.hub.protocol import JSON, Route, UpstreamRequest
from gateway.translators import bedrock

NAMES = {
    "temperature": {"temperature"},
    "top_p": {"topP", "top_p", "p"},
    "top_k": {"topK", "top_k", "k"},
    "max_tokens": {"max_tokens", "max_gen_len", "maxTokenCount"},
    "max_completion_tokens": {"max_tokens"},
    "frequency_penalty": {"frequency_penalty"},
    "presence_penalty": {"presence_penalty"},
}
CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
ASKED = [
    ("us.amazon.nova-micro-v1:0", "converse", "temperature", 1.5, 1),
    ("us.amazon.nova-micro-v1:0", "invoke", "temperature", 1.5, 1),
    ("us.amazon.nova-pro-v1:0", "invoke", "top_k", 500, 128),
    ("us.amazon.nova-pro-v1:0", "converse", "top_k", 500, 128),
    ("us.amazon.nova-2-lite-v1:0", "converse", "top_k", 129, 128),
    ("cohere.command-r-plus-v1:0", "invoke", "top_p", 1, 0.99),
    ("cohere.command-r-v1:0", "converse", "top_p", 1.0, 0.99),
    ("cohere.command-r-v1:0", "invoke", "top_p", 0, 0.01),
    ("cohere.command-r-v1:0", "invoke", "top_k", 501, 500),
    ("cohere.command-r-v1:0", "invoke", "frequency_penalty", -1, None),
    ("cohere.command-r-v1:0", "invoke", "presence_penalty", 2, 1),
    ("cohere.command-r-v1:0", "invoke", "temperature", 1.2, 1),
    ("mistral.mistral-7b-instruct-v0:2", "invoke", "max_tokens", 9000, 8192),
    ("mistral.mixtral-8x7b-instruct-v0:1", "invoke", "max_tokens", 8192, 4096),
    ("mistral.mistral-small-2402-v1:0", "invoke", "top_k", 201, 200),
    ("mistral.mistral-large-2402-v1:0", "invoke", "temperature", 1.31, 1),
    ("mistral.mistral-large-2407-v1:0", "invoke", "max_completion_tokens", 16000, 8192),
    ("mistral.mistral-7b-instruct-v0:2", "invoke", "temperature", 1.5, 1),
    ("us.mistral.pixtral-large-2502-v1:0", "invoke", "temperature", 2, 1),
    ("meta.llama3-8b-instruct-v1:0", "invoke", "max_tokens", 4096, 2048),
    ("us.meta.llama3-3-70b-instruct-v1:0", "invoke", "max_tokens", 9000, 8192),
    ("us.meta.llama4-scout-17b-instruct-v1:0", "invoke", "temperature", 1.5, 1),
    ("us.meta.llama3-1-70b-instruct-v1:0", "converse", "temperature", 1.2, 1),
    ("amazon.titan-text-express-v1", "invoke", "max_tokens", 9000, 8192),
    ("amazon.titan-text-lite-v1", "invoke", "max_tokens", 8192, 4096),
    ("amazon.titan-text-premier-v1:0", "invoke", "max_tokens", 4096, 3000),
    ("amazon.titan-text-lite-v1", "invoke", "temperature", 1.1, 1),
    ("us.deepseek.r1-v1:0", "invoke", "max_tokens", 40000, 32768),
    ("us.deepseek.r1-v1:0", "invoke", "temperature", 1.6, 1),
    ("ai21.jamba-1-5-large-v1:0", "invoke", "top_p", 0, 0.01),
    ("ai21.jamba-1-5-large-v1:0", "converse", "temperature", 1.7, 1),
    ("openai.gpt-oss-120b-1:0", "converse", "temperature", 1.4, 1),
    ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "invoke", "temperature", 1.4, 1),
    ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "converse", "temperature", 1.4, 1),
    ("qwen.qwen3-32b-v1:0", "converse", "temperature", 2, 1),
    ("us.writer.palmyra-x5-v1:0", "converse", "temperature", 2, 1),
]
"""Model, API, parameter, what is asked and what is sent; None where 0 says nothing."""


def rendered(model: str, api: str, **asked: object) -> UpstreamRequest:
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}], **asked}
    options = {"bedrock_api": api}
    route = Route("m", model, region="us-east-1", options=options)
    return bedrock.render_request(body, route)


def values(body: JSON, names: set[str]) -> Iterator[Any]:
    for name, value in body.items():
        if isinstance(value, dict):
            yield from values(value, names)
        elif name in names:
            yield value


@pytest.mark.parametrize(("model", "api", "field", "asked", "sent"), ASKED)
def test_what_lies_outside_is_moved_to_the_border(
    model: str, api: str, field: str, asked: float, sent: float | None
) -> None:
    request = rendered(model, api, **{field: asked})
    found = list(values(request.body, NAMES[field]))
    assert found == ([] if sent is None else [sent])
    assert request.downgraded == (field,)


@pytest.mark.parametrize("api", ["invoke", "converse"])
def test_of_two_that_exclude_each_other_one_is_sent(api: str) -> None:
    request = rendered(CLAUDE, api, temperature=0.4, top_p=0.5)
    assert list(values(request.body, NAMES["temperature"])) == [0.4]
    assert list(values(request.body, NAMES["top_p"])) == []
    assert request.dropped == ("top_p",)
