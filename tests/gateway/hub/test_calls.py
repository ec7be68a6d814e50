"""However a server tells its tool calls, clients read the same well-formed ones."""

import copy
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from openai.lib.streaming._deltas import accumulate_delta

from gateway.errors import GatewayError
from gateway.hub.answers.calls.arguments import arguments_text
from gateway.hub.answers.calls.streamed import StreamedCalls
from gateway.hub.answers.calls.whole import with_regular_calls
from gateway.hub.protocol import JSON, Reply

many = settings(max_examples=300)

OBJECTS = st.dictionaries(
    st.sampled_from(['a"', "b\\", "{", "}]", "ü", ""]),
    st.integers() | st.text(max_size=4) | st.lists(st.booleans(), max_size=2),
    max_size=3,
)
CALLS = st.lists(st.tuples(st.sampled_from(["read", "write"]), OBJECTS), max_size=3)
IDS: dict[str, Any] = {
    "proper": lambda call, piece: {"id": f"id{call}"} if piece == 0 else {},
    "in each piece": lambda call, piece: {"id": f"id{call}"},
    "a number": lambda call, piece: {"id": call + 7} if piece == 0 else {},
    "none": lambda call, piece: {},
    "null": lambda call, piece: {"id": None},
    "blank": lambda call, piece: {"id": ""},
    "late": lambda call, piece: {"id": f"id{call}"} if piece == 1 else {},
    "another in each piece": lambda call, piece: {"id": f"id{call}.{piece}"},
}
INDEXES: dict[str, Any] = {
    "proper": lambda call: {"index": call},
    "always 0": lambda call: {"index": 0},
    "none": lambda call: {},
    "null": lambda call: {"index": None},
    "from 1": lambda call: {"index": call + 1},
}
NAMES: dict[str, Any] = {
    "once": lambda name, piece: {"name": name} if piece == 0 else {},
    "null afterwards": lambda name, piece: {"name": name if piece == 0 else None},
    "in each piece": lambda name, piece: {"name": name},
}


def cut(text: str, sizes: list[int]) -> list[str]:
    pieces = []
    for size in sizes:
        pieces.append(text[:size])
        text = text[size:]
    return [*pieces, text]


def read(deltas: list[list[JSON]], forced: str = "") -> list[JSON]:
    """Return the calls as the official stream helper adds them up."""
    calls = StreamedCalls(Reply("m", forced_tool=forced))
    read: dict[object, object] = {}
    for pieces in [*map(calls.read, copy.deepcopy(deltas)), calls.end()]:
        for piece in pieces:
            assert None not in [piece.get(key, "") for key in ("id", "type", "index")]
            assert isinstance(piece.get("function"), dict)
        if pieces:
            read = accumulate_delta(read, {"tool_calls": copy.deepcopy(pieces)})
    found: Any = read.get("tool_calls", [])
    return list(found)


def check(calls: list[JSON]) -> None:
    ids = [call["id"] for call in calls]
    assert all(isinstance(id, str) and id for id in ids)
    assert len(set(ids)) == len(ids)
    assert [call["index"] for call in calls] == list(range(len(calls)))
    assert all(call["type"] == "function" for call in calls)


@many
@given(
    called=CALLS,
    id=st.sampled_from([*IDS]),
    index=st.sampled_from([*INDEXES]),
    name=st.sampled_from([*NAMES]),
    sizes=st.lists(st.integers(1, 5), max_size=4),
    together=st.booleans(),
)
def test_calls_are_read_in_whatever_way_they_are_told(
    called: list[tuple[str, JSON]],
    id: str,
    index: str,
    name: str,
    sizes: list[int],
    together: bool,
) -> None:
    # Nobody could tell these from other calls of the same tool.
    assume(id != "another in each piece" or name != "in each piece")
    pieces = [
        {
            **INDEXES[index](number),
            **IDS[id](number, place),
            "function": {**NAMES[name](tool, place), "arguments": part},
        }
        for number, (tool, arguments) in enumerate(called)
        for place, part in enumerate(cut(json.dumps(arguments), sizes))
    ]
    calls = read([pieces] if together else [[piece] for piece in pieces])
    check(calls)
    assert [
        (call["function"]["name"], json.loads(call["function"]["arguments"]))
        for call in calls
    ] == called


SCALARS = st.sampled_from(
    [None, "", "a", "{}", '{"a":', "}", 0, 1, 7, True, 1.5, [], {}]
)
PIECES = st.fixed_dictionaries(
    {},
    optional={
        "index": SCALARS,
        "id": SCALARS,
        "type": st.sampled_from([None, "function", "", 3]),
        "function": SCALARS
        | st.fixed_dictionaries({}, optional={"name": SCALARS, "arguments": SCALARS}),
        "extra": SCALARS,
    },
)


def has_nameless_arguments(
    pieces: list[JSON], nothing: tuple[str, ...] = ("", "{}")
) -> bool:
    functions = [f for p in pieces if isinstance(f := p.get("function"), dict)]
    return any(
        not (isinstance(name := function.get("name"), str) and name)
        and arguments_text(function.get("arguments")).strip() not in nothing
        for function in functions
    )


@many
@given(
    deltas=st.lists(st.lists(PIECES, max_size=3), max_size=6),
    forced=st.sampled_from(["", "read"]),
)
def test_whatever_pieces_come_the_calls_are_well_formed(
    deltas: Any, forced: str
) -> None:
    calls: list[JSON] | None = None
    with suppress(GatewayError):
        calls = read(deltas, forced)
    if calls is None:
        told = [piece for pieces in deltas for piece in pieces]
        assert has_nameless_arguments(told, nothing=("",))
        assert not forced
        return
    check(calls)
    assert all(call["function"]["name"] for call in calls)
    assert all(isinstance(call["function"]["arguments"], str) for call in calls)


@many
@given(calls=st.lists(PIECES, max_size=4), forced=st.sampled_from(["", "read"]))
def test_whatever_calls_come_whole_they_are_well_formed(
    calls: Any, forced: str
) -> None:
    found: list[JSON] | None = None
    with suppress(GatewayError):
        reply = Reply("m", forced_tool=forced)
        found = with_regular_calls({"tool_calls": calls}, reply)["tool_calls"]
    if found is None:
        assert has_nameless_arguments(calls)
        assert not forced
        return
    assert forced or not has_nameless_arguments(calls)
    assert len({call["id"] for call in found}) == len(found)
    for call in found:
        assert isinstance(call["id"], str)
        assert call["id"]
        assert isinstance(call["function"]["arguments"], str)
        assert call["function"]["name"]


def test_regular_calls_are_not_copied() -> None:
    function = {"name": "f", "arguments": "{}"}
    message = {"tool_calls": [{"id": "a", "type": "function", "function": function}]}
    assert with_regular_calls(message, Reply("m")) is message


def test_a_repeated_call_is_told_once() -> None:
    piece = {"index": 0, "id": "a", "function": {"name": "f", "arguments": '{"a":1}'}}
    (call,) = read([[piece], [piece]])
    assert call["function"] == {"name": "f", "arguments": '{"a":1}'}


def test_what_else_a_piece_says_is_passed_on() -> None:
    head = {"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}}
    signed = {"index": 0, "extra_content": {"signature": "x"}}
    (call,) = read([[head], [signed]])
    assert call["extra_content"] == {"signature": "x"}


@pytest.mark.parametrize("is_cut_off", [True, False])
def test_a_call_that_was_cut_off_is_not_completed(is_cut_off: bool) -> None:
    calls = StreamedCalls(Reply("m"))
    calls.read([{"index": 0, "id": "a", "function": {"name": "f", "arguments": ""}}])
    assert calls.end(is_cut_off=is_cut_off) == (
        [] if is_cut_off else [{"index": 0, "function": {"arguments": "{}"}}]
    )


def test_arguments_before_a_name_are_kept_for_it() -> None:
    first = {"index": 0, "function": {"arguments": '{"a"'}}
    second = {"index": 0, "function": {"arguments": ":1"}}
    named = {"index": 0, "id": "a", "function": {"name": "f", "arguments": "}"}}
    (call,) = read([[first], [second], [named]])
    assert call["function"] == {"name": "f", "arguments": '{"a":1}'}


def test_arguments_without_a_name_are_those_of_the_forced_tool() -> None:
    piece = {"index": 0, "function": {"arguments": '{"a":1}'}}
    (call,) = read([[piece]], forced="f")
    assert call["function"] == {"name": "f", "arguments": '{"a":1}'}
