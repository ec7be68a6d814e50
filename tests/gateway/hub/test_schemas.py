"""JSON schemas, made into what Claude accepts."""

import copy
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import GatewayError
from gateway.hub.protocol import JSON
from gateway.hub.requests.schemas.bare import bare_schema
from gateway.hub.requests.schemas.representable import Cost, cost_of
from gateway.hub.requests.schemas.roots import tool_parameters
from gateway.hub.requests.schemas.subset import sanitise
from gateway.wire.jsontext import encode

PLACE = "tools[0].function.parameters"


def object_of(**properties):
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


NODE = {
    "type": "object",
    "properties": {"next": {"$ref": "#/$defs/node"}},
    "required": ["next"],
}


@pytest.mark.parametrize("parameters", [None, {}])
def test_a_tool_without_parameters_takes_an_empty_object(parameters):
    assert tool_parameters(parameters, PLACE) == {"type": "object", "properties": {}}


def test_a_root_without_a_type_is_an_object():
    schema = tool_parameters({"properties": {"a": {}}}, PLACE)
    assert schema == {"type": "object", "properties": {"a": {}}}


@pytest.mark.parametrize("type", ["array", "string", ["string", "null"]])
def test_a_root_of_another_type_is_refused(type):
    with pytest.raises(GatewayError) as caught:
        tool_parameters({"type": type}, PLACE)
    assert (caught.value.status, caught.value.param) == (400, PLACE)


@pytest.mark.parametrize(
    ("keyword", "required"),
    [("anyOf", ["id"]), ("oneOf", ["id"]), ("allOf", ["id", "a", "b"])],
)
def test_branches_at_the_root_are_merged_into_it(keyword, required):
    schema = {
        "properties": {"id": {"type": "string"}},
        "required": ["id"],
        keyword: [
            {"properties": {"a": {"type": "string"}}, "required": ["a"]},
            {"properties": {"b": {"type": "string"}}, "required": ["b"]},
        ],
    }
    before = copy.deepcopy(schema)
    merged = tool_parameters(schema, PLACE)
    assert keyword not in merged
    assert list(merged["properties"]) == ["id", "a", "b"]
    assert merged["required"] == required
    assert schema == before


def test_what_all_alternatives_require_is_required():
    branches = [{"required": ["a", "b"]}, {"required": ["b", "c"]}]
    assert tool_parameters({"anyOf": branches}, PLACE)["required"] == ["b"]


@pytest.mark.parametrize("branches", [7, [7], [{"properties": 7}]])
def test_a_malformed_branch_is_refused(branches):
    with pytest.raises(GatewayError) as caught:
        tool_parameters({"anyOf": branches}, PLACE)
    assert caught.value.code == "invalid_json_schema"


def test_limits_move_into_the_description():
    schema = {"type": "integer", "minimum": 1, "maximum": 9, "description": "Age"}
    assert sanitise(schema, PLACE) == {
        "type": "integer",
        "description": "Age (minimum: 1, maximum: 9)",
    }


def test_a_property_named_like_a_keyword_is_kept():
    schema = object_of(minimum={"type": "integer"}, pattern={"type": "string"})
    assert sanitise(schema, PLACE) == schema


def test_values_are_not_taken_for_schemas():
    schema = {"enum": [{"minimum": 1}], "default": {"oneOf": []}}
    assert sanitise(schema, PLACE) == schema


def test_keywords_about_the_schema_itself_are_left_out():
    schema = {"$schema": "http://json-schema.org/draft-07/schema#", "type": "string"}
    assert sanitise(schema, PLACE) == {"type": "string"}


def test_every_object_is_closed():
    inner = {"type": ["object", "null"], "properties": {}}
    schema = {
        "type": "object",
        "properties": {"list": {"type": "array", "items": inner}},
        "$defs": {"x": {"properties": {}}},
    }
    clean = sanitise(schema, PLACE)
    assert clean["additionalProperties"] is False
    assert clean["properties"]["list"]["items"]["additionalProperties"] is False
    assert clean["$defs"]["x"]["additionalProperties"] is False


def test_one_of_becomes_any_of():
    schema = {"oneOf": [{"type": "string"}, {"type": "null"}]}
    assert sanitise(schema, PLACE) == {"anyOf": [{"type": "string"}, {"type": "null"}]}


@pytest.mark.parametrize(
    "order", [("anyOf", "oneOf", "allOf"), ("oneOf", "allOf", "anyOf")]
)
def test_one_of_beside_any_of_loses_neither(order):
    parts = {
        "anyOf": [{"type": "string"}],
        "oneOf": [{"type": "null"}],
        "allOf": [{"title": "x"}],
    }
    clean = sanitise({keyword: parts[keyword] for keyword in order}, PLACE)
    assert clean.keys() == {"allOf"}
    assert clean["allOf"][0] == {"title": "x"}
    assert {"anyOf": parts["anyOf"]} in clean["allOf"]
    assert {"anyOf": parts["oneOf"]} in clean["allOf"]


@pytest.mark.parametrize("keyword", ["anyOf", "oneOf", "allOf", "properties", "items"])
def test_a_malformed_keyword_does_not_hide_the_others(keyword):
    clean = sanitise({keyword: None, "minimum": 1}, PLACE)
    assert clean["description"] == "minimum: 1"


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"format": "email"}, {"format": "email"}),
        ({"format": "iban"}, {"description": 'format: "iban"'}),
        ({"minItems": 1}, {"minItems": 1}),
        ({"minItems": 2}, {"description": "minItems: 2"}),
    ],
)
def test_known_values_stay_and_others_move(schema, expected):
    assert sanitise(schema, PLACE) == expected


@pytest.mark.parametrize(
    "schema",
    [
        object_of(a={"type": "string"}),
        {**object_of(a={"$ref": "#/$defs/x"}), "$defs": {"x": {"type": "string"}}},
        {"type": "object", "properties": {str(i): {} for i in range(10)}},
    ],
)
def test_a_plain_schema_cost_of(schema):
    assert cost_of(schema, PLACE) is not None


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#/$defs/node", "$defs": {"node": NODE}},
        {"type": "object", "properties": {"a": {"$ref": "#"}}},
        {"$ref": "https://example.com/schema"},
        {"$ref": "#/$defs/missing"},
        {"$ref": 7},
        {"type": "object", "additionalProperties": True},
        {"type": "object", "additionalProperties": {"type": "string"}},
        {"type": "object"},
        {"type": "object", "properties": {"a": {"type": "object"}}},
        {"type": "array", "items": {"type": ["object", "null"], "description": "x"}},
        {"enum": ["a", {"b": 1}]},
        {"enum": [[1]]},
        {"allOf": [{"$ref": "#/$defs/a"}], "$defs": {"a": {"type": "string"}}},
        {
            "anyOf": [{"$ref": "#/$defs/a"}],
            "oneOf": [{"type": "null"}],
            "$defs": {"a": {"type": "string"}},
        },
        {"type": "object", "properties": {"a": True}},
        {"type": "object", "patternProperties": {"x": {}}},
        {"type": "array", "items": [{"type": "string"}]},
    ],
)
def test_what_has_no_native_form_is_told(schema):
    assert cost_of(schema, PLACE) is None


def test_what_makes_a_grammar_large_is_counted() -> None:
    either = {"anyOf": [{"type": "string"}, {"type": "null"}]}
    inner = {"type": "object", "properties": {"a": {"type": ["string", "null"]}}}
    schema = object_of(list={"type": "array", "items": inner}, name=either)
    schema["properties"]["loose"] = {"type": "string"}
    assert cost_of(schema, PLACE) == Cost(optional=2, unions=2)
    closed = {"type": "object", "additionalProperties": False}
    assert cost_of(closed, PLACE) == Cost(0, 0)


def test_a_schema_without_end_is_refused():
    schema = {"type": "string"}
    for _ in range(200):
        schema = {"type": "array", "items": schema}
    for check in (sanitise, cost_of):
        with pytest.raises(GatewayError) as caught:
            check(schema, PLACE)
        assert (caught.value.status, caught.value.param) == (400, PLACE)


KEYWORDS = st.sampled_from(
    ("type", "properties", "required", "items", "anyOf", "oneOf", "allOf", "$ref")
) | st.sampled_from(
    ("$defs", "enum", "minimum", "format", "additionalProperties", "description")
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["object", "#", "x"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(KEYWORDS | st.sampled_from(["a", "b"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=300)
@given(st.dictionaries(KEYWORDS, ANYTHING, max_size=5))
def test_no_schema_does_worse_than_a_400(schema):
    before = copy.deepcopy(schema)
    for check in (tool_parameters, sanitise, cost_of):
        with suppress(GatewayError):
            check(schema, PLACE)
    assert schema == before


def test_references_that_overlap_a_thousandfold_are_given_up() -> None:
    names = [f"p{number}" for number in range(2000)]
    schema: JSON = {
        "type": "object",
        "properties": {name: {"type": "string"} for name in names},
        "required": names,
    }
    references, path = [], "#/$defs/deep"
    for _ in range(50):
        schema = {"type": "object", "properties": {"n": schema}, "required": ["n"]}
        references.append({"$ref": path})
        path += "/properties/n"
    root = {"anyOf": references, "$defs": {"deep": schema}}
    assert cost_of({**root, "anyOf": references[:1]}, "schema") is not None
    assert cost_of(root, "schema") is None


def test_references_that_multiply_are_written_out_to_an_end() -> None:
    definitions = {
        f"d{at}": {
            "type": "object",
            "properties": {str(n): {"$ref": f"#/$defs/d{at + 1}"} for n in range(9)},
        }
        for at in range(12)
    }
    schema = {"properties": {"a": {"$ref": "#/$defs/d0"}}, "$defs": definitions}
    made = bare_schema(tool_parameters(schema, PLACE), PLACE).schema
    assert made["properties"]["a"]["properties"]["0"]["properties"]
    assert len(encode(made)) < 2_000_000


def test_targets_that_moved_are_not_kept_without_end() -> None:
    names = [f"n{at}" for at in range(2000)]
    moved = {name: {"items": [{"type": "string"}]} for name in names}
    schema = {
        "properties": {
            "all": {"properties": moved},
            **{
                name: {"$ref": f"#/properties/all/properties/{name}/items/0"}
                for name in names
            },
        }
    }
    made = tool_parameters(schema, PLACE)
    assert len(made["$defs"]) < len(names)
    assert len(encode(made)) < 2 * len(encode(schema))
