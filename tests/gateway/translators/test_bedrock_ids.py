"""Model ids: families, geographies, ARNs, and paths percent-encoded as sent."""

import pytest

from gateway.errors import GatewayError
from gateway.translators.bedrock import ids

PROFILE = (
    "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/mi1dadi0g15f"
)


@pytest.mark.parametrize(
    ("id", "base", "family"),
    [
        (
            "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "anthropic.claude-sonnet-4-5-20250929",
            "claude",
        ),
        ("jp.anthropic.claude-opus-4-6-v1", "anthropic.claude-opus-4-6", "claude"),
        ("us-gov.anthropic.claude-x-9", "anthropic.claude-x-9", "claude"),
        ("anthropic.claude-v2:1", "anthropic.claude", "claude-legacy"),
        ("anthropic.claude-instant-v1", "anthropic.claude-instant", "claude-legacy"),
        ("global.amazon.nova-2-lite-v1:0", "amazon.nova-2-lite", "nova"),
        ("amazon.nova-pro-v1:0:24k", "amazon.nova-pro", "nova"),
        ("amazon.nova-canvas-v1:0", "amazon.nova-canvas", "unknown"),
        ("xx.meta.llama3-1-8b-instruct-v1:0", "meta.llama3-1-8b-instruct", "llama"),
        ("us.meta.llama4-scout-17b-v1:0", "meta.llama4-scout-17b", "llama"),
        ("openai.gpt-oss-120b-1:0", "openai.gpt-oss-120b", "oai"),
        ("openai.gpt-5.4", "openai.gpt-5.4", "openai-native"),
        ("xai.grok-4", "xai.grok-4", "openai-native"),
        ("deepseek.v3-v1:0", "deepseek.v3", "oai"),
        ("us.deepseek.r1-v1:0", "deepseek.r1", "r1"),
        ("zai.glm-4.7", "zai.glm-4.7", "oai"),
        ("mistral.mistral-large-3-675b", "mistral.mistral-large-3-675b", "oai"),
        (
            "mistral.mistral-large-2407-v1:0",
            "mistral.mistral-large-2407",
            "mistral-chat",
        ),
        (
            "us.mistral.pixtral-large-2502-v1:0",
            "mistral.pixtral-large-2502",
            "mistral-chat",
        ),
        (
            "mistral.mistral-7b-instruct-v0:2",
            "mistral.mistral-7b-instruct",
            "mistral-text",
        ),
        ("cohere.command-r-plus-v1:0", "cohere.command-r-plus", "cohere"),
        ("amazon.titan-text-lite-v1", "amazon.titan-text-lite", "titan"),
        ("us.writer.palmyra-x5-v1:0", "writer.palmyra-x5", "writer"),
        ("acme.future-1", "acme.future-1", "unknown"),
    ],
)
def test_an_id_names_its_base_and_family(id: str, base: str, family: str) -> None:
    model = ids.classify(id)
    assert (model.wire, model.base, model.family) == (id, base, family)


@pytest.mark.parametrize(
    ("resource", "family"),
    [
        ("foundation-model/amazon.titan-tg1-large", "titan"),
        ("inference-profile/eu.anthropic.claude-haiku-4-5-20251001-v1:0", "claude"),
        ("custom-model/amazon.nova-lite-v1:0:300k/abc123", "nova"),
        ("provisioned-model/abc123", "unknown"),
        ("imported-model/abc123", "unknown"),
        ("custom-model-deployment/abc123", "unknown"),
    ],
)
def test_an_arn_is_classified_by_what_it_names(resource: str, family: str) -> None:
    model = ids.classify(f"arn:aws:bedrock:us-east-1:123456789012:{resource}")
    assert model.family == family
    assert not model.converse_only


def test_a_base_model_says_what_an_opaque_arn_is() -> None:
    model = ids.classify(PROFILE, "claude-sonnet-4-6", "us-east-1")
    assert (model.wire, model.family) == (PROFILE, "claude")
    assert model.base == "anthropic.claude-sonnet-4-6"


def test_a_prompt_router_is_served_by_converse_alone() -> None:
    arn = "arn:aws:bedrock:us-east-1:123456789012:default-prompt-router/anthropic:1"
    assert ids.classify(arn, "claude-sonnet-4-6").converse_only


def test_an_arn_of_another_region_is_refused_with_both_regions_named() -> None:
    with pytest.raises(GatewayError) as refused:
        ids.classify(PROFILE, "", "eu-west-1")
    assert refused.value.status == 400
    assert refused.value.param == "model"
    assert "us-east-1" in refused.value.message
    assert "eu-west-1" in refused.value.message


def test_an_incomplete_arn_is_refused_without_showing_the_account() -> None:
    with pytest.raises(GatewayError) as refused:
        ids.classify("arn:aws:bedrock:us-east-1:123456789012")
    assert "123456789012" not in refused.value.message


def test_a_path_is_encoded_as_it_must_be_sent() -> None:
    assert (
        ids.path("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "invoke")
        == "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/invoke"
    )
    assert ids.path(PROFILE, "converse") == (
        "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012"
        "%3Aapplication-inference-profile%2Fmi1dadi0g15f/converse"
    )
