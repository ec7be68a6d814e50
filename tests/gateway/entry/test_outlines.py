"""What is read by its outline is what is read as a whole, and goes on as that does."""

import json
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.calls.passages import between
from gateway.calls.passages.short_frames import short_frames
from gateway.calls.passages.through_hub import ThroughHub
from gateway.doors import chat
from gateway.doors.protocol import Asked, Sent
from gateway.entry import bodies
from gateway.errors import GatewayError
from gateway.hub.outlines import Outline, Tools, shapes
from gateway.hub.protocol import JSON, Route
from gateway.translators import anthropic, bedrock, ollama, openai
from gateway.wire.jsontext import decode, encode
from tests.gateway.entry.altering import altered
from tests.gateway.entry.test_plain_bodies import TRICKS, verdict

SHAPES = shapes(range(1, 1024 * 1024))
"""Of short ones, too."""

TEXTS = st.text(st.sampled_from('ab "\\{}[],:\n é\U0001f600'), max_size=12)
ODD = st.none() | st.integers() | st.just([]) | st.just({"a": 1e3}) | st.just("x")
ROLES = st.sampled_from(["system", "developer", "user", "assistant", "tool", "other"])
PARTS = st.fixed_dictionaries(
    {"type": st.sampled_from(["text", "image_url", "input_audio"])},
    optional={
        "text": TEXTS | ODD,
        "image_url": st.just({"url": "https://example.com/a.png", "detail": "low"}),
        "cache_control": st.just({"type": "ephemeral"}) | ODD,
        "other": ODD,
    },
)
CALLS = st.fixed_dictionaries(
    {
        "id": st.just("call_1"),
        "type": st.just("function"),
        "function": st.just({"name": "f", "arguments": '{"a": 1}'}),
    },
    optional={"index": st.integers()},
)
TALK = st.fixed_dictionaries(
    {
        "role": st.sampled_from(["system", "user", "user", "assistant"]),
        "content": TEXTS.filter(bool),
    }
)
MESSAGES = st.fixed_dictionaries(
    {"role": ROLES, "content": TEXTS | st.lists(PARTS, max_size=2) | ODD},
    optional={
        "name": st.just("n") | ODD,
        "tool_calls": st.lists(CALLS, max_size=2) | ODD,
        "tool_call_id": st.just("call_1") | ODD,
        "refusal": TEXTS | ODD,
        "reasoning_content": TEXTS | ODD,
        "thinking_blocks": ODD,
        "is_error": st.booleans(),
        "content_parts": ODD,
        "other": ODD,
    },
)
TOOL = {
    "type": "function",
    "function": {
        "name": "f",
        "description": "long " * 500,
        "parameters": {"type": "object", "properties": {"a": {"maximum": 1.5}}},
    },
}
FLAT = {"type": "custom", "name": "c", "description": "long " * 500}
FIELDS = st.fixed_dictionaries(
    {"messages": st.lists(TALK, min_size=1) | st.lists(MESSAGES | ODD) | ODD},
    optional={
        "stream": st.booleans() | ODD,
        "stream_options": st.just({"include_usage": True}) | ODD,
        "max_tokens": st.integers(1, 100) | ODD,
        "max_completion_tokens": st.integers(1, 100),
        "temperature": st.sampled_from([0, 0.5, 1, 2]) | ODD,
        "tools": st.lists(st.sampled_from([TOOL, TOOL, FLAT]), max_size=1) | ODD,
        "tool_choice": st.just("auto") | ODD,
        "stop": st.just(["x"]) | ODD,
        "reasoning": st.just({"exclude": True}) | ODD,
        "extra_body": st.just({"seed": 1}) | ODD,
        "input": TEXTS | ODD,
        "other": ODD,
    },
)
STYLES = st.sampled_from(
    [{}, {"separators": (",", ":"), "ensure_ascii": False}, {"indent": 1}]
)


@st.composite
def texts(draw: st.DrawFn) -> bytes:
    """Return the text of a request, or of nearly one."""
    fields = draw(FIELDS)
    keys = draw(st.permutations(["model", *fields]))
    body = {key: fields.get(key, "alias") for key in keys}
    text = json.dumps(body, **draw(STYLES)).encode()
    return draw(altered(text, TRICKS, most=2))


def whole(raw: bytes) -> Any:
    """Return what is read by an outline where that is possible."""
    read = bodies.read(raw, SHAPES)
    if not read.is_outline:
        return read.body
    outline = Outline.of(read.body, raw, read.members)
    assert outline is not None
    return outline.whole()


@pytest.mark.proves("1.7")
@given(texts())
@example(b'{"model":"m","messages":[{"role":"user","content":"a"}],"Model":"x"}')
@example(
    b'{"messages":[{"role":"user","content":"a"}],"messages":[{"role":"user","content":"a"}]}'
)
@example(b'{"messages":[{"role":"user","content":"\xff"}]}')
@example(b'{"messages":[{"role":"user","content":"\\ud800"}]}')
@example(b'{"messages":[{"role":"user","content":"a"}],"tools":[%b]}' % (b"1" * 4301))
@example(
    b'{"messages":[{"role":"user","content":"a"}],"tools":%b1%b}'
    % (b"[" * 128, b"]" * 128)
)
@example(b'{"messages":[{"role":"user","content":"a"}],"tools":[1e999]}')
def test_both_ways_give_one_verdict_in_the_same_words(raw):
    for _ in range(3):  # What is seen again is kept from the second time on.
        assert verdict(whole, raw) == verdict(bodies.judged, raw)


def asked(raw: bytes, *, by_outline: bool) -> Asked:
    """Return what is asked for by a body."""
    read = bodies.read(raw, SHAPES if by_outline else None)
    sent = Sent({}, raw=raw, members=read.members, is_outlined=read.is_outline)
    return chat.parse_request(read.body, sent)


def rendered(raw: bytes, translator: Any, route: Route, *, by_outline: bool) -> Any:
    """Return what is sent and what the answer is read by, or the refusal."""
    try:
        found = asked(raw, by_outline=by_outline)
        request = between(chat, translator).prepare(found, route).render({})
    except GatewayError as error:
        return error.status, error.code, error.param, error.message
    told = request.told()
    body = decode(encode(told.body))
    # Of each request another one.
    reply = told.reply._replace(client_path=None)
    # How soon an answer is read changes nothing of it.
    told = told._replace(body=body, raw=b"", reply=reply, at_once=None)
    return told, list(body)


BLANKS = b" " * 8192
"""Outlines are of long requests, of which the text is kept."""
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "drop_params": st.just(["stop", "tools"]),
        "include_usage": st.booleans(),
        "system_role": st.just("developer"),
        "send_reasoning_content": st.booleans(),
    },
)


@pytest.mark.proves("1.8")
@pytest.mark.parametrize(
    ("translator", "model"),
    [
        (openai, "gpt-4o"),
        (anthropic, "claude-sonnet-4-5"),
        (anthropic, "claude-3-5-haiku-latest"),
        (bedrock, "amazon.nova-pro-v1:0"),
        (ollama, "llama3.2"),
    ],
)
@given(FIELDS, OPTIONS, st.booleans(), STYLES)
@example({"messages": None, "input": ":"}, {}, False, {})
def test_it_is_rendered_as_what_is_read_as_a_whole(
    translator, model, fields, options, is_avoided, style
):
    raw = BLANKS + json.dumps({"model": "alias", **fields}, **style).encode()
    avoid = frozenset({"stream_options"} if is_avoided else ())
    route = Route("alias", model, options=options, avoid=avoid, region="us-east-1")
    before = rendered(raw, translator, route, by_outline=False)
    for _ in range(3):
        assert rendered(raw, translator, route, by_outline=True) == before


def talk(turns: int) -> list[JSON]:
    """Return a conversation."""
    roles = ("user", "assistant")
    return [{"role": roles[n % 2], "content": f"turn {n} " * 20} for n in range(turns)]


SYSTEM = {"role": "system", "content": "Be brief."}


@pytest.mark.parametrize(
    "messages",
    [
        talk(101),
        [SYSTEM, *talk(101)],
        [SYSTEM, SYSTEM, *talk(51), *talk(51)],
        [*talk(101), SYSTEM, *talk(1)],
        talk(100),
        talk(101)[1:],
        [*talk(101), {"role": "user", "content": " "}],
        [SYSTEM] * 300,
    ],
)
def test_long_talk_is_rendered_by_the_turn(messages):
    raw = encode({"model": "alias", "messages": messages, "max_tokens": 99})
    route = Route("alias", "claude-sonnet-4-5")
    found = asked(raw, by_outline=True)
    assert found.outline is not None
    before = rendered(raw, anthropic, route, by_outline=False)
    assert rendered(raw, anthropic, route, by_outline=True) == before


def test_tools_that_come_again_are_read_once_and_never_changed():
    tools = [deepcopy(TOOL)]
    raw = encode({"model": "alias", "messages": talk(101), "tools": tools})
    for translator in (openai, anthropic, bedrock, ollama):
        route = Route("alias", "claude-sonnet-4-5", region="us-east-1")
        for _ in range(3):
            rendered(raw, translator, route, by_outline=True)
    first, second = (asked(raw, by_outline=True).body["tools"] for _ in range(2))
    assert type(first) is Tools
    assert first is second
    assert first == tools
    assert decode(first.text) == tools


def test_an_outline_is_let_go_as_all_that_was_read():
    raw = encode({"model": "alias", "messages": talk(101)})
    found = asked(raw, by_outline=True)
    before = found.body
    assert found.let_go()
    assert found.outline is None
    assert found.body == before


def test_plain_agents_are_read_by_their_outlines():
    call = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    turns = [
        {"role": "user", "content": [{"type": "text", "text": "hi"}]},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "a", "content": "x" * 9000},
    ]
    raw = encode({"model": "alias", "messages": turns, "tools": [TOOL]})
    found = asked(raw, by_outline=True)
    assert found.outline is not None
    plain = ThroughHub(chat, openai, short_frames)
    route = Route("alias", "gpt-4o")
    request = plain.prepare(asked(raw, by_outline=False), route).render({})
    sent = between(chat, openai).prepare(found, route).render({})
    assert decode(sent.raw) == request.body
