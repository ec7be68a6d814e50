"""Names of parameters that an upstream refuses, sent under others."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.hub.answers.calls.renamed import HeldArguments, restored
from gateway.hub.requests.tools.arguments import parse_arguments
from gateway.hub.requests.tools.ids import ToolNames
from gateway.hub.requests.tools.parameter_names import names_to_send
from gateway.wire.jsontext import dumps

NAMES = st.text(st.sampled_from("ab[]$ ö\n._-"), max_size=70) | st.text(max_size=5)
is_taken = re.compile(r"[a-zA-Z0-9_.-]{1,64}").fullmatch


@settings(max_examples=300)
@given(st.dictionaries(NAMES, st.integers() | st.text(), max_size=6))
def test_arguments_come_back_under_the_names_they_had(arguments: dict) -> None:
    names = ToolNames()
    properties = {name: {"type": "string"} for name in arguments}
    schema = names.schema("f", {"properties": properties, "required": list(arguments)})
    sent = names.call_arguments("f", arguments)
    assert all(is_taken(name) for name in schema["properties"])
    assert list(schema["properties"]) == schema["required"] == list(sent)
    assert len(sent) == len(arguments)
    back = restored(dumps(sent), names.arguments.get("f", {}))
    assert parse_arguments(back) == arguments


def test_names_that_are_taken_stay_and_are_not_given_twice() -> None:
    [new] = names_to_send(["a b"]).values()
    sent = names_to_send(["a b", new])
    assert sent.keys() == {"a b"}
    assert sent["a b"] != new


def test_a_line_break_does_not_make_two_names_of_one() -> None:
    assert names_to_send(["a\nb"])


def test_what_speaks_of_the_same_object_follows() -> None:
    names = ToolNames()
    [new] = names_to_send(["a b"]).values()
    inner = {"properties": {"a b": {"const": 1}}, "required": ["a b"]}
    schema = names.schema(
        "f",
        {
            "properties": {"a b": True, "c": {"properties": {"a b": {}}}},
            "dependentRequired": {"a b": ["c"], "c": ["a b"]},
            "dependentSchemas": {"a b": inner},
            "if": inner,
            "allOf": [inner],
        },
    )
    renamed = {
        "properties": {new: {"title": "a b", "const": 1}},
        "required": [new],
    }
    assert schema == {
        "properties": {new: True, "c": {"properties": {"a b": {}}}},
        "dependentRequired": {new: ["c"], "c": [new]},
        "dependentSchemas": {new: renamed},
        "if": renamed,
        "allOf": [renamed],
    }


@pytest.mark.parametrize("size", [1, 3, 100])
def test_arguments_are_held_back_until_they_are_whole(size: int) -> None:
    text = '{"x": {"x": "}"}, "y": 1}'
    held = HeldArguments({"x": "a b"})
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    told = [held.feed(piece) for piece in pieces]
    assert told == [""] * (len(pieces) - 1) + ['{"a b":{"x":"}"},"y":1}']
    assert held.close() == ""


def test_arguments_that_are_cut_off_are_told_at_the_end() -> None:
    held = HeldArguments({"x": "a b"})
    assert held.feed('{"x": 1, ') == ""
    assert held.close() == '{"a b": 1, '
