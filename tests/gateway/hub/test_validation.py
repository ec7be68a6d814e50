"""What is asked of a request before any translated upstream sees it."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.errors import GatewayError
from gateway.hub.protocol import Route
from gateway.hub.requests.losses import Losses
from gateway.hub.requests.message_checks import check_message, checked_messages
from gateway.hub.requests.validation import output_limit, validate_request

HELLO = [{"role": "user", "content": "Hello"}]


def request(**fields):
    return {"model": "m", "messages": HELLO, **fields}


def refusal(body):
    with pytest.raises(GatewayError) as caught:
        validate_request(body)
    assert caught.value.status == 400
    assert caught.value.type == "invalid_request_error"
    return caught.value


def called(*ids):
    calls = [
        {"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}}
        for id in ids
    ]
    return {"role": "assistant", "content": None, "tool_calls": calls}


def result(id):
    return {"role": "tool", "tool_call_id": id, "content": "done"}


@pytest.mark.parametrize("messages", [None, [], "Hello", {}])
def test_messages_must_be_a_list_that_is_not_empty(messages):
    assert refusal(request(messages=messages)).param == "messages"


def test_an_unknown_role_is_named_with_its_place():
    body = request(messages=[*HELLO, {"role": "robot", "content": "x"}])
    assert refusal(body).param == "messages[1].role"


@pytest.mark.parametrize("content", [None, 7, {"type": "text"}])
def test_a_user_message_needs_content(content):
    body = request(messages=[{"role": "user", "content": content}])
    assert refusal(body).param == "messages[0].content"


def test_a_part_without_a_type_is_named_with_its_place():
    parts = [{"type": "text", "text": "x"}, {"text": "y"}]
    body = request(messages=[{"role": "user", "content": parts}])
    assert refusal(body).param == "messages[0].content[1]"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("temperature", 2.1),
        ("temperature", -0.1),
        ("temperature", "hot"),
        ("temperature", True),
        ("top_p", 1.1),
        ("frequency_penalty", 3),
        ("presence_penalty", -3),
        ("max_tokens", 0),
        ("max_tokens", 1.5),
        ("max_completion_tokens", 0),
        ("stop", ["a", "b", "c", "d", "e"]),
        ("stop", [1]),
        ("stop", 1),
        ("n", 2),
        ("n", True),
        ("stream", "yes"),
        ("reasoning_effort", "extreme"),
        ("modalities", ["text", "audio"]),
        ("audio", {"voice": "alloy"}),
        ("moderation", {}),
        ("top_logprobs", 3),
        ("tools", {}),
        ("response_format", "json"),
        ("user", 7),
        ("metadata", []),
    ],
)
def test_a_value_out_of_range_is_refused_by_name(field, value):
    assert refusal(request(**{field: value})).param == field


def test_top_logprobs_may_be_20_at_most():
    body = request(logprobs=True, top_logprobs=21)
    assert refusal(body).param == "top_logprobs"


@pytest.mark.parametrize(
    "format",
    [
        {"type": "yaml"},
        {},
        {"type": "json_schema"},
        {"type": "json_schema", "json_schema": {"schema": "x"}},
    ],
)
def test_a_response_format_must_be_one_of_openais(format):
    error = refusal(request(response_format=format))
    assert error.param.startswith("response_format.")


def test_null_means_absent():
    body = request(temperature=None, tools=None, n=None, stop=None)
    assert validate_request(body).body == request()


def test_extra_body_is_merged_and_cannot_change_the_model():
    body = request(extra_body={"top_k": 5, "model": "other"})
    assert validate_request(body).body == request(top_k=5)


def test_extra_body_must_be_an_object():
    assert refusal(request(extra_body=[])).param == "extra_body"


def test_unknown_fields_are_left_out_and_named():
    valid = validate_request(request(flavour="mint", colour=None))
    assert valid.unknown == ("flavour",)
    assert valid.body == request()


def test_the_request_itself_is_not_changed():
    body = request(stop="x", tools=[], stream_options={}, extra_body={"top_k": 1})
    before = {**body}
    validate_request(body)
    assert body == before


@pytest.mark.parametrize(
    ("stop", "expected"), [("x", ["x"]), (["a", "", "b"], ["a", "b"]), ("", None)]
)
def test_stop_becomes_a_list_without_empty_strings(stop, expected):
    assert validate_request(request(stop=stop)).body.get("stop") == expected


@pytest.mark.parametrize("choice", ["auto", "none"])
def test_a_harmless_tool_choice_without_tools_is_ignored(choice):
    body = request(tool_choice=choice, parallel_tool_calls=False, tools=[])
    assert validate_request(body).body == request()


@pytest.mark.parametrize(
    "choice", ["required", {"type": "function", "function": {"name": "f"}}]
)
def test_a_forced_tool_choice_needs_tools(choice):
    assert refusal(request(tool_choice=choice)).param == "tool_choice"


def test_stream_options_without_a_stream_are_ignored():
    body = request(stream_options={"include_usage": True})
    assert "stream_options" not in validate_request(body).body


def test_tools_and_functions_exclude_each_other():
    body = request(tools=[{"type": "function"}], functions=[{"name": "f"}])
    assert refusal(body).param == "functions"


def test_results_are_paired_with_their_calls_in_any_order():
    messages = [*HELLO, called("a", "b"), result("b"), result("a")]
    valid = validate_request(request(messages=messages))
    assert valid.results == {2: (1, 1), 3: (1, 0)}


def test_results_without_ids_are_paired_in_order():
    messages = [*HELLO, called("", ""), result(""), result("")]
    valid = validate_request(request(messages=messages))
    assert valid.results == {2: (1, 0), 3: (1, 1)}


@pytest.mark.parametrize(
    "messages",
    [
        [called("a", "b"), result("a")],
        [called("a")],
        [called("a"), *HELLO, result("a")],
        [called("a"), {"role": "assistant", "content": "x"}, result("a")],
    ],
)
def test_a_call_without_its_result_is_refused(messages):
    body = request(messages=[*HELLO, *messages])
    assert refusal(body).param == "messages[1]"


@pytest.mark.parametrize(
    "messages",
    [
        [result("a")],
        [called("a"), result("a"), result("a")],
        [called("a"), result("a"), result("b")],
    ],
)
def test_a_result_without_its_call_is_refused(messages):
    body = request(messages=[*HELLO, *messages])
    assert refusal(body).param == f"messages[{len(messages)}]"


def test_a_function_message_answers_the_nearest_call_of_its_name():
    def call(name):
        function = {"name": name, "arguments": "{}"}
        return {"role": "assistant", "content": None, "function_call": function}

    answer = {"role": "function", "name": "f", "content": "1"}
    messages = [*HELLO, call("f"), answer, call("f"), answer]
    valid = validate_request(request(messages=messages))
    assert valid.results == {2: (1, 0), 4: (3, 0)}


def test_a_function_message_without_a_call_is_refused():
    messages = [*HELLO, {"role": "function", "name": "f", "content": "1"}]
    assert refusal(request(messages=messages)).param == "messages[1]"


@pytest.mark.parametrize(
    ("call", "param"),
    [
        ({"type": "custom", "custom": {}}, "messages[0].tool_calls[0].type"),
        ({"id": 7, "function": {"name": "f"}}, "messages[0].tool_calls[0].id"),
        ({"id": "a"}, "messages[0].tool_calls[0].function"),
        ({"function": {"name": ""}}, "messages[0].tool_calls[0].function.name"),
        (
            {"function": {"name": "f", "arguments": 7}},
            "messages[0].tool_calls[0].function.arguments",
        ),
    ],
)
def test_a_malformed_call_is_named_with_its_place(call, param):
    messages = [{"role": "assistant", "tool_calls": [call]}]
    assert refusal(request(messages=messages)).param == param


@pytest.mark.parametrize(
    ("fields", "limit"),
    [
        ({}, None),
        ({"max_tokens": 5}, 5),
        ({"max_tokens": 5, "max_completion_tokens": 9}, 9),
    ],
)
def test_the_newer_limit_wins(fields, limit):
    assert output_limit(validate_request(request(**fields)).body) == limit


def test_losses_are_told_once_each_and_in_order():
    losses = Losses(Route("m", "m"))
    for param in ("seed", "top_k", "seed"):
        losses.drop(param)
    assert losses.dropped == ("seed", "top_k")


def test_a_strict_route_refuses_what_it_would_drop():
    losses = Losses(Route("m", "m", options={"strict_params": True}))
    with pytest.raises(GatewayError) as caught:
        losses.drop("seed")
    assert (caught.value.status, caught.value.param) == (400, "seed")
    assert caught.value.code == "unsupported_parameter"


def test_thousands_of_calls_are_paired_whatever_their_order():
    count = 20_000
    ids = [f"call_{number}" for number in range(count)]
    messages = [*HELLO, called(*ids), *(result(id) for id in reversed(ids))]
    pairs = validate_request(request(messages=messages)).results
    assert pairs[2] == (1, count - 1)
    assert pairs[count + 1] == (1, 0)


ANY = st.sampled_from([None, True, 1, "", "x", [], {}, ["x"], [{"type": "text"}]])
A_CALL = called("a")["tool_calls"][0]
TEXT = st.just("x")
FUNCTIONS = st.fixed_dictionaries({"name": TEXT | ANY, "arguments": TEXT | ANY})
CALLS = st.fixed_dictionaries(
    {"id": TEXT | ANY, "type": st.just("function") | ANY, "function": FUNCTIONS}
)
MESSAGES = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "tool"]) | ANY, "content": ANY},
    optional={
        "tool_calls": st.lists(CALLS, max_size=2) | ANY,
        "function_call": FUNCTIONS | ANY,
    },
)


@given(ANY | MESSAGES)
@example({"role": "assistant", "content": None})
@example(called("a", "b"))
@example({**called("a"), "function_call": 1})
@example({"role": "assistant", "content": 1})
@example({**called("a"), "tool_calls": [{**A_CALL, "id": 1}]})
@example({**called("a"), "tool_calls": [{**A_CALL, "function": {"name": ""}}]})
@example(
    {
        **called("a"),
        "tool_calls": [{**A_CALL, "function": {"name": "", "arguments": ""}}],
    }
)
@example({"role": "assistant", "content": "x", "tool_calls": None})
def test_a_glance_lets_nothing_pass_that_a_look_would_not(message):
    """A message is checked in full where a glance does not do."""

    def words(check, *asked):
        try:
            return check(*asked) and None
        except GatewayError as error:
            return error.message

    assert words(checked_messages, [message]) == words(
        check_message, message, "messages[0]"
    )
