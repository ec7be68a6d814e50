"""Tools that were rendered before are rendered the same, and not for ever."""

import copy
from typing import Any

import pytest

from gateway.errors import GatewayError
from gateway.hub.protocol import JSON, Route, UpstreamRequest
from gateway.hub.requests.schemas.kept import Keep
from gateway.hub.requests.tools.choice import offer_of
from gateway.hub.requests.tools.offered import repeated_tools
from gateway.translators import TRANSLATORS

UPSTREAMS = {
    "claude": ("anthropic", "claude-sonnet-4-5"),
    "claude on bedrock": ("bedrock", "anthropic.claude-sonnet-4-5-20250929-v1:0"),
    "nova": ("bedrock", "amazon.nova-pro-v1:0"),
    "converse": ("bedrock", "arn:aws:bedrock:us-east-1:1:imported-model/a"),
    "gpt-oss": ("bedrock", "openai.gpt-oss-120b-1:0"),
    "ollama": ("ollama", "llama3.2"),
}
OPEN = {"type": "object", "properties": {"Öl": {"type": "str"}}}
FUNCTION = {"name": "my.tool", "parameters": OPEN, "strict": True}
TOOL = {"type": "function", "function": FUNCTION}
ALLOWED = {"type": "allowed_tools", "tools": [{"type": "function", "name": "b"}]}


def render(upstream: str, **fields: Any) -> UpstreamRequest:
    kind, model = UPSTREAMS[upstream]
    messages = [{"role": "user", "content": "Hi"}]
    body = {"model": "m", "messages": messages, **fields}
    route = Route(
        "m", model, base_model=model.removeprefix("us."), capabilities={}, options={}
    )
    return TRANSLATORS[kind].render_request(body, route)


@pytest.mark.parametrize("upstream", UPSTREAMS)
def test_tools_come_out_the_same_each_time(upstream: str) -> None:
    tools = [TOOL, {"type": "function", "function": {"name": "b"}}]
    first = copy.deepcopy(render(upstream, tools=tools))
    again = render(upstream, tools=copy.deepcopy(tools))
    assert again.body == first.body
    assert again.reply == first.reply
    assert again.downgraded == first.downgraded


@pytest.mark.parametrize("upstream", UPSTREAMS)
def test_functions_and_tools_of_one_text_are_kept_apart(upstream: str) -> None:
    odd = {"type": "function", "name": "outer", "function": {"name": "inner"}}
    as_tool = str(render(upstream, tools=[odd]).body)
    as_function = str(render(upstream, functions=[odd]).body)
    assert "inner" in as_tool
    assert "outer" in as_function


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({}, ["a", "b"]),
        ({"tool_choice": {"type": "function", "function": {"name": "b"}}}, ["b"]),
        ({"tool_choice": ALLOWED}, ["b"]),
        ({"tool_choice": "none"}, []),
    ],
)
def test_what_was_read_before_is_offered_as_it_is_chosen(
    fields: JSON, names: list[str]
) -> None:
    tools = [{"type": "function", "function": {"name": name}} for name in "ab"]
    for _ in range(2):
        body = copy.deepcopy({"tools": tools, **fields})
        offer = offer_of(body, says_none=False, says_named=False)
        assert [tool.name for tool in offer.tools] == names
        # Others are made of the text of all of them.
        assert bool(offer.text) == (len(names) == len(tools))


def test_tools_are_read_once_and_wrong_ones_refused_each_time() -> None:
    read, text = repeated_tools({"tools": [TOOL]})
    assert repeated_tools({"tools": copy.deepcopy([TOOL])}) == (read, text)
    assert repeated_tools({"tools": copy.deepcopy([TOOL])})[0] is read
    for _ in range(2):
        with pytest.raises(GatewayError, match="used twice"):
            repeated_tools({"tools": [TOOL, TOOL]})


def test_a_mark_that_one_request_lost_is_there_for_the_next() -> None:
    marked = {**TOOL, "cache_control": {"type": "ephemeral"}}
    tools = [{**marked, "function": {"name": f"f{at}"}} for at in range(5)]
    first = render("claude", tools=tools).body["tools"]
    few = render("claude", tools=tools).body["tools"]
    assert [("cache_control" in tool) for tool in first] == [False, *[True] * 4]
    assert few == first


def test_what_a_format_takes_of_the_grammar_is_asked_each_time() -> None:
    schema: JSON = {
        "type": "object",
        "properties": {f"p{at}": {"type": "string"} for at in range(20)},
        "additionalProperties": False,
    }
    strict = {"name": "f", "strict": True, "parameters": schema}
    tools = [{"type": "function", "function": strict}]
    wanted = {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}}
    for _ in range(2):
        alone = render("claude", tools=tools)
        beside = render("claude", tools=tools, response_format=wanted)
        assert "strict" in alone.body["tools"][0]
        assert alone.downgraded == ()
        assert "strict" not in beside.body["tools"][0]
        assert beside.downgraded == ("tools",)


def test_what_varies_with_each_request_is_not_kept_for_ever() -> None:
    keep: Keep[int] = Keep(most=10_000, longest=2_000)
    for number in range(1_000):
        keep.add((b"%0500d" % number,), number)
    kept = [number for number in range(1_000) if keep.find((b"%0500d" % number,))]
    assert 0 < len(kept) < 20
    assert kept == list(range(kept[0], 1_000))


def test_what_is_large_is_not_kept() -> None:
    keep: Keep[int] = Keep(most=10_000, longest=2_000)
    keep.add((b"x" * 2_001,), 1)
    assert keep.find((b"x" * 2_001,)) is None
