"""Values that were refused, as reported in public: what is sent where they are asked.

Each report stands beside its case. What lies outside a model's range is moved to its
border and told; of two that exclude each other one is sent.
"""

from typing import Any, NamedTuple

import pytest

from gateway.hub.protocol import Route, UpstreamRequest
from gateway.translators import anthropic, bedrock
from tests.gateway.translators.test_family_ranges import values

LIMITS = {"max_tokens", "maxTokens", "max_gen_len", "maxTokenCount"}
SENT_AS = {
    "max_tokens": LIMITS,
    "max_completion_tokens": LIMITS,
    "top_p": {"top_p", "topP", "p"},
}


class Case(NamedTuple):
    """What is asked of a model through an API, and what of it is sent."""

    report: str
    model: str
    api: str
    asked: dict[str, Any]
    sent: dict[str, Any]


SONNET_4_5 = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
CASES = [
    # "The maximum tokens you requested exceeds the model limit of ..."
    Case(
        "pollinations/pollinations/pull/5503",
        "us.meta.llama3-1-8b-instruct-v1:0",
        "converse",
        {"max_tokens": 16384},
        {"max_tokens": 8192},
    ),
    Case(
        "aws-samples/generative-ai-use-cases/issues/594",
        "amazon.titan-text-premier-v1:0",
        "invoke",
        {"max_tokens": 4096},
        {"max_tokens": 3000},
    ),
    Case(
        "aws-solutions-library-samples/"
        "accelerated-intelligent-document-processing-on-aws/issues/175",
        "us.amazon.nova-pro-v1:0",
        "converse",
        {"max_tokens": 12000},
        {"max_tokens": 10000},
    ),
    Case(
        "aws-solutions-library-samples/"
        "accelerated-intelligent-document-processing-on-aws/issues/204",
        SONNET_4_5,
        "converse",
        {"max_tokens": 1_000_000},
        {"max_tokens": 64_000},
    ),
    Case(
        "langgenius/dify/issues/10390",
        "us.anthropic.claude-3-5-haiku-20241022-v1:0",
        "invoke",
        {"max_tokens": 16384},
        {"max_tokens": 8192},
    ),
    Case(
        "charmbracelet/crush/issues/946",
        "us.anthropic.claude-opus-4-1-20250805-v1:0",
        "invoke",
        {"max_completion_tokens": 50_000},
        {"max_completion_tokens": 32_000},
    ),
    Case(
        "BerriAI/litellm/issues/3135",
        "cohere.command-r-plus-v1:0",
        "invoke",
        {"max_tokens": 4096},
        {"max_tokens": 4000},
    ),
    Case(
        "truefoundry/models/pull/506",
        "ai21.jamba-1-5-large-v1:0",
        "converse",
        {"max_tokens": 8192},
        {"max_tokens": 4096},
    ),
    # "max_tokens: 8192 > 4096, which is the maximum allowed number of output tokens"
    Case(
        "continuedev/continue/issues/4225",
        "claude-3-haiku-20240307",
        "messages",
        {"max_tokens": 8192},
        {"max_tokens": 4096},
    ),
    Case(
        "avante-corp/avante.nvim/pull/1761",
        "claude-3-5-haiku-20241022",
        "messages",
        {"max_tokens": 10_000},
        {"max_tokens": 8192},
    ),
    Case(
        "olimorris/codecompanion.nvim/issues/1028",
        "claude-3-5-sonnet-20241022",
        "messages",
        {"max_tokens": 17_000},
        {"max_tokens": 8192},
    ),
    Case(
        "anthropics/claude-code/issues/24451",
        "claude-opus-4-5-20251101",
        "messages",
        {"max_completion_tokens": 128_001},
        {"max_completion_tokens": 64_000},
    ),
    # "#/p: 1 is not less or equal to 0.99"
    Case(
        "promptfoo/promptfoo/issues/914",
        "cohere.command-r-plus-v1:0",
        "invoke",
        {"top_p": 1},
        {"top_p": 0.99},
    ),
    Case(
        "vertesia/llumiverse/pull/23",
        "cohere.command-r-v1:0",
        "invoke",
        {"top_p": 1.0},
        {"top_p": 0.99},
    ),
    Case(
        "aws-samples/bedrock-access-gateway/issues/12",
        "cohere.command-r-v1:0",
        "converse",
        {"top_p": 1.0},
        {"top_p": 0.99},
    ),
    # Temperatures above 1
    Case(
        "vercel/ai/pull/10306",
        "us.amazon.nova-lite-v1:0",
        "converse",
        {"temperature": 1.5},
        {"temperature": 1},
    ),
    Case(
        "vercel/ai/pull/10308",
        "claude-sonnet-4-20250514",
        "messages",
        {"temperature": 1.5},
        {"temperature": 1},
    ),
    Case(
        "odysseus-dev/odysseus/pull/1644",
        "claude-3-7-sonnet-latest",
        "messages",
        {"temperature": 1.2},
        {"temperature": 1},
    ),
    Case(
        "BoltAI/BoltAI/issues/119",
        "claude-3-opus-20240229",
        "messages",
        {"temperature": 2},
        {"temperature": 1},
    ),
    # "`temperature` and `top_p` cannot both be specified for this model."
    *(
        Case(
            report,
            model,
            api,
            {"temperature": 0.2, "top_p": 0.4},
            {"temperature": 0.2, "top_p": None},
        )
        for report, model, api in (
            ("anomalyco/opencode/issues/1644", "claude-opus-4-1", "messages"),
            (
                "SalesforceAIResearch/MCP-Universe/issues/49",
                "claude-opus-4-5",
                "messages",
            ),
            ("OpenHands/software-agent-sdk/issues/1945", "claude-opus-4-6", "messages"),
            ("anomalyco/opencode/issues/28930", "claude-sonnet-4-6", "messages"),
            ("gptme/gptme/issues/1110", "claude-sonnet-4-5-20250929", "messages"),
            (
                "CherryHQ/cherry-studio/issues/10984",
                "us.anthropic.claude-haiku-4-5-20251001-v1:0",
                "converse",
            ),
            (
                "skydiscover-ai/skydiscover/issues/15",
                "us.anthropic.claude-sonnet-4-6",
                "invoke",
            ),
        )
    ),
    # No sampling at all
    Case(
        "maximhq/bifrost/pull/2773",
        "claude-opus-4-7",
        "messages",
        {"temperature": 0.2, "top_p": 0.4, "top_k": 5},
        {"temperature": None, "top_p": None, "top_k": None},
    ),
    Case(
        "livekit/agents/issues/6581",
        "us.anthropic.claude-opus-4-7",
        "converse",
        {"temperature": 0.7},
        {"temperature": None},
    ),
    # Nova's highest effort takes no limit, the others do.
    Case(
        "UKGovernmentBEIS/inspect_ai/issues/3767",
        "us.amazon.nova-2-lite-v1:0",
        "converse",
        {"max_tokens": 4000, "reasoning_effort": "medium"},
        {"max_tokens": 4000},
    ),
    Case(
        "UKGovernmentBEIS/inspect_ai/pull/3848",
        "us.amazon.nova-2-lite-v1:0",
        "converse",
        {"max_tokens": 4000, "reasoning_effort": "high"},
        {"max_tokens": None},
    ),
]


def rendered(case: Case) -> UpstreamRequest:
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}], **case.asked}
    if case.api == "messages":
        return anthropic.render_request(body, Route("m", case.model))
    options = {"bedrock_api": case.api}
    route = Route("m", case.model, region="us-east-1", options=options)
    return bedrock.render_request(body, route)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.report)
def test_what_was_refused_is_sent_as_the_model_takes_it(case: Case) -> None:
    request = rendered(case)
    for field, value in case.sent.items():
        found = list(values(request.body, SENT_AS.get(field, {field})))
        assert found == ([] if value is None else [value]), field
    lost = [field for field, value in case.sent.items() if value is None]
    moved = [
        field
        for field, value in case.sent.items()
        if value not in (None, case.asked[field])
    ]
    assert request.dropped == tuple(lost)
    assert request.downgraded == tuple(moved)
