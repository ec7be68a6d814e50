"""Whatever a client sends: it is understood, or refused and the field named."""

import json

from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.doors import responses
from gateway.doors.protocol import NOTHING_SENT
from gateway.doors.responses.request.items import _READERS, HOSTED_HISTORY
from gateway.errors import GatewayError
from gateway.hub.protocol import Route

texts = st.sampled_from(["", "a", "call_1", "n__", "https://x/y.png", "g1.x.y"])
plain = st.one_of(st.none(), st.booleans(), st.integers(-1, 3), texts)
anything = st.recursive(
    plain,
    lambda inner: st.one_of(
        st.lists(inner, max_size=2),
        st.dictionaries(
            st.sampled_from(["type", "text", "name", "url", "tools", "effort"]),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=6,
)


def _object(kinds, **fields):
    optional = {name: st.one_of(value, anything) for name, value in fields.items()}
    return st.fixed_dictionaries({"type": st.sampled_from(kinds)}, optional=optional)


parts = _object(
    [
        "input_text",
        "output_text",
        "refusal",
        "input_image",
        "input_file",
        "input_audio",
    ],
    text=texts,
    refusal=texts,
    image_url=texts,
    file_data=texts,
    file_id=texts,
    detail=texts,
)
tools = st.deferred(
    lambda: _object(
        [
            "function",
            "custom",
            "namespace",
            "tool_search",
            "shell",
            "apply_patch",
            "web_search",
            "mcp",
        ],
        name=texts,
        description=texts,
        parameters=st.just({"type": "object"}),
        format=st.just({"type": "grammar", "definition": "start: x"}),
        tools=st.lists(tools, max_size=2),
        execution=st.sampled_from(["client", "server"]),
        environment=st.just({"type": "local"}),
        function=st.just({"name": "f"}),
    )
)
items = st.one_of(
    anything,
    st.fixed_dictionaries(
        {"role": st.sampled_from(["user", "system", "assistant", "developer", "tool"])},
        optional={"content": st.one_of(texts, st.lists(parts, max_size=2), anything)},
    ),
    _object(
        [*_READERS, *HOSTED_HISTORY, "computer_call"],
        role=st.just("user"),
        content=st.lists(parts, max_size=2),
        call_id=st.sampled_from(["call_1", "call_2"]),
        id=texts,
        name=texts,
        namespace=texts,
        arguments=texts,
        input=texts,
        output=st.one_of(texts, st.lists(parts, max_size=2)),
        action=st.just({"commands": ["ls"]}),
        operation=st.just({"type": "delete_file", "path": "a"}),
        execution=st.sampled_from(["client", "server"]),
        tools=st.lists(tools, max_size=2),
        encrypted_content=texts,
        reasoning=st.just({"effort": "low"}),
        text=st.just({"format": {"type": "text"}}),
    ),
)
choices = st.one_of(
    st.sampled_from(["auto", "none", "required"]),
    _object(
        ["function", "custom", "allowed_tools", "shell", "web_search", "mcp"],
        name=texts,
        namespace=texts,
        mode=texts,
        tools=st.lists(tools, max_size=2),
    ),
)
fields = st.fixed_dictionaries(
    {"input": st.one_of(texts, st.lists(items, max_size=4))},
    optional={
        "instructions": st.one_of(texts, st.lists(items, max_size=1), anything),
        "tools": st.one_of(st.lists(tools, max_size=3), anything),
        "tool_choice": st.one_of(choices, anything),
        "text": st.one_of(st.fixed_dictionaries({"format": anything}), anything),
        "reasoning": anything,
        "include": st.one_of(st.just(["message.output_text.logprobs"]), anything),
        "max_output_tokens": anything,
        "truncation": anything,
        "prompt_cache_options": anything,
        "metadata": anything,
        "stream": st.booleans(),
        "conversation": anything,
        "parallel_tool_calls": anything,
    },
)


@settings(max_examples=300)
@example({"input": [{"type": "function_call_output", "call_id": "a", "output": [1]}]})
@example({"input": "a", "tools": [{"type": ["x"]}]})
@example({"input": [{"type": {}}]})
@example({"input": "a", "tool_choice": {"type": "allowed_tools", "tools": 5}})
@example({"input": [{"type": "configuration_update", "text": {"a": 1}}], "text": 5})
@example(
    {
        "input": "a",
        "tool_choice": {"type": "function", "name": "a", "namespace": [1]},
    }
)
@example(
    {
        "input": [
            {
                "type": "tool_search_output",
                "execution": "client",
                "call_id": "a",
                "tools": [
                    {
                        "type": "namespace",
                        "name": "n",
                        "tools": [{"type": "function", "function": {"name": "f"}}],
                    }
                ],
            }
        ]
    }
)
@given(fields)
def test_any_body_is_understood_or_refused(body):
    body = {"model": "m", **body}
    before = json.dumps(body)
    asked, refused = understood(body)
    assert json.dumps(body) == before, "the request was mutated"
    if refused is not None:
        assert refused.status in (400, 404)
        assert refused.param is not None
        return
    choice = {"index": 0, "message": {"role": "assistant", "content": "x"}}
    answer = responses.render_response({"choices": [choice]}, asked)
    assert answer["output"][0]["content"][0]["text"] == "x"
    assert b"response.completed" in responses.stream_renderer(asked).end()


def understood(body):
    """What is asked, or the refusal."""
    route = Route("m", "m", completion_id="chatcmpl-" + "x" * 29)
    try:
        asked = responses.parse_request(body, NOTHING_SENT)
        responses.hub_request(asked, route)
    except GatewayError as error:
        return None, error
    return asked, None
