"""A plain request is read in one go as it is read by parts, and so is an answer."""

from hypothesis import example, given
from hypothesis import strategies as st

from gateway.doors.messages import answer
from gateway.doors.messages.answer import Wanted, message_of
from gateway.doors.messages.reading import Reading
from gateway.doors.messages.request.plain import plain_hub
from gateway.hub.protocol import Route
from gateway.wire.jsontext import encode

texts = st.sampled_from(["", " ", "a", "b\n", "x-anthropic-billing-header: a"])
odd = st.sampled_from([None, 1, [], {}, True])
block = st.one_of(
    st.fixed_dictionaries(
        {"type": st.sampled_from(["text", "text", "image"]), "text": texts},
        optional={
            "cache_control": st.just({"type": "ephemeral"}),
            "citations": st.just({"enabled": True}),
        },
    ),
    odd,
)
content = st.one_of(texts, st.lists(block, max_size=2), odd)
message = st.fixed_dictionaries(
    {
        "role": st.sampled_from(["user", "assistant", "user", "system", 1]),
        "content": content,
    },
    optional={"id": texts},
)
turned = message.map(lambda fields: dict(reversed(fields.items())))
said = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant"]), "content": texts}
)
bodies = st.fixed_dictionaries(
    {
        "model": st.just("m"),
        "messages": st.lists(message | turned | said, min_size=1, max_size=4),
    },
    optional={
        "max_tokens": st.one_of(st.integers(-1, 12), odd),
        "system": content,
        "temperature": st.one_of(st.sampled_from([0, 0.5, 1, 1.5, -1]), odd),
        "top_p": st.one_of(st.sampled_from([0, 0.5, 1, 1.5, -1]), odd),
        "stream": st.booleans(),
        "metadata": st.just({"user_id": "u"}),
        "stop_sequences": st.just(["a"]),
        "mcp_servers": odd,
    },
)
routes = st.builds(
    Route,
    st.just("m"),
    st.sampled_from(["gpt-4o", "claude", "u"]),
    provider_type=st.sampled_from(["openai", "anthropic", "bedrock", "ollama"]),
    host=st.sampled_from(["api.openai.com", "x.example"]),
    capabilities=st.sampled_from([{}, {"max_output": 5}, {"max_output": True}]),
    options=st.sampled_from(
        [{}, {"strict_params": True}, {"cache_marks": "cache_control"}]
    ),
    avoid=st.sampled_from([frozenset(), frozenset({"mid_system"})]),
)
TURN = {"role": "user", "content": "a"}


@given(bodies, routes, st.sampled_from(["", "session"]))
@example(
    {"model": "m", "messages": [TURN], "max_tokens": 9, "system": "b"},
    Route("m", "u", provider_type="openai", host="api.openai.com"),
    "session",
)
def test_a_plain_request_is_what_it_is_by_parts(body, route, session):
    """To the byte: the order of the fields as well."""
    if plain_hub(body, route) is None:
        return
    reading = Reading(body, session)
    plain, by_parts = reading.hub(route), reading.by_parts(route)
    assert encode(plain.body) == encode(by_parts.body)
    assert plain._replace(body={}, client_path=None) == by_parts._replace(
        body={}, client_path=None
    )
    places = [f"messages[{at}]" for at in range(len(plain.body["messages"]))]
    for path in ("max_completion_tokens", "stop", *places):
        assert plain.client_path(path) == by_parts.client_path(path)


def test_what_most_send_is_plain():
    """And texts in one block each."""
    body = {
        "model": "m",
        "system": [{"type": "text", "text": "Be brief."}],
        "messages": [TURN],
        "max_tokens": 256,
        "stream": True,
    }
    assert plain_hub(body, Route("m", "u", provider_type="openai")) == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "a"},
        ],
        "max_tokens": 256,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


@given(
    st.fixed_dictionaries(
        {"role": st.just("assistant"), "content": st.one_of(texts, odd)},
        optional={
            "refusal": st.one_of(texts, st.none()),
            "reasoning_content": st.one_of(texts, st.none()),
            "annotations": st.just([]),
            "tool_calls": st.just([]),
        },
    ),
    st.sampled_from([None, {"prompt_tokens": 3, "completion_tokens": 2}]),
)
def test_an_answer_of_text_is_what_it_is_by_parts(said, usage):
    """Looked at as if anything might stand beside it."""
    choice = {"index": 0, "message": said, "finish_reason": "stop"}
    completion = {"id": "c", "choices": [choice], "usage": usage}
    told = message_of(completion, Wanted("m", {}, input_tokens=7))
    more = {"content": [*answer._thinking(said, Wanted("m", {})), *answer._texts(said)]}
    assert encode(told["content"]) == encode(more["content"])
