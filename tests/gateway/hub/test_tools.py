"""Tools and calls, made fit for narrower upstreams."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import GatewayError
from gateway.hub.requests.tools.arguments import dump_arguments, parse_arguments
from gateway.hub.requests.tools.calls import calls_in
from gateway.hub.requests.tools.choice import (
    ToolChoice,
    allowed_tools,
    is_parallel,
    offer_of,
    tool_choice_of,
)
from gateway.hub.requests.tools.ids import (
    ToolNames,
    calls_to_send,
    made_up_id,
    plain_id,
)
from gateway.hub.requests.tools.offered import tools_of
from gateway.translators.bedrock.tool_ids import converse_id, mistral_id

TOOLS = [
    {"type": "function", "function": {"name": "a", "parameters": {"type": "object"}}},
    {"type": "function", "function": {"name": "b", "strict": True}},
]


def turn(*ids):
    calls = [{"id": id, "function": {"name": "f", "arguments": "{}"}} for id in ids]
    return {"role": "assistant", "tool_calls": calls}


def sent_ids(messages, *rewrite):
    sent = calls_to_send(calls_in(messages), *rewrite)
    return {
        (index, position): call.id
        for index, calls in sent.items()
        for position, call in enumerate(calls)
    }


def refusal(function, *arguments):
    with pytest.raises(GatewayError) as caught:
        function(*arguments)
    assert caught.value.status == 400
    return caught.value


@pytest.mark.parametrize(
    ("rewrite", "alphabet"),
    [
        (plain_id, r"[a-zA-Z0-9_-]+"),
        (converse_id, r"[a-zA-Z0-9_-]{1,64}"),
        (mistral_id, r"[a-zA-Z0-9]{9}"),
    ],
)
@given(id=st.text(min_size=1, max_size=100))
def test_any_id_fits_its_upstreams_alphabet(rewrite, alphabet, id):
    assert re.fullmatch(alphabet, rewrite(id))
    assert rewrite(id) == rewrite(id)


@pytest.mark.parametrize("rewrite", [plain_id, converse_id])
def test_a_fitting_id_is_not_touched(rewrite):
    assert rewrite("toolu_01-A") == "toolu_01-A"


def test_ids_that_look_alike_stay_different():
    assert plain_id("a.b") != plain_id("a:b")


def test_an_id_used_again_gets_its_ordinal():
    ids = sent_ids([turn("call_0"), turn("call_0"), turn("call_0")])
    assert list(ids.values()) == ["call_0", "call_0_2", "call_0_3"]


def test_a_call_without_id_gets_one_from_its_place():
    messages = [{"role": "user"}, turn("", "")]
    assert list(sent_ids(messages).values()) == ["call_1_0", "call_1_1"]


@given(
    st.lists(
        st.lists(st.sampled_from(["a", "a_2", "a.b", "", "x"]), max_size=3), max_size=6
    ),
    st.sampled_from([plain_id, converse_id, mistral_id]),
)
def test_ids_are_unique_and_do_not_change_when_messages_follow(turns, rewrite):
    messages = [turn(*ids) for ids in turns]
    ids = sent_ids(messages, rewrite)
    assert len(set(ids.values())) == len(ids)
    for length in range(len(messages)):
        before = sent_ids(messages[:length], rewrite)
        assert before.items() <= ids.items()


def test_a_made_up_id_differs_per_answer_and_place():
    ids = {made_up_id("c1", 0), made_up_id("c1", 1), made_up_id("c2", 0)}
    assert len(ids) == 3
    assert all(re.fullmatch(r"call_[0-9a-f]{24}", id) for id in ids)


def test_a_fitting_tool_name_is_not_touched():
    names = ToolNames()
    assert names.upstream("get_weather-2") == "get_weather-2"
    assert names.originals == {}


@given(st.text(min_size=1, max_size=100))
def test_any_tool_name_fits_and_leads_back(name):
    names = ToolNames()
    sent = names.upstream(name)
    assert re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", sent)
    assert names.originals.get(sent, sent) == name


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ('{"b":1,"a":2}', {"b": 1, "a": 2}),
        ("", {}),
        ("  ", {}),
        (None, {}),
        ({"a": 1}, {"a": 1}),
        ("[1]", {"value": [1]}),
        ("null", {"value": None}),
        ("{bad", {"_raw_arguments": "{bad"}),
        ('{"n":123456789012345678901234567890}', {"n": 123456789012345678901234567890}),
    ],
)
def test_arguments_become_an_object_whatever_the_model_wrote(arguments, expected):
    assert parse_arguments(arguments) == expected


def test_the_order_of_arguments_is_kept():
    assert list(parse_arguments('{"z":1,"a":2}')) == ["z", "a"]


def test_arguments_nested_without_end_are_kept_as_text():
    deep = "[" * 900 + "]" * 900
    assert parse_arguments(deep) == {"_raw_arguments": deep}


def test_arguments_leave_as_compact_text_without_escapes():
    assert dump_arguments({"ü": 1}) == '{"ü":1}'
    assert dump_arguments({}) == dump_arguments(None) == "{}"


def test_tools_are_read_from_both_fields():
    functions = [tool["function"] for tool in TOOLS]
    from_tools = [(t.name, t.strict) for t in tools_of({"tools": TOOLS})]
    from_functions = [(t.name, t.strict) for t in tools_of({"functions": functions})]
    assert from_tools == from_functions == [("a", False), ("b", True)]


@pytest.mark.parametrize(
    ("tool", "param"),
    [
        ({"type": "custom", "custom": {"name": "x"}}, "tools[0].type"),
        ({"type": "function"}, "tools[0].function"),
        ({"type": "function", "function": {}}, "tools[0].function.name"),
        (
            {"type": "function", "function": {"name": "x", "parameters": []}},
            "tools[0].function.parameters",
        ),
        (
            {"type": "function", "function": {"name": "x", "description": 1}},
            "tools[0].function.description",
        ),
        ("x", "tools[0]"),
    ],
)
def test_what_is_no_function_is_refused_by_place(tool, param):
    assert refusal(tools_of, {"tools": [tool]}).param == param


def test_two_tools_of_one_name_are_refused():
    error = refusal(tools_of, {"tools": [TOOLS[0], TOOLS[0]]})
    assert error.param == "tools[1].function"


@pytest.mark.parametrize(
    "native",
    [
        {"type": "bash_20250124", "name": "bash"},
        {"name": "x", "input_schema": {"type": "object"}},
    ],
)
def test_a_tool_in_anthropics_form_is_recognised(native):
    assert tools_of({"tools": [native]})[0].native == native


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (None, ToolChoice()),
        ("auto", ToolChoice("auto")),
        ("required", ToolChoice("required")),
        ({"type": "function", "function": {"name": "a"}}, ToolChoice("named", "a")),
        (
            {
                "type": "allowed_tools",
                "allowed_tools": {
                    "mode": "required",
                    "tools": [{"type": "function", "function": {"name": "b"}}],
                },
            },
            ToolChoice("required", allowed=frozenset({"b"})),
        ),
    ],
)
def test_each_form_of_tool_choice_is_read(choice, expected):
    body = {"tools": TOOLS, "tool_choice": choice}
    assert tool_choice_of(body, tools_of(body)) == expected


@pytest.mark.parametrize(
    "choice",
    [
        "sometimes",
        {"type": "function", "function": {"name": "unknown"}},
        {"type": "function"},
        {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": []}},
    ],
)
def test_a_choice_that_makes_no_sense_is_refused(choice):
    body = {"tools": TOOLS, "tool_choice": choice}
    param = refusal(tool_choice_of, body, tools_of(body)).param
    assert param.startswith("tool_choice")


def test_only_allowed_tools_are_left():
    choice = ToolChoice("auto", allowed=frozenset({"b"}))
    assert [t.name for t in allowed_tools(tools_of({"tools": TOOLS}), choice)] == ["b"]


def test_legacy_functions_are_never_called_in_parallel():
    assert is_parallel({"tools": TOOLS})
    assert not is_parallel({"functions": []})
    assert not is_parallel({"tools": TOOLS, "parallel_tool_calls": False})


NAMED = {"type": "function", "function": {"name": "b"}}


@pytest.mark.parametrize(
    ("choice", "words", "names"),
    [
        ("auto", {"says_none": False, "says_named": False}, ["a", "b"]),
        ("none", {"says_none": True}, ["a", "b"]),
        ("none", {"says_none": False}, []),
        (NAMED, {"says_named": True}, ["a", "b"]),
        (NAMED, {"says_named": False}, ["b"]),
    ],
)
def test_what_an_upstream_cannot_be_told_is_said_by_the_offer(choice, words, names):
    offer = offer_of({"tools": TOOLS, "tool_choice": choice}, **words)
    assert [tool.name for tool in offer.tools] == names
    assert offer.choice.mode == (choice if isinstance(choice, str) else "named")


def test_nothing_is_offered_where_there_are_no_tools():
    assert offer_of({}) == ([], ToolChoice(), b"")
