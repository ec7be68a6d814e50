"""Schemas of tools that servers in use publish, and whole requests failed for."""

from typing import Any

import pytest

from gateway.hub.protocol import JSON
from gateway.hub.requests.schemas.bare import bare_schema
from gateway.hub.requests.schemas.roots import tool_parameters
from gateway.hub.requests.tools.ids import ToolNames
from tests.gateway.hub.test_schema_normal import check
from tests.gateway.hub.test_schemas import PLACE

TEXT = {"type": "string"}


@pytest.mark.parametrize(
    ("report", "written", "sent"),
    [
        (
            "Dokploy/mcp/issues/74",
            {"type": "integer", "exclusiveMinimum": True, "minimum": 0, "maximum": 9},
            {"type": "integer", "exclusiveMinimum": 0, "maximum": 9},
        ),
        (
            "sinclairzx81/typebox/issues/1407",
            {"type": "array", "additionalItems": False, "items": [TEXT, TEXT]},
            {"type": "array", "prefixItems": [TEXT, TEXT], "items": False},
        ),
        (
            "NousResearch/hermes-agent/pull/20976",
            {"type": "array", "items": [{"type": "integer"}, {"type": "integer"}]},
            {
                "type": "array",
                "prefixItems": [{"type": "integer"}, {"type": "integer"}],
            },
        ),
        (
            "MarkusPfundstein/mcp-gsuite/issues/58",
            {"type": "string", "description": "Query", "required": False},
            {"type": "string", "description": "Query"},
        ),
        (
            "piotr-agier/google-drive-mcp/issues/10",
            {"type": "boolean", "optional": True},
            {"type": "boolean", "optional": True},
        ),
        (
            "tadata-org/fastapi_mcp/issues/218",
            {"type": "string", "nullable": True, "example": "a"},
            {"type": ["string", "null"], "example": "a"},
        ),
        (
            "jasonsum/gmail-mcp-server/pull/5",
            {"type": "object", "properties": {"": ""}, "required": None},
            {"type": "object", "properties": {"": {}}},
        ),
        (
            "openclaw/openclaw/issues/29416",
            {"type": "object", "patternProperties": {"^(.*)$": {}}},
            {"type": "object", "patternProperties": {"^(.*)$": {}}},
        ),
        (
            "tidyverse/ellmer/pull/342",
            {"type": ["string", "null"]},
            {"type": ["string", "null"]},
        ),
        (
            "ollama/ollama/issues/10328",
            {"type": "object", "properties": [], "required": []},
            {"type": "object", "properties": {}, "required": []},
        ),
        (
            "leonardcser/smelt/issues/26",
            {"type": "object", "properties": {}, "required": {}},
            {"type": "object", "properties": {}},
        ),
        (
            "langchain4j/langchain4j/pull/5790",
            {"type": "array", "items": {"$ref": "#/properties/missing/items"}},
            {
                "type": "array",
                "items": {"description": "$ref: #/properties/missing/items"},
            },
        ),
        (
            "BerriAI/litellm/issues/26692",
            {"$ref": "#/components/schemas/Foo", "description": "A foo"},
            {"description": "A foo ($ref: #/components/schemas/Foo)"},
        ),
    ],
)
def test_a_property_that_was_refused_is_mended(
    report: str, written: JSON, sent: JSON
) -> None:
    schema = {"type": "object", "properties": {"a": written}}
    made = tool_parameters(schema, PLACE)
    assert made == {"type": "object", "properties": {"a": sent}}, report
    check(made)


ORDER = {"type": "object", "properties": {"id": {"type": "integer"}}}


@pytest.mark.parametrize(
    ("report", "written", "sent"),
    [
        (
            "Mnehmos/mnehmos.rpg.mcp/issues/73",
            {
                "type": "object",
                "properties": {
                    "status": TEXT,
                    "filter": {
                        "type": "array",
                        "items": {"$ref": "#/properties/status"},
                    },
                },
            },
            {
                "type": "object",
                "properties": {
                    "status": TEXT,
                    "filter": {
                        "type": "array",
                        "items": {"$ref": "#/properties/status"},
                    },
                },
            },
        ),
        (
            "genkit-ai/genkit-dart/issues/253",
            {"$ref": "#/$defs/Input", "$defs": {"Input": ORDER}},
            {**ORDER, "$defs": {"Input": ORDER}},
        ),
        (
            "diegosouzapw/OmniRoute/issues/13552",
            {
                "type": "object",
                "properties": {"action": TEXT},
                "oneOf": [{"required": ["action"]}, {"properties": {"id": TEXT}}],
            },
            {"type": "object", "properties": {"action": TEXT, "id": TEXT}},
        ),
        (
            "anthropics/claude-code/issues/586",
            {
                "$schema": "http://json-schema.org/draft-07/schema#",
                "type": "object",
                "properties": {"at": {"type": "array", "items": [TEXT]}},
            },
            {
                "$schema": "http://json-schema.org/draft-07/schema#",
                "type": "object",
                "properties": {"at": {"type": "array", "prefixItems": [TEXT]}},
            },
        ),
    ],
)
def test_a_schema_that_was_refused_is_mended(
    report: str, written: JSON, sent: JSON
) -> None:
    made = tool_parameters(written, PLACE)
    assert made == sent, report
    check(made)


@pytest.mark.parametrize(
    ("report", "name"),
    [
        ("erikmaday/unusual-whales-mcp/pull/57", "issue_types[]"),
        ("beautyfree/appstore-connect-mcp/issues/2", "filter[preReleaseVersion.x]"),
        ("ComposioHQ/composio/issues/3500", "@microsoft.graph.conflictBehavior"),
        ("ComposioHQ/composio/issues/3500", "$top"),
        ("ComposioHQ/composio/pull/3067", "settings__" + "a" * 60),
        ("jasonsum/gmail-mcp-server/pull/5", ""),
        ("aws-solutions-library-samples/.../issues/709", "Purchase Date and Time"),
    ],
)
def test_a_name_that_was_refused_is_another(report: str, name: str) -> None:
    names = ToolNames()
    schema = {"type": "object", "properties": {name: TEXT, "a.b-c": TEXT}}
    made: Any = names.schema("f", tool_parameters(schema, PLACE))
    [new, kept] = made["properties"]
    assert kept == "a.b-c"
    assert names.arguments == {"f": {new: name}}, report


@pytest.mark.parametrize(
    ("report", "written"),
    [
        (
            "zed-industries/zed/issues/28521",
            {
                "properties": {"a": {"$ref": "#/definitions/T"}},
                "definitions": {"T": TEXT},
            },
        ),
        (
            "lastmile-ai/mcp-agent/pull/126",
            {"properties": {"a": {"$ref": "#/$defs/T"}}, "$defs": {"T": TEXT}},
        ),
        (
            "BerriAI/litellm/pull/10062",
            {"$id": "https://a/b", "$schema": "c", "properties": {"a": TEXT}},
        ),
        (
            "pydantic/pydantic-ai/issues/1623",
            {"title": "T", "additionalProperties": False, "properties": {"a": TEXT}},
        ),
    ],
)
def test_a_root_that_nova_refused_is_bare(report: str, written: JSON) -> None:
    made = bare_schema(tool_parameters(written, PLACE), PLACE)
    assert made.schema == {"type": "object", "properties": {"a": TEXT}}, report
    assert made.words == ""
