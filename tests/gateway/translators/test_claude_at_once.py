"""Claude's plain answers are read in one pass, and come to the same bytes."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import GatewayError
from gateway.hub.protocol import JSON, Reply
from gateway.ledger.usage import usage_fields
from gateway.translators.anthropic.answers.at_once import read_at_once
from gateway.translators.anthropic.answers.response import (
    FINISH_REASONS,
    parse_response,
)
from gateway.wire.jsontext import decode, encode

REPLY = Reply("claude", "chatcmpl-1", 1790000000)
MESSAGE: JSON = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5",
    "content": [{"type": "text", "text": 'Ä "quoted"\nline \u2028 \U0001f600'}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {
        "input_tokens": 20,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 3,
        "cache_creation": {
            "ephemeral_5m_input_tokens": 0,
            "ephemeral_1h_input_tokens": 0,
        },
        "output_tokens": 80,
        "service_tier": "standard",
        "inference_geo": "global",
    },
}


def assert_same(raw: bytes) -> bool:
    """Tell whether an answer was read in one pass; then it is what it always was."""
    found = read_at_once(raw, REPLY)
    if found is None:
        return False
    completion = parse_response(decode(raw), {}, REPLY)
    assert found.raw == encode(completion)
    assert found.finish_reason == completion["choices"][0]["finish_reason"]
    assert found.counts == usage_fields(completion["usage"])
    return True


def test_what_claude_says_today_is_read_in_one_pass() -> None:
    assert assert_same(encode(MESSAGE))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b'{"type": "error", "error": {"type": "overloaded_error"}}',
        encode({**MESSAGE, "content": []}),
        encode({**MESSAGE, "content": MESSAGE["content"] * 2}),
        encode({**MESSAGE, "content": [{"type": "text", "text": ""}]}),
        encode({**MESSAGE, "content": [{**MESSAGE["content"][0], "citations": []}]}),
        encode({**MESSAGE, "stop_reason": "refusal"}),
        encode({**MESSAGE, "stop_reason": "malformed_tool_use"}),
        encode({**MESSAGE, "stop_reason": None}),
        encode({**MESSAGE, "usage": None}),
        encode({**MESSAGE, "usage": {"input_tokens": -1, "output_tokens": 1}}),
        encode({**MESSAGE, "usage": {"input_tokens": 2**31, "output_tokens": 1}}),
        encode(MESSAGE) + b"}",
        encode(MESSAGE).replace(b"global", b"glo\xffbal"),
    ],
)
def test_what_is_not_plain_is_left_to_who_looks_at_everything(raw: bytes) -> None:
    assert read_at_once(raw, REPLY) is None


_COUNTS = st.none() | st.integers(0, 10**6) | st.sampled_from([-1, 1.5, 2**40, "9"])
_LASTING = st.dictionaries(
    st.sampled_from(["ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens", "x"]),
    st.integers(0, 9) | st.none(),
)
_USAGE = st.fixed_dictionaries(
    {},
    optional={
        "input_tokens": _COUNTS,
        "output_tokens": _COUNTS,
        "cache_creation_input_tokens": _COUNTS,
        "cache_read_input_tokens": _COUNTS,
        "cache_creation": st.none() | _LASTING,
        "service_tier": st.sampled_from(["standard", "priority", "batch", "", None, 1]),
        "output_tokens_details": st.just({"thinking_tokens": 1}),
        "iterations": st.just([]),
        "server_tool_use": st.none(),
    },
)
_TEXT: Any = st.text(max_size=20)
_BLOCK = st.fixed_dictionaries({"type": st.just("text"), "text": _TEXT})
_MESSAGES = st.fixed_dictionaries(
    {"content": st.lists(_BLOCK, max_size=2)},
    optional={
        "type": st.sampled_from(["message", "error", None]),
        "stop_reason": st.sampled_from([*FINISH_REASONS.words, "odd", None, 1]),
        "usage": _USAGE | st.none(),
        "id": _TEXT,
        "role": st.just("assistant"),
    },
)


@settings(max_examples=400, deadline=None)
@given(_MESSAGES)
def test_whatever_is_read_in_one_pass_is_what_it_always_was(message: JSON) -> None:
    try:
        assert_same(encode(message))
    except GatewayError:
        pytest.fail("it is no answer, and was taken for one")
