"""Schemas as generators write them, in draft 2020-12."""

import copy
import re
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings

from gateway.errors import GatewayError
from gateway.hub.protocol import JSON
from gateway.hub.requests.schemas.normal import normalised
from tests.gateway.hub.test_schemas import ANYTHING, KEYWORDS, PLACE, st

NUMBER = {"type": "number"}
PET = {"items": {"$ref": "#/components/Pet"}}
INTO_TUPLE = "#/properties/a/items/0"
LEADS_NOWHERE = "$ref: #/components/schemas/Pet"


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ({"type": None, "properties": None, "required": None}, {}),
        ({"items": None, "description": None, "default": None}, {"default": None}),
        ({"items": [NUMBER, NUMBER]}, {"prefixItems": [NUMBER, NUMBER]}),
        (
            {"anyOf": [{"items": [NUMBER], "additionalItems": False}]},
            {"anyOf": [{"prefixItems": [NUMBER], "items": False}]},
        ),
        ({"minimum": 1, "exclusiveMinimum": True}, {"exclusiveMinimum": 1}),
        ({"maximum": 1, "exclusiveMaximum": False}, {"maximum": 1}),
        (
            {"properties": {"a": {"type": "str", "required": True}}},
            {"properties": {"a": {"type": "string"}}, "required": ["a"]},
        ),
        ({"anyOf": [], "allOf": {}, "enum": None}, {}),
        ({"type": "any"}, {}),
        ({"type": "dict"}, {"type": "object"}),
        ({"type": "OBJECT"}, {"type": "object"}),
        ({"type": ["STRING", "null"]}, {"type": ["string", "null"]}),
        ({"type": "money"}, {"description": 'type: "money"'}),
        ({"type": {}}, {}),
        ({"properties": [], "required": {}}, {"properties": {}}),
        ({"properties": {"a": "string"}}, {"properties": {"a": {"type": "string"}}}),
        ({"enum": "x", "description": ["a", "b"]}, {"description": 'a\nb (enum: "x")'}),
        ({"minLength": "2"}, {"description": 'minLength: "2"'}),
        ({"type": ["string", NUMBER]}, {"anyOf": [{"type": "string"}, NUMBER]}),
        (
            {"type": [NUMBER], "anyOf": [True]},
            {"anyOf": [True], "allOf": [{"anyOf": [NUMBER]}]},
        ),
        ({"$id": 7, "$anchor": "1 x", "$comment": ["a"]}, {}),
        (
            {"$ref": "#x", "definitions": {"a": {"$id": "#x"}}},
            {"$ref": "#x", "$defs": {"a": {"$anchor": "x"}}},
        ),
        ({"pattern": r"\p{L}+"}, {"description": r'pattern: "\\p{L}+"'}),
        ({"pattern": "(?i)a"}, {"description": 'pattern: "(?i)a"'}),
        ({"pattern": r"^(?=.*\d)[^\s]+$"}, {"pattern": r"^(?=.*\d)[^\s]+$"}),
        (
            {"patternProperties": {"(": NUMBER, "^a": NUMBER}},
            {
                "patternProperties": {"^a": NUMBER},
                "description": 'patternProperties: {"(":{"type":"number"}}',
            },
        ),
        ({"dependentRequired": [], "not": []}, {}),
        ({"contentMediaType": 7}, {"description": "contentMediaType: 7"}),
        ({"examples": "x"}, {"description": 'examples: "x"'}),
        (
            {"dependencies": {"a": ["b"], "c": NUMBER, "d": "e"}},
            {
                "dependentRequired": {"d": ["e"], "a": ["b"]},
                "dependentSchemas": {"c": NUMBER},
            },
        ),
        (
            {"type": "STRING", "nullable": True, "enum": ["a"]},
            {"type": ["string", "null"], "enum": ["a", None]},
        ),
        ({"nullable": False}, {}),
        ({"anyOf": [NUMBER], "nullable": True}, {"anyOf": [NUMBER, {"type": "null"}]}),
        (
            {"$ref": "#/definitions/a", "nullable": True, "definitions": {"a": NUMBER}},
            {
                "anyOf": [{"$ref": "#/$defs/a"}, {"type": "null"}],
                "$defs": {"a": NUMBER},
            },
        ),
        ({"$ref": "#/components/schemas/Pet"}, {"description": LEADS_NOWHERE}),
        (
            {"items": {"$ref": "#/components/Pet"}, "components": {"Pet": PET}},
            {
                "items": {"$ref": "#/$defs/Pet"},
                "components": {"Pet": PET},
                "$defs": {"Pet": {"items": {"$ref": "#/$defs/Pet"}}},
            },
        ),
        (
            {"properties": {"a": {"items": [NUMBER]}, "b": {"$ref": INTO_TUPLE}}},
            {
                "properties": {
                    "a": {"prefixItems": [NUMBER]},
                    "b": {"$ref": "#/$defs/0"},
                },
                "$defs": {"0": NUMBER},
            },
        ),
        (
            {
                "$id": "http://a/b",
                "items": {"$ref": "http://a/b#/definitions/a~1%C3%B6"},
            }
            | {"definitions": {"a/ö": NUMBER}},
            {"$id": "http://a/b", "items": {"$ref": "#/$defs/a~1%C3%B6"}}
            | {"$defs": {"a/ö": NUMBER}},
        ),
    ],
)
def test_what_generators_write_becomes_valid(written: JSON, normal: JSON) -> None:
    before = copy.deepcopy(written)
    assert normalised(written, PLACE) == normal
    assert written == before


def test_a_good_schema_stays_as_it_is() -> None:
    schema = {
        "type": "object",
        "properties": {"type": NUMBER, "items": {"type": "array", "items": NUMBER}},
        "required": [],
        "$defs": {"a": {"anyOf": [NUMBER, {"type": "null"}], "default": None}},
        "x-own": {"type": "any"},
    }
    assert normalised(schema, PLACE) == schema


def check(schema: Any) -> None:
    """Fail for what draft 2020-12 does not allow, as far as these words go."""
    if isinstance(schema, bool):
        return
    assert isinstance(schema, dict)
    assert isinstance(schema.get("description", ""), str)
    assert isinstance(schema.get("type", ""), str | list)
    assert isinstance(schema.get("required", []), list)
    assert isinstance(schema.get("minimum", 0), int | float)
    assert schema.get("enum", [1])
    assert not schema.keys() & {"definitions", "dependencies", "nullable"}
    assert isinstance(schema.get("dependentRequired", {}), dict)
    assert isinstance(schema.get("examples", []), list)
    re.compile(schema.get("pattern", ""))
    for keyword in ("properties", "$defs"):
        for each in schema.get(keyword, {}).values():
            check(each)
    for keyword in ("anyOf", "oneOf", "allOf"):
        assert schema.get(keyword, [1])
        for each in schema.get(keyword, []):
            check(each)
    for keyword in ("items", "additionalProperties"):
        check(schema.get(keyword, True))


MORE = st.dictionaries(
    st.sampled_from(
        [
            "definitions",
            "dependencies",
            "dependentRequired",
            "examples",
            "nullable",
            "pattern",
            "$id",
            "$anchor",
            "not",
            "patternProperties",
        ]
    ),
    ANYTHING | st.sampled_from(("(", "[a", "^a$")),
    max_size=4,
)


@settings(max_examples=300)
@given(st.builds(dict.__or__, st.dictionaries(KEYWORDS, ANYTHING, max_size=5), MORE))
def test_any_schema_becomes_valid_and_then_stays(schema: JSON) -> None:
    with suppress(GatewayError):
        normal = normalised(schema, PLACE)
        check(normal)
        assert normalised(normal, PLACE) == normal
