"""Whatever stands in a tool or a schema, the sandbox answers or refuses it."""

from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.errors import GatewayError
from gateway.sandbox import answers
from gateway.sandbox.values import example as value_of
from gateway.wire.jsontext import dumps

NAMES = st.sampled_from(["a", "b", "city", ""])
NUMBERS = st.sampled_from([0, 1, -1, 0.5, 1e-320, 1e308, -1e308, 10**30])
ODD: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | NUMBERS | NAMES,
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2)
    ),
    max_leaves=3,
)
KINDS = st.sampled_from(["object", "array", "string", "integer", "number", "null"])


def _schemas(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Draw a schema of some keywords, each of which may hold anything."""
    held = {
        "type": KINDS | st.lists(KINDS, max_size=2),
        "properties": st.dictionaries(NAMES, inner, max_size=2),
        "required": st.lists(NAMES | ODD, max_size=2),
        "items": inner,
        "prefixItems": st.lists(inner, max_size=2),
        "anyOf": st.lists(inner, max_size=2),
        "allOf": st.lists(inner, max_size=2),
        "enum": st.lists(ODD, max_size=2),
        "format": st.sampled_from(["date", "x"]),
        "pattern": st.sampled_from(["^a", "(", "a{9999999999}"]),
        "minimum": NUMBERS,
        "exclusiveMaximum": NUMBERS,
        "multipleOf": NUMBERS,
        "minItems": NUMBERS,
        "maxLength": NUMBERS,
        "uniqueItems": st.booleans(),
        "$ref": st.sampled_from(["#", "#/properties/a", "x"]),
    }
    either = {name: value | ODD for name, value in held.items()}
    return st.fixed_dictionaries({}, optional=either)


SCHEMAS = st.recursive(ODD, _schemas, max_leaves=4)


@settings(max_examples=300)
@given(SCHEMAS)
@example({"type": "object", "required": [["a"]]})
@example({"type": "object", "required": [True]})
@example({"allOf": [{"properties": ["a"]}, {"properties": {"a": {}}}]})
@example({"type": "string", "format": ["date"]})
@example({"type": "integer", "minimum": float("inf")})
@example({"type": "number", "multipleOf": 1e-320})
def test_any_schema_has_a_value(schema):
    assert dumps(value_of(schema, "Weather in Paris?"))


@given(
    st.lists(
        st.fixed_dictionaries(
            {"type": st.sampled_from(["function", "custom"]) | ODD},
            optional={
                "function": st.fixed_dictionaries(
                    {"name": NAMES | ODD}, optional={"parameters": SCHEMAS}
                )
                | ODD,
                "custom": ODD,
            },
        )
        | ODD,
        max_size=2,
    )
    | ODD,
    st.fixed_dictionaries({"type": ODD, "allowed_tools": ODD}) | ODD,
)
@example([{"type": ["function"]}], None)
def test_any_tools_are_called_or_refused(tools, choice):
    said = [{"role": "user", "content": "Weather in Paris?"}]
    body = {"model": "m", "messages": said, "tools": tools, "tool_choice": choice}
    try:
        answer = answers.complete(body, 0)
    except GatewayError as refusal:
        if refusal.status != 400:
            raise
        return
    assert dumps(answer)
