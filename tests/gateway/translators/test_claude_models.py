"""What each Claude accepts, by any of its names."""

import dataclasses

import pytest

from gateway.errors import GatewayError
from gateway.hub.protocol import Route
from gateway.translators.anthropic.requests.claude_models import (
    ClaudeModel,
    base_id,
    claude_model,
)
from tests.recordings.claude_report import reported_capabilities


@pytest.mark.parametrize(
    ("id", "base"),
    [
        ("claude-sonnet-4-5-20250929", "claude-sonnet-4-5"),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5"),
        ("anthropic.claude-3-5-sonnet-20241022-v2:0", "claude-3-5-sonnet"),
        ("anthropic.claude-3-haiku-20240307-v1:0:48k", "claude-3-haiku"),
        ("claude-opus-4-1@20250805", "claude-opus-4-1"),
        ("claude-3-7-sonnet-latest", "claude-3-7-sonnet"),
        ("claude-fable-5-1", "claude-fable-5-1"),
        ("claude-sonnet-4.5", "claude-sonnet-4-5"),
        ("anthropic/claude-opus-4.6", "claude-opus-4-6"),
        ("claude-opus-4-6[1m]", "claude-opus-4-6"),
        ("claude-sonnet-4-5-20250929[1m]", "claude-sonnet-4-5"),
        ("anthropic/claude-3.5-sonnet:beta", "claude-3-5-sonnet"),
        ("anthropic/claude-3.7-sonnet:thinking", "claude-3-7-sonnet"),
        ("anthropic/claude-4.5-sonnet-20250929", "claude-sonnet-4-5"),
        ("claude-4-opus", "claude-opus-4"),
        ("anthropic/claude-4-sonnet-20250522", "claude-sonnet-4"),
        ("bedrock/us.anthropic.claude-haiku-4-5-20251001-v1:0", "claude-haiku-4-5"),
        ("vertex_ai/claude-sonnet-4-5@20250929", "claude-sonnet-4-5"),
        ("claude-sonnet-4-5@default", "claude-sonnet-4-5"),
        ("claude-3-5-sonnet-v2@20241022", "claude-3-5-sonnet"),
        ("Claude-Sonnet-4-5", "claude-sonnet-4-5"),
        ("anthropic--claude-4.5-sonnet", "claude-sonnet-4-5"),
        ("databricks-claude-3-7-sonnet", "claude-3-7-sonnet"),
        ("anthropic.claude-opus-4-6-v1", "claude-opus-4-6"),
        ("claude-opus-41", "claude-opus-4-1"),
        ("claude-opus-4-0", "claude-opus-4"),
        ("claude_sonnet_4_5", "claude-sonnet-4-5"),
        ("claude-sonnet-3.7", "claude-3-7-sonnet"),
        ("claude-mythos-preview", "claude-mythos-preview"),
    ],
)
def test_a_model_is_found_under_all_its_names(id, base):
    assert base_id(id) == base


def test_the_longest_known_name_decides():
    def model(id):
        return claude_model(Route("alias", id))

    assert model("claude-opus-4-20250514").sampling == "all"
    assert model("claude-opus-4-5-20251101").efforts == ("low", "medium", "high")
    assert model("claude-opus-5").forced_tools
    assert not model("claude-opus-5-5").forced_tools
    assert model("claude-9") == ClaudeModel()


def test_an_opaque_id_is_known_by_its_base_model():
    route = Route("alias", "arn:aws:x", base_model="claude-3-haiku-20240307")
    assert claude_model(route).max_output == 4096


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_output", "many"),
        ("max_output", True),
        ("thinking", None),
        ("efforts", "low"),
        ("sampling", []),
        ("prefill", 1),
    ],
)
def test_an_override_that_makes_no_sense_is_named(name, value):
    route = Route("alias", "claude-opus-5", capabilities={name: value})
    with pytest.raises(GatewayError) as caught:
        claude_model(route)
    assert caught.value.status == 500
    assert f"'{name}'" in caught.value.message


def test_every_capability_can_be_overridden():
    table = claude_model(Route("alias", "claude-opus-5"))
    other = claude_model(Route("alias", "claude-3-haiku-20240307"))
    route = Route("alias", "claude-opus-5", capabilities=dataclasses.asdict(other))
    assert claude_model(route) == other != table


def test_capabilities_of_other_models_are_passed_over():
    route = Route("alias", "claude-opus-5", capabilities={"vision": True})
    assert claude_model(route) == claude_model(Route("alias", "claude-opus-5"))


def report(id, max_tokens=128_000, efforts="low medium high max", **capabilities):
    supported = {effort: {"supported": True} for effort in efforts.split()}
    return {
        "id": id,
        "max_tokens": max_tokens,
        "capabilities": {"effort": {"supported": True, **supported}, **capabilities},
    }


def test_a_report_that_agrees_with_the_table_changes_nothing():
    assert reported_capabilities(report("claude-opus-4-6")) == {}


def test_a_report_that_differs_becomes_overrides():
    types = {"disabled": {"supported": False}, "enabled": {"supported": True}}
    info = report(
        "claude-opus-5",
        max_tokens=64_000,
        efforts="low high",
        structured_outputs={"supported": False},
        thinking={"supported": True, "types": types},
    )
    overrides = reported_capabilities(info)
    assert overrides == {
        "max_output": 64_000,
        "efforts": ["low", "high"],
        "structured": False,
        "thinking": ["adaptive", "enabled"],
    }
    model = claude_model(Route("alias", "claude-opus-5", capabilities=overrides))
    assert model.thinking == {"adaptive", "enabled"}
    assert model.efforts == ("low", "high")


def test_a_model_reported_as_not_thinking_has_no_thinking_types():
    info = report("claude-opus-4-6", thinking={"supported": False, "types": {}})
    assert reported_capabilities(info) == {"thinking": []}


@pytest.mark.parametrize("info", [{}, {"id": 7, "capabilities": []}])
def test_a_report_without_content_changes_nothing(info):
    assert reported_capabilities(info) == {}
