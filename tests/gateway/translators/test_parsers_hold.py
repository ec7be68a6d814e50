"""Whatever an upstream sends, a parser answers with chunks or with an error.

The translators of this file promise never to raise on bytes; what they give always has
the shape of OpenAI's chunks.
"""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.doors.chat import render_error
from gateway.errors import GatewayError
from gateway.hub.protocol import JSON, Reply
from gateway.translators import TRANSLATORS

RULED = Reply("m", include_usage=True, stop=("b",), strip_fence=True, json_tool="j")
STREAMS = [
    pytest.param("openai", Reply("m"), id="openai"),
    pytest.param("openai", Reply("m", include_usage=True), id="openai with usage"),
    pytest.param("ollama", Reply("m"), id="ollama"),
    pytest.param("ollama", RULED, id="ollama with rules"),
]
few = settings(max_examples=60)

SCALARS = st.sampled_from([None, True, 0, 1, -1, 1.5, "", "a", "b", "stop", "error"])
NAMES = """
choices delta message content role tool_calls index id function name arguments usage
finish_reason finish_details type error code created model done done_reason thinking
logprobs token top_logprobs eval_count prompt_eval_count
"""
FIELDS = st.sampled_from(NAMES.split())
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=4)
    ),
    max_leaves=12,
)
DELTAS = st.dictionaries(FIELDS, VALUES, max_size=4)
CHOICES = st.lists(st.fixed_dictionaries({"delta": DELTAS}), max_size=2) | VALUES
CHUNKS = st.fixed_dictionaries(
    {"choices": CHOICES}, optional={"usage": VALUES, "id": SCALARS, "error": VALUES}
)
LINES = st.fixed_dictionaries(
    {"message": DELTAS | VALUES}, optional={"done": SCALARS, "logprobs": VALUES}
)
FRAMES = {
    "openai": lambda event: b"data: " + json.dumps(event).encode() + b"\n\n",
    "ollama": lambda event: json.dumps(event).encode() + b"\n",
}


def check(chunks: list[JSON]) -> None:
    for chunk in chunks:
        assert chunk["object"] == "chat.completion.chunk"
        assert isinstance(chunk["id"], str)
        assert isinstance(chunk["created"], int)
        assert chunk["model"] == "m"
        for choice in chunk["choices"]:
            assert isinstance(choice["index"], int)
            assert isinstance(choice["delta"], dict)


def outcome(name: str, reply: Reply, raw: bytes, size: int) -> Any:
    parser = TRANSLATORS[name].stream_parser(reply)
    state = parser.state
    chunks: list[JSON] = []
    for start in range(0, len(raw), size):
        chunks += parser.feed(raw[start : start + size])
    chunks += parser.close()
    check(chunks)
    assert state.done or state.error is not None
    error = state.error and (state.error.status, render_error(state.error))
    said = "".join(
        text
        for chunk in chunks
        for choice in chunk["choices"]
        if isinstance(text := choice["delta"].get("content"), str)
    )
    return said, error, state.done, state.usage


@pytest.mark.parametrize(("name", "reply"), STREAMS)
@few
@given(events=st.lists(CHUNKS | LINES | VALUES, max_size=6), size=st.integers(1, 40))
def test_a_stream_of_anything_has_one_outcome(
    name: str, reply: Reply, events: list[Any], size: int
) -> None:
    raw = b"".join(map(FRAMES[name], events))
    assert outcome(name, reply, raw, size) == outcome(name, reply, raw, len(raw) or 1)


@pytest.mark.parametrize("name", TRANSLATORS)
@few
@given(raw=st.binary(max_size=200), size=st.integers(1, 7))
def test_a_stream_of_garbage_has_one_outcome(name: str, raw: bytes, size: int) -> None:
    reply = Reply("m", wire="claude")
    assert outcome(name, reply, raw, size) == outcome(name, reply, raw, len(raw) or 1)


@pytest.mark.parametrize("name", ["openai", "ollama"])
@few
@given(payload=CHUNKS | LINES | VALUES)
def test_a_whole_answer_of_anything_is_parsed_or_refused(
    name: str, payload: Any
) -> None:
    try:
        answer = TRANSLATORS[name].parse_response(payload, {}, Reply("m"))
    except GatewayError:
        return
    assert answer["model"] == "m"
    assert answer["choices"]


@pytest.mark.parametrize("name", TRANSLATORS)
@few
@given(
    status=st.integers(100, 599),
    payload=st.binary(max_size=60) | VALUES.map(lambda v: json.dumps(v).encode()),
)
def test_a_refusal_of_anything_becomes_an_error(
    name: str, status: int, payload: bytes
) -> None:
    error = TRANSLATORS[name].parse_error(status, {}, payload)
    assert 400 <= error.status < 600
    assert error.message
    assert set(render_error(error)["error"]) == {"message", "type", "param", "code"}
