"""Properties of every request that goes up to Claude."""

import copy
import re
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import pairwise

import pytest
from anthropic.types.message_create_params import MessageCreateParams
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from gateway.errors import GatewayError
from gateway.hub.protocol import Route
from gateway.hub.requests.rendering import Rendering
from gateway.translators import anthropic
from gateway.translators.anthropic.requests.claude_models import claude_model
from gateway.translators.anthropic.requests.dialect import BEDROCK, Claude
from gateway.translators.anthropic.requests.request import render_body


@cache
def upstream_form() -> TypeAdapter[MessageCreateParams]:
    """Return what checks a request; it takes seconds to make."""
    return TypeAdapter(MessageCreateParams)


MODELS = st.sampled_from(
    [
        "claude-3-haiku-20240307",
        "claude-sonnet-4-5-20250929",
        "claude-opus-4-5",
        "claude-sonnet-4-6",
        "claude-opus-4-8",
        "claude-haiku-5-5",
        "claude-sonnet-5-5",
        "claude-opus-5-5",
        "claude-something-new",
    ]
)
MARK = st.sampled_from([{}, {}, {}, {"cache_control": {"type": "ephemeral"}}])
TEXT = st.sampled_from(["", " ", "a", "Hello ", "\n", "ü"])
IMAGE = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
PARTS = st.lists(
    st.builds(lambda text, mark: {"type": "text", "text": text, **mark}, TEXT, MARK)
    | st.just(IMAGE),
    max_size=3,
)
IDS = st.sampled_from(["", "call_0", "call_1", "a.b", "functions.f:0"])
NAMES = st.sampled_from(["f", "g", "a.b"])
THINKING = st.sampled_from(
    [
        {},
        {"thinking_blocks": [{"type": "thinking", "thinking": "", "signature": "s"}]},
        {"thinking_blocks": [{"type": "thinking", "thinking": "x"}]},
        {"reasoning_details": [{"type": "reasoning.encrypted", "data": "x"}]},
        {"reasoning_content": "x"},
    ]
)


@st.composite
def rounds(draw, thinking=THINKING, systems=True):
    """Draw the messages up to and with one answer of the assistant."""
    messages = [
        {"role": "user", "content": draw(TEXT | PARTS), **draw(MARK)}
        for _ in range(draw(st.integers(0, 2)))
    ]
    if systems and draw(st.booleans()):
        role = draw(st.sampled_from(["system", "developer"]))
        messages.append({"role": role, "content": draw(TEXT)})
    answer = {"role": "assistant", "content": draw(TEXT | st.none()), **draw(thinking)}
    ids = draw(st.lists(IDS, max_size=3, unique=True))
    if ids:
        answer["tool_calls"] = [
            {
                "id": id,
                "type": "function",
                "function": {"name": draw(NAMES), "arguments": "{}"},
            }
            for id in ids
        ]
    results = [
        {
            "role": "tool",
            "tool_call_id": id,
            "content": draw(TEXT | PARTS),
            **draw(MARK),
        }
        for id in draw(st.permutations(ids))
    ]
    return [*messages, answer, *results]


def tool(name):
    schema = {"type": "object", "properties": {"x": {"type": "integer", "minimum": 1}}}
    return {
        "type": "function",
        "function": {"name": name, "parameters": schema, "strict": True},
    }


SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}}
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "tools": st.lists(st.sampled_from(["f", "g", "a.b"]), unique=True).map(
            lambda names: [tool(name) for name in names]
        ),
        "parallel_tool_calls": st.booleans(),
        "temperature": st.floats(0, 2),
        "top_p": st.floats(0, 1),
        "top_k": st.integers(0, 100),
        "max_tokens": st.integers(1, 300_000),
        "stop": st.lists(st.sampled_from(["", "\n", "END"]), max_size=4),
        "reasoning_effort": st.sampled_from(["none", "low", "medium", "xhigh", "max"]),
        "response_format": st.sampled_from(
            [
                {"type": "json_object"},
                {"type": "json_schema", "json_schema": {"schema": SCHEMA}},
            ]
        ),
        "user": TEXT,
        "service_tier": st.sampled_from(["auto", "default", "flex"]),
        "seed": st.integers(),
        "stream": st.booleans(),
    },
)


@st.composite
def requests(draw):
    messages = [m for part in draw(st.lists(rounds(), max_size=4)) for m in part]
    messages.append({"role": "user", "content": "Go on"})
    body = {"model": "alias", "messages": messages, **draw(OPTIONS)}
    if body.get("tools"):
        body["tool_choice"] = draw(st.sampled_from(["auto", "none", "required"]))
    return body


def render(body, model="claude-sonnet-4-5", **fields):
    route = Route("alias", model, **fields)
    return anthropic.render_request(body, route)


def force(value):
    """Iterate everything that pydantic only validates on the way."""
    if isinstance(value, Mapping):
        for child in value.values():
            force(child)
    elif isinstance(value, list | tuple | Iterator) or (
        hasattr(value, "__iter__") and not isinstance(value, str | bytes)
    ):
        for child in value:
            force(child)


def blocks_of(body):
    return [(turn["role"], b) for turn in body["messages"] for b in turn["content"]]


@given(requests(), MODELS)
def test_what_goes_up_is_a_messages_request(body, model):
    upstream = render(body, model).body
    force(upstream_form().validate_python(upstream))


@given(requests(), MODELS)
def test_turns_alternate_and_hold_no_blank_text(body, model):
    upstream = render(body, model).body
    roles = [t["role"] for t in upstream["messages"] if t["role"] != "system"]
    assert roles[0] == "user"
    assert all(one != next for one, next in pairwise(roles))
    for _, block in blocks_of(upstream):
        assert block["type"] != "text" or block["text"].strip()
    for block in upstream.get("system", ()):
        assert block["text"].strip()


@given(requests(), MODELS)
def test_every_call_is_answered_in_the_next_turn(body, model):
    upstream = render(body, model).body
    seen = set()
    turns = upstream["messages"]
    for turn, following in zip(turns, [*turns[1:], None], strict=True):
        calls = [b["id"] for b in turn["content"] if b["type"] == "tool_use"]
        if not calls:
            continue
        results = [b for b in following["content"] if b["type"] == "tool_result"]
        assert following["content"][: len(results)] == results
        assert [b["tool_use_id"] for b in results] == calls
        assert seen.isdisjoint(calls)
        assert all(re.fullmatch(r"[a-zA-Z0-9_-]+", id) for id in calls)
        seen.update(calls)


@given(requests(), MODELS)
def test_limits_of_the_api_hold(body, model):
    upstream = render(body, model).body
    marked = [
        block
        for block in (
            *upstream.get("tools", ()),
            *upstream.get("system", ()),
            *(block for _, block in blocks_of(upstream)),
        )
        if "cache_control" in block
    ]
    assert len(marked) <= 4
    assert all(b["type"] not in ("thinking", "redacted_thinking") for b in marked)
    assert "tool_choice" not in upstream or upstream["tools"]
    budget = upstream.get("thinking", {}).get("budget_tokens", 1024)
    assert budget >= 1024
    if "budget_tokens" in upstream.get("thinking", {}):
        assert budget < upstream["max_tokens"]
        assert upstream.get("tool_choice", {}).get("type") not in ("any", "tool")
        assert upstream.get("temperature", 1) == 1
    capabilities = claude_model(Route("alias", model))
    assert upstream["max_tokens"] <= capabilities.max_output
    if capabilities.sampling == "none":
        assert not {"temperature", "top_p", "top_k"} & upstream.keys()
    if not capabilities.forced_tools:
        assert upstream.get("tool_choice", {}).get("type") not in ("any", "tool")
    if not capabilities.prefill:
        assert upstream["messages"][-1]["role"] != "assistant"


@given(requests(), MODELS)
def test_rendering_is_pure(body, model):
    before = copy.deepcopy(body)
    first = render(body, model)
    assert render(body, model) == first
    assert body == before


SIGNED = st.sampled_from(
    [
        {},
        {"thinking_blocks": [{"type": "thinking", "thinking": "", "signature": "s"}]},
        {"thinking_blocks": [{"type": "redacted_thinking", "data": "x", "index": 1}]},
    ]
)


def without_marks(upstream):
    return [
        (role, {key: value for key, value in block.items() if key != "cache_control"})
        for role, block in blocks_of(upstream)
    ]


@given(
    st.lists(rounds(thinking=SIGNED, systems=False), min_size=2, max_size=4),
    st.sampled_from(["claude-opus-5-5", "claude-sonnet-4-5"]),
)
def test_a_longer_conversation_begins_with_the_shorter_one(parts, model):
    question = {"role": "user", "content": "And?"}
    messages = [{"role": "system", "content": "Be brief."}]
    asked = []
    for part in parts:
        # What was asked ends with a question or results; then comes the answer.
        messages = [*messages, question, *part]
        asked.append(messages if part[-1]["role"] == "tool" else [*messages, question])
    longest = render({"messages": asked[-1]}, model).body
    for shorter in asked[:-1]:
        begun = render({"messages": shorter}, model).body
        assert begun["system"] == longest["system"]
        before = without_marks(begun)
        assert without_marks(longest)[: len(before)] == before


def test_a_system_message_stays_in_its_place_when_the_answer_follows():
    asked = [
        {"role": "user", "content": "Hi"},
        {"role": "system", "content": "Be brief."},
    ]
    later = [*asked, {"role": "assistant", "content": "Yes."}, asked[0]]
    shorter = render({"messages": asked}, "claude-opus-5-5").body
    longer = render({"messages": later}, "claude-opus-5-5").body
    assert longer["messages"][:2] == shorter["messages"]


def test_many_system_messages_are_each_looked_at_a_few_times():
    looked = 0

    class Message(dict):
        def __getitem__(self, key):
            nonlocal looked
            looked += key == "role"
            return super().__getitem__(key)

    count = 300
    systems = [Message(role="system", content="Be brief.") for _ in range(count)]
    messages = [{"role": "user", "content": "Hi"}, *systems]
    render({"messages": messages}, "claude-opus-5-5")
    assert looked < 20 * count


def on_bedrock(body):
    route = Route("alias", "claude-sonnet-4-5")
    hosted = Claude(claude_model(route), BEDROCK)
    return render_body(Rendering.of(body, route), hosted)


@given(requests())
def test_bedrocks_dialect_holds_nothing_that_bedrock_refuses(body):
    body = {**body, "service_tier": "auto", "cache_control": {"type": "ephemeral"}}
    content = str(body["messages"])
    if "image_url" in content:
        with pytest.raises(GatewayError) as caught:
            on_bedrock(body)
        assert caught.value.code == "invalid_image_url"
        return
    rendered = on_bedrock(body)
    refused = {"model", "stream", "metadata", "service_tier", "cache_control"}
    assert not refused & rendered.body.keys()


def test_bedrock_gets_a_smaller_limit_by_default():
    body = {"messages": [{"role": "user", "content": "Hi"}]}
    rendered = on_bedrock(body)
    assert rendered.body["max_tokens"] == 8192


def test_bedrock_refuses_tools_that_it_does_not_run():
    tools = [{"type": "web_search_20250305", "name": "web_search"}]
    body = {"messages": [{"role": "user", "content": "Hi"}], "tools": tools}
    with pytest.raises(GatewayError) as caught:
        on_bedrock(body)
    assert caught.value.param == "tools[0].type"


def test_a_model_row_overrides_the_table():
    body = {"messages": [{"role": "user", "content": "Hi"}], "temperature": 0.5}
    capabilities = {"sampling": "all", "max_output": 1000}
    upstream = render(body, "claude-opus-4-8", capabilities=capabilities)
    assert upstream.body["temperature"] == 0.5
    assert upstream.body["max_tokens"] == 1000
    assert upstream.dropped == ()


def test_made_up_ids_do_not_depend_on_the_completion():
    call = {"function": {"name": "f", "arguments": "{}"}}
    messages = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "content": "1"},
    ]
    one = render({"messages": messages}, completion_id="chatcmpl-1").body
    two = render({"messages": messages}, completion_id="chatcmpl-2").body
    assert one == two
