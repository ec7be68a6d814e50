"""Properties of what comes down from Claude, whole and streamed."""

import json
import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from gateway.errors import GatewayError
from gateway.hub.protocol import Reply
from gateway.translators import anthropic
from gateway.wire.jsontext import JSONError

REPLY = Reply("alias", "chatcmpl-1", 1_700_000_000, include_usage=True)

PIECES = st.lists(st.text(max_size=8), max_size=4)
CITATION = {
    "type": "web_search_result_location",
    "url": "https://example.com",
    "title": "Example",
    "cited_text": "x",
    "encrypted_index": "x",
}


def pieces_of(text, count):
    size = max(1, len(text) // max(1, count))
    return [text[at : at + size] for at in range(0, len(text), size)]


TEXTS = PIECES.map(
    lambda pieces: (
        {"type": "text", "text": "".join(pieces)},
        {"type": "text", "text": ""},
        [{"type": "text_delta", "text": piece} for piece in pieces],
    )
)
CITED = PIECES.map(
    lambda pieces: (
        {"type": "text", "text": "".join(pieces), "citations": [CITATION]},
        {"type": "text", "text": "", "citations": []},
        [
            *({"type": "text_delta", "text": piece} for piece in pieces),
            {"type": "citations_delta", "citation": CITATION},
        ],
    )
)
THOUGHTS = PIECES.map(
    lambda pieces: (
        {"type": "thinking", "thinking": "".join(pieces), "signature": "sig"},
        {"type": "thinking", "thinking": "", "signature": ""},
        [
            *({"type": "thinking_delta", "thinking": piece} for piece in pieces),
            {"type": "signature_delta", "signature": "sig"},
        ],
    )
)
REDACTED = st.just(
    (
        {"type": "redacted_thinking", "data": "x"},
        {"type": "redacted_thinking", "data": "x"},
        [],
    )
)
INPUTS = st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=5))
TOOLS = st.tuples(INPUTS, st.integers(1, 4)).map(
    lambda drawn: (
        {"type": "tool_use", "id": "toolu", "name": "f", "input": drawn[0]},
        {"type": "tool_use", "id": "toolu", "name": "f", "input": {}},
        [
            {"type": "input_json_delta", "partial_json": piece}
            for piece in ["", *pieces_of(json.dumps(drawn[0]), drawn[1])]
        ],
    )
)
HIDDEN = st.just(
    (
        {"type": "server_tool_use", "id": "st", "name": "web_search", "input": {}},
        {"type": "server_tool_use", "id": "st", "name": "web_search", "input": {}},
        [{"type": "input_json_delta", "partial_json": "{}"}],
    )
)
BLOCKS = st.lists(st.one_of(TEXTS, CITED, THOUGHTS, REDACTED, TOOLS, HIDDEN))
STOPS = st.sampled_from(["end_turn", "tool_use", "max_tokens", "refusal", "news"])


def message(blocks, stop):
    """Return the message that the drawn blocks make."""
    for number, (block, start, _) in enumerate(blocks):
        for each in (block, start):
            if each["type"] == "tool_use":
                each["id"] = f"toolu_{number}"
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "content": [block for block, _, _ in blocks],
        "stop_reason": stop,
        "usage": {"input_tokens": 3, "output_tokens": 4, "cache_read_input_tokens": 2},
    }


def events(blocks, stop):
    """Return the same message as events."""
    counts = {"input_tokens": 3, "output_tokens": 1, "cache_read_input_tokens": 2}
    yield {"type": "message_start", "message": {"id": "msg_1", "usage": counts}}
    for index, (_, start, deltas) in enumerate(blocks):
        yield {"type": "content_block_start", "index": index, "content_block": start}
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    yield {
        "type": "message_delta",
        "delta": {"stop_reason": stop},
        "usage": {"output_tokens": 4},
    }
    yield {"type": "message_stop"}


def wire(events):
    return b"".join(
        f"event: {e['type']}\ndata: {json.dumps(e, ensure_ascii=False)}\n\n".encode()
        for e in events
    )


def run(pieces):
    parser = anthropic.stream_parser(REPLY)
    chunks = [chunk for piece in pieces for chunk in parser.feed(piece)]
    return parser, [*chunks, *parser.close()]


def assembled(chunks):
    """Put chunks together by the official client's own helper."""
    state = ChatCompletionStreamState()
    for chunk in chunks:
        state.handle_chunk(ChatCompletionChunk.model_validate(chunk))
    return json.loads(state.current_completion_snapshot.model_dump_json())


@given(BLOCKS, STOPS, st.data())
def test_a_stream_gives_the_same_chunks_however_it_is_cut(blocks, stop, data):
    raw = wire(events(blocks, stop))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)))))
    edges = [0, *cuts, len(raw)]
    pieces = [raw[a:b] for a, b in pairwise(edges)]
    assert run(pieces)[1] == run([raw])[1]


@given(BLOCKS, STOPS)
def test_a_stream_adds_up_to_the_whole_answer(blocks, stop):
    whole = anthropic.parse_response(message(blocks, stop), {}, REPLY)
    ChatCompletion.model_validate(whole)
    parser, chunks = run([wire(events(blocks, stop))])
    assert parser.state.done
    streamed = assembled(chunks)
    one, two = whole["choices"][0], streamed["choices"][0]
    assert two["finish_reason"] == one["finish_reason"]
    assert (two["message"]["content"] or "") == (one["message"]["content"] or "")
    assert two["message"]["refusal"] == one["message"]["refusal"]
    for key in ("reasoning_content", "annotations", "thinking_blocks", "tool_calls"):
        assert values(two["message"], key) == values(one["message"], key)
    assert parser.state.usage == whole["usage"]


def values(answer, key):
    """Return a field without what only streams or only their helper add."""
    value = answer.get(key)
    if not isinstance(value, list):
        return value or ""
    extra = ("index", "block_index", "parsed_arguments")
    entries = [{k: v for k, v in each.items() if k not in extra} for each in value]
    for entry in entries:
        if "function" in entry:
            function = entry["function"]
            entry["function"] = function["name"], json.loads(function["arguments"])
    return entries


@given(BLOCKS, STOPS)
def test_every_chunk_keeps_the_order_of_openais_streams(blocks, stop):
    _, chunks = run([wire(events(blocks, stop))])
    assert {(c["id"], c["created"], c["model"], c["object"]) for c in chunks} == {
        ("chatcmpl-1", 1_700_000_000, "alias", "chat.completion.chunk")
    }
    deltas = [choice["delta"] for chunk in chunks for choice in chunk["choices"]]
    assert deltas[0] == {"role": "assistant", "content": ""}
    assert not any(
        "role" in delta or delta.get("content") == "" for delta in deltas[1:]
    )
    reasons = [choice["finish_reason"] for c in chunks for choice in c["choices"]]
    assert reasons[-1]
    assert not any(reasons[:-1])
    assert chunks[-1]["choices"] == []
    assert all(chunk["usage"] is None for chunk in chunks[:-1])


@given(BLOCKS, STOPS, st.data())
def test_a_stream_cut_short_has_no_finish_reason(blocks, stop, data):
    raw = wire(events(blocks, stop))
    end = data.draw(st.integers(0, raw.rindex(b"event: message_stop")))
    parser, chunks = run([raw[:end]])
    assert parser.state.error.code == "upstream_stream_truncated"
    assert not parser.state.done
    assert not any(choice["finish_reason"] for c in chunks for choice in c["choices"])


@given(st.lists(st.binary(max_size=60), max_size=5))
def test_any_bytes_end_in_a_defined_way(pieces):
    parser, _ = run(pieces)
    assert isinstance(parser.state.error, GatewayError)


KEYS = st.one_of(
    st.sampled_from(("type", "index", "delta", "content_block", "message", "usage")),
    st.sampled_from(("text", "thinking", "signature", "partial_json", "input")),
    st.sampled_from(("citation", "citations", "stop_reason", "stop_details")),
    st.sampled_from(("error", "id", "name", "data")),
)
WORDS = st.one_of(
    st.sampled_from(("message_start", "message_delta", "message_stop", "error")),
    st.sampled_from(
        ("content_block_start", "content_block_delta", "content_block_stop")
    ),
)
KINDS = st.one_of(
    st.sampled_from(("text", "thinking", "redacted_thinking", "tool_use")),
    st.sampled_from(("text_delta", "thinking_delta", "signature_delta")),
    st.sampled_from(("input_json_delta", "citations_delta")),
)
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 2) | KINDS,
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=4)
    ),
    max_leaves=8,
)
EVENTS = st.fixed_dictionaries(
    {"type": WORDS},
    optional={
        "index": st.integers(0, 1) | JUNK,
        "delta": st.dictionaries(KEYS, JUNK | KINDS),
        "content_block": st.dictionaries(KEYS, JUNK | KINDS),
        "message": JUNK,
        "usage": JUNK,
        "error": JUNK,
    },
)


@settings(max_examples=200)
@given(st.lists(EVENTS | JUNK, max_size=12))
def test_any_events_end_in_a_defined_way(events):
    told = [{"type": "message_start"}, *events]
    parser, chunks = run([f"data: {json.dumps(event)}\n\n".encode() for event in told])
    assert parser.state.done is (parser.state.error is None)
    for chunk in chunks:
        ChatCompletionChunk.model_validate(chunk)


@given(st.dictionaries(KEYS | st.just("content"), JUNK | st.lists(JUNK)))
def test_any_payload_is_an_answer_or_a_defined_error(payload):
    try:
        answer = anthropic.parse_response(payload, {}, REPLY)
    except GatewayError:
        return
    ChatCompletion.model_validate(answer)


@pytest.mark.parametrize("payload", [[], None, "text", {"content": "text"}])
def test_what_is_no_message_is_a_502(payload):
    with pytest.raises(GatewayError) as caught:
        anthropic.parse_response(payload, {}, REPLY)
    assert caught.value.status == 502


def test_an_event_that_outgrows_its_bound_ends_the_stream():
    start = wire([{"type": "message_start", "message": {}}])
    parser, chunks = run([start + b"data: " + b"x" * (9 << 20)])
    assert len(chunks) == 1
    assert parser.state.error.code == "upstream_invalid_response"


def test_deep_nesting_is_no_answer():
    assert RecursionError in JSONError
    parser, _ = run([b"data: " + b"[" * 5000 + b"\n\n"])
    assert parser.state.error.code == "upstream_invalid_response"


def test_nothing_is_said_after_the_end():
    raw = wire(events([], "end_turn"))
    parser, chunks = run([raw, raw, b"data: oops\n\n"])
    assert parser.state.done
    assert parser.state.error is None
    assert chunks == run([raw])[1]


@pytest.mark.parametrize("seed", range(20))
def test_any_value_in_any_place_of_an_event_ends_in_a_defined_way(seed):
    chance = random.Random(seed)
    junk = [None, True, 0, -1, 1.5, "", "text", "tool_use", [], {}, [[]], {"type": 1}]
    blocks = [
        ({}, {"type": "text", "text": ""}, [{"type": "text_delta", "text": "a"}]),
        ({}, {"type": "thinking"}, [{"type": "signature_delta", "signature": "s"}]),
        ({}, {"type": "tool_use", "id": "t", "name": "f"}, []),
        ({}, {"type": "text"}, [{"type": "citations_delta", "citation": CITATION}]),
    ]
    for _ in range(200):
        damaged = json.loads(json.dumps(list(events(blocks, "tool_use"))))
        place = chance.choice(damaged)
        while isinstance(place, dict) and place:
            key = chance.choice(list(place))
            if not isinstance(place[key], dict) or chance.random() < 0.3:
                place[key] = chance.choice(junk)
                break
            place = place[key]
        parser, _ = run([wire({"type": "x", **event} for event in damaged)])
        assert parser.state.done is (parser.state.error is None)
