"""What all translations of a request share, and a conversation gone through."""

import pytest

from gateway.errors import GatewayError
from gateway.hub.protocol import JSON, Reply, Route
from gateway.hub.requests.conversation import walk
from gateway.hub.requests.extra_body import with_extra_body
from gateway.hub.requests.losses import Losses
from gateway.hub.requests.rendering import Rendering
from gateway.hub.requests.tools.offered import tools_of
from gateway.hub.requests.tools.strict import StrictSchemas

ROUTE = Route("alias", "m", completion_id="c", created=7, options={"a": 1})


def function(name: str, **fields: object) -> JSON:
    return {"type": "function", "function": {"name": name, **fields}}


def call(id: str, name: str) -> JSON:
    return {"id": id, "type": "function", "function": {"name": name, "arguments": "{}"}}


def request(*messages: JSON, **fields: object) -> JSON:
    return {"messages": (messages and [*messages]) or [user("hi")], **fields}


def user(content: str) -> JSON:
    return {"role": "user", "content": content}


def test_a_reply_knows_the_request_and_what_was_learned() -> None:
    body = request(
        stream=True,
        stream_options={"include_usage": True},
        tools=[function("f")],
        parallel_tool_calls=False,
    )
    reply = Rendering.of(body, ROUTE).reply({"wire": "w", "stop": ("a",)})
    assert reply == Reply(
        "alias",
        "c",
        7,
        stream=True,
        include_usage=True,
        wire="w",
        stop=("a",),
        single_tool_call=True,
        options={"a": 1},
    )


def test_usage_is_asked_for_in_streams_only() -> None:
    body = request(stream_options={"include_usage": True})
    assert not Reply.of(body, ROUTE).include_usage


def test_what_was_learned_outweighs_what_the_request_says() -> None:
    body = request(tools=[function("f")], parallel_tool_calls=False)
    reply = Rendering.of(body, ROUTE).reply({"single_tool_call": False})
    assert not reply.single_tool_call


def test_unknown_fields_are_lost_from_the_beginning() -> None:
    rendering = Rendering.of(request(flavour="mint"), ROUTE)
    upstream = rendering.request("/p", {}, rendering.reply({}), {})
    assert upstream.dropped == ("flavour",)


def test_unknown_fields_are_refused_where_nothing_may_be_lost() -> None:
    strict = ROUTE._replace(options={"strict_params": True})
    with pytest.raises(GatewayError) as caught:
        Rendering.of(request(flavour="mint"), strict)
    assert caught.value.param == "flavour"


def test_a_conversation_is_walked_in_four_roles() -> None:
    asked = {"role": "assistant", "tool_calls": [call("x", "f"), call("", "g")]}
    called = {"role": "assistant", "function_call": {"name": "h", "arguments": "{}"}}
    body = request(
        {"role": "developer", "content": "d"},
        user("u"),
        asked,
        {"role": "tool", "tool_call_id": "x", "content": "1"},
        {"role": "tool", "content": "2"},
        called,
        {"role": "function", "name": "h", "content": "3"},
    )
    walked = list(walk(Rendering.of(body, ROUTE)))
    roles = ["system", "user", "assistant", "tool", "tool", "assistant", "tool"]
    assert [message.role for message in walked] == roles
    assert [each.id for each in walked[2].calls] == ["x", "call_2_1"]
    answered = [(walked[at].call.name, walked[at].call.id) for at in (3, 4, 6)]
    assert answered == [("f", "x"), ("g", "call_2_1"), ("h", "call_5_0")]
    assert [walked[at].place for at in (3, 4, 6)] == [(2, 0), (2, 1), (5, 0)]
    assert walked[6].param == "messages[6]"


@pytest.mark.parametrize(
    ("extra", "merged"),
    [
        ({"top_k": 1, "seed": 2}, {"seed": 2, "top_k": 1}),
        ({"model": "x", "messages": [], "stream": True}, {"seed": 1}),
        ({"extra_body": {}}, {"seed": 1, "extra_body": {}}),
        (None, {"seed": 1}),
        ("x", {"seed": 1}),
    ],
)
def test_extra_body_is_what_stands_beside_it(extra: object, merged: JSON) -> None:
    assert with_extra_body({"seed": 1, "extra_body": extra}) == merged


def test_a_request_without_extra_body_is_not_copied() -> None:
    body = request()
    assert with_extra_body(body) is body


def strict_of(schemas: list[JSON], *, structured: bool = True) -> list[bool]:
    """Tell which of strict tools with these parameters stay strict."""
    tools = [
        {"type": "function", "function": {"name": f"f{at}", "parameters": schema}}
        for at, schema in enumerate(schemas)
    ]
    for tool in tools:
        tool["function"]["strict"] = True
    losses = Losses(Route("alias", "m"))
    held = StrictSchemas(losses, frozenset(), takes_strict=structured)
    strict = [held.tool(tool)[1] for tool in tools_of({"tools": tools})]
    assert losses.downgraded == (("tools",) if structured and False in strict else ())
    return strict


def optional(count: int) -> JSON:
    names = [f"p{at}" for at in range(count)]
    return {"type": "object", "properties": {n: {"type": "string"} for n in names}}


def nullable(count: int) -> JSON:
    names = [f"p{at}" for at in range(count)]
    union = {"anyOf": [{"type": "string"}, {"type": "null"}]}
    return {"properties": dict.fromkeys(names, union), "required": names}


@pytest.mark.parametrize(
    ("schemas", "strict"),
    [
        ([{}] * 22, [True] * 20 + [False] * 2),
        ([optional(24), optional(1), {}], [True, False, True]),
        ([optional(25)], [False]),
        # One tool that is too large does not take the room of the others.
        ([optional(18), optional(8), optional(6)], [True, False, True]),
        ([nullable(5)] * 4, [True] * 3 + [False]),
        ([nullable(16), nullable(1), optional(24)], [True, False, True]),
        ([nullable(17)], [False]),
        ([{"type": "object"}, None], [True, True]),
    ],
)
def test_tools_stay_strict_while_their_grammar_fits(schemas, strict) -> None:
    assert strict_of(schemas) == strict


def test_no_tool_is_strict_where_none_can_be() -> None:
    assert strict_of([{}], structured=False) == [False]
