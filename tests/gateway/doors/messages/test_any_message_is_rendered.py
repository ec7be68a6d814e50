"""Whatever a client of the Messages API sends is rendered, or refused with a 400."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.calls.passages.through_hub import ThroughHub, frames
from gateway.doors import messages
from gateway.doors.messages.estimate import estimated
from gateway.doors.protocol import NOTHING_SENT, Asked
from gateway.errors import GatewayError
from gateway.hub.protocol import Route
from gateway.translators import TRANSLATORS
from tests.grammar.messages import message_in

names = st.sampled_from(["Read", "Bash", "DeferredToolPlaceholder", "a" * 100])
ids = st.sampled_from(["a", "b", "gwid_ZnVuY3Rpb25zLkJhc2g6MA", "gwid_%", "", "x y"])
texts = st.sampled_from(
    ["", " ", "hi", "Error: x", "<system-reminder>s", "\ud7ff é 日"]
)
odd = st.sampled_from(
    [None, True, 0, -1, 1.5, "x", [], {}, [[]], {"type": 3}, {"type": "hologram"}]
)
PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def one_of(*fixed: Any) -> st.SearchStrategy[Any]:
    """Return what a field holds, and now and then what no field holds."""
    held = [x if isinstance(x, st.SearchStrategy) else st.just(x) for x in fixed]
    is_odd = st.sampled_from([False] * 19 + [True])
    return is_odd.flatmap(lambda is_odd: odd if is_odd else st.one_of(*held))


sources = one_of(
    {"type": "base64", "media_type": "image/png", "data": PNG},
    {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0xLjQ="},
    {"type": "text", "media_type": "text/plain", "data": "Once"},
    {"type": "content", "content": [{"type": "text", "text": "t"}]},
    {"type": "url", "url": "https://example.com/a.png"},
)
plain = st.one_of(
    st.fixed_dictionaries({"type": st.just("text"), "text": one_of(texts)}),
    st.fixed_dictionaries(
        {"type": st.sampled_from(["image", "document"]), "source": sources},
        optional={"title": one_of(texts), "citations": one_of({"enabled": True})},
    ),
    st.fixed_dictionaries(
        {"type": st.just("tool_reference"), "tool_name": one_of(names)}
    ),
    st.sampled_from(
        [
            {"type": "search_result", "source": "s", "title": "t", "content": []},
            {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
            {"type": "web_search_tool_result", "content": {"error_code": "x"}},
            {"type": "fallback"},
        ]
    ),
)
content = one_of(texts, st.lists(plain, max_size=3))
blocks = st.one_of(
    plain,
    st.fixed_dictionaries(
        {
            "type": st.just("tool_use"),
            "id": one_of(ids),
            "name": one_of(names),
            "input": one_of({"p": 1}),
        }
    ),
    st.fixed_dictionaries(
        {"type": st.just("tool_result"), "tool_use_id": one_of(ids)},
        optional={"content": content, "is_error": one_of(True, False)},
    ),
    st.fixed_dictionaries(
        {"type": st.just("thinking"), "thinking": one_of(texts)},
        optional={"signature": one_of("", "sig")},
    ),
    odd,
)
said = st.fixed_dictionaries(
    {
        "role": one_of("user", "assistant", "system"),
        "content": one_of("hi", content, st.lists(blocks, min_size=1, max_size=3)),
    }
)


def called(id: str, name: str, result: Any) -> list[dict[str, Any]]:
    """Return a call with its result, which most messages made at random lack."""
    call = {"type": "tool_use", "id": id, "name": name, "input": {}}
    answer = {"type": "tool_result", "tool_use_id": id, "content": result}
    return [
        {"role": "assistant", "content": [call]},
        {"role": "user", "content": [answer]},
    ]


turns = st.one_of(
    st.lists(said, min_size=1, max_size=2),
    st.builds(
        lambda first, calls: [first, *calls],
        st.just({"role": "user", "content": "hi"}),
        st.builds(called, ids, names, content),
    ),
)
tools = st.fixed_dictionaries(
    {"name": one_of(names)},
    optional={
        "type": one_of("custom", "bash_20250124"),
        "input_schema": one_of({"type": "object"}, {"anyOf": [{"type": "object"}]}),
        "description": one_of(texts),
        "defer_loading": one_of(True),
        "strict": one_of(True),
        "cache_control": one_of({"type": "ephemeral"}),
    },
)
schemas = st.fixed_dictionaries(
    {"type": one_of("object")},
    optional={
        "properties": one_of({"p": {"type": "string"}}),
        "required": one_of(["p"], st.lists(odd, max_size=2)),
        "additionalProperties": one_of(False),
    },
)
formats = st.fixed_dictionaries({"type": one_of("json_schema"), "schema": schemas})
bodies = st.fixed_dictionaries(
    {"model": st.just("m"), "messages": one_of(turns)},
    optional={
        "max_tokens": one_of(100, 64000),
        "system": content,
        "stream": st.booleans(),
        "temperature": one_of(0.5),
        "top_k": one_of(5),
        "stop_sequences": one_of(["a"], ["a", "b", "c", "d", "e"]),
        "thinking": one_of({"type": "adaptive"}, {"type": "disabled"}),
        "output_config": one_of(
            {"effort": "high"}, st.fixed_dictionaries({"format": formats})
        ),
        "metadata": one_of({"user_id": '{"session_id": "s"}'}, {"user_id": "u"}),
        "tools": one_of(st.lists(tools, max_size=3)),
        "tool_choice": one_of({"type": "any"}, {"type": "tool", "name": "Read"}),
        "cache_control": one_of({"type": "ephemeral"}),
        "mcp_servers": one_of([]),
        "foo": odd,
    },
)
MODELS = {"openai": "gpt-4o", "anthropic": "claude-sonnet-4-5", "ollama": "llama3.2"}
AVOID = st.frozensets(
    st.sampled_from(
        [
            *(feature.name for feature in messages.AVOIDABLE),
            "limit 4096",
            "reasoning_effort low medium",
        ]
    ),
    max_size=3,
)


@pytest.mark.parametrize("kind", [*MODELS, "bedrock"])
@given(bodies, AVOID)
def test_any_body_is_rendered_or_refused(kind, body, avoid):
    model = MODELS.get(kind, "us.amazon.nova-pro-v1:0")
    route = Route("m", model, provider_type=kind, avoid=avoid)
    passage = ThroughHub(messages, TRANSLATORS[kind], frames)
    body = {"max_tokens": 100, **body}
    before = repr(body)
    try:
        asked = messages.parse_request(body, NOTHING_SENT)
        prepared = passage.prepare(asked, route)
        image = f"data:image/png;base64,{PNG}"
        rendered = prepared.render(dict.fromkeys(prepared.remote_urls, image))
    except GatewayError as refusal:
        if refusal.status != 400:
            raise
        return
    finally:
        assert repr(body) == before
    assert rendered.body
    renderer = messages.stream_renderer(asked)
    assert message_in(renderer.render([]) + renderer.end())["content"] == []


@given(st.dictionaries(st.sampled_from(["system", "messages", "tools"]), odd) | bodies)
def test_any_body_is_estimated(body):
    assert estimated(body) >= 1


@given(st.data())
def test_a_longer_conversation_begins_with_the_shorter(data):
    """Prompt caches need it."""
    calls = [
        called(f"c{at}", data.draw(st.sampled_from(["Read", "Bash"])), "ok")
        for at in range(data.draw(st.integers(1, 4)))
    ]
    turns = [{"role": "user", "content": "hi"}]
    hubs = []
    for call in calls:
        turns = turns + call
        asked = Asked("m", False, {"model": "m", "max_tokens": 9, "messages": turns})
        hub = messages.hub_request(asked, Route("m", "m", provider_type="openai"))
        hubs.append(hub.body["messages"])
    for shorter, longer in pairwise(hubs):
        assert longer[: len(shorter)] == shorter
