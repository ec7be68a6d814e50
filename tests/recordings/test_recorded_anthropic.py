"""Answers that Anthropic really gave, held against an independent reading of them."""

import json
import random

import pytest
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from gateway.errors import GatewayError
from gateway.hub.protocol import Reply
from gateway.translators import anthropic
from gateway.wire.jsontext import decode
from tests.at_once import at_once
from tests.recordings.claude import FINISH_REASONS, message_of, messages, refusal_of
from tests.recordings.claude_report import reported_capabilities
from tests.recordings.traffic import ABSENT, records

REPLY = Reply(
    model="claude", completion_id="chatcmpl-1", created=1700000000, include_usage=True
)


RECORDS = messages()
MODELS = [
    model
    for record in records("anthropic")
    if record["operation"] == "models"
    for model in json.loads(record["response"]["body_text"])["data"]
]
WHOLE = [
    r for r in RECORDS if r["response"]["status"] == 200 and "sse" not in r["tags"]
]
STREAMS = [r for r in RECORDS if "sse" in r["tags"]]
REFUSALS = [r for r in RECORDS if r["response"]["status"] != 200]

pytestmark = pytest.mark.skipif(not RECORDS, reason=ABSENT)


def _each(records):
    return at_once("record", records, ids=lambda record: record["id"])


def _hold(completion, message):
    """Hold a chat completion against the message that it was made of."""
    choice = completion["choices"][0]
    answer = choice["message"]
    blocks = message["content"]
    text = "".join(b["text"] for b in blocks if b["type"] == "text")
    assert (answer["content"] or "") == text
    calls = [
        (
            call["id"],
            call["function"]["name"],
            json.loads(call["function"]["arguments"]),
        )
        for call in answer.get("tool_calls") or ()
    ]
    tools = [b for b in blocks if b["type"] == "tool_use"]
    assert calls == [(b["id"], b["name"], b["input"]) for b in tools]
    thoughts = [b for b in blocks if b["type"] in ("thinking", "redacted_thinking")]
    reasoning = "".join(b.get("thinking", "") for b in thoughts)
    assert (answer.get("reasoning_content") or "") == reasoning
    kept = [
        (b["type"], b.get("thinking", b.get("data")), b.get("signature"))
        for b in answer.get("thinking_blocks") or ()
    ]
    assert kept == [
        (b["type"], b.get("thinking", b.get("data")), b.get("signature"))
        for b in thoughts
    ]
    _hold_citations(answer, blocks)
    expected = FINISH_REASONS[message["stop_reason"]]
    if expected == "tool_calls" and not tools:
        expected = "stop"
    assert choice["finish_reason"] == expected
    _hold_usage(completion["usage"], message["usage"])


def _hold_citations(answer, blocks):
    cited = [
        (citation["url"], block["text"])
        for block in blocks
        if block["type"] == "text"
        for citation in block.get("citations") or ()
        if citation["type"] == "web_search_result_location"
    ]
    found = []
    for annotation in answer.get("annotations") or ():
        citation = annotation["url_citation"]
        span = answer["content"][citation["start_index"] : citation["end_index"]]
        found.append((citation["url"], span))
    assert found == cited
    others = sum(
        citation["type"] != "web_search_result_location"
        for block in blocks
        if block["type"] == "text"
        for citation in block.get("citations") or ()
    )
    assert len(answer.get("citations") or ()) == others


def _hold_usage(usage, recorded):
    read = recorded.get("cache_read_input_tokens") or 0
    written = recorded.get("cache_creation_input_tokens") or 0
    prompt = recorded["input_tokens"] + read + written
    assert usage["prompt_tokens"] == prompt
    assert usage["completion_tokens"] == recorded["output_tokens"]
    assert usage["total_tokens"] == prompt + recorded["output_tokens"]
    assert usage["prompt_tokens_details"]["cached_tokens"] == read


def _run(data, sizes, reply=REPLY):
    """Feed `data` in pieces whose sizes repeat; return the parser and its chunks."""
    parser = anthropic.stream_parser(reply)
    chunks, start, turn = [], 0, 0
    while start < len(data):
        size = sizes[turn % len(sizes)]
        chunks += parser.feed(data[start : start + size])
        start, turn = start + size, turn + 1
    chunks += parser.close()
    return parser, chunks


def _assembled(chunks):
    """Put chunks together as a plain client would."""
    answer, calls = {"content": ""}, {}
    completion = {"choices": [{"message": answer, "finish_reason": None}]}
    for chunk in chunks:
        if chunk["usage"]:
            completion["usage"] = chunk["usage"]
        for choice in chunk["choices"]:
            delta = choice["delta"]
            for key in ("content", "reasoning_content", "refusal"):
                if key in delta:
                    answer[key] = answer.get(key, "") + delta[key]
            for key in ("thinking_blocks", "annotations", "citations"):
                answer.setdefault(key, []).extend(delta.get(key, ()))
            for call in delta.get("tool_calls", ()):
                if "id" in call:
                    calls[call["index"]] = json.loads(json.dumps(call))
                else:
                    arguments = call["function"]["arguments"]
                    calls[call["index"]]["function"]["arguments"] += arguments
            if choice["finish_reason"]:
                assert completion["choices"][0]["finish_reason"] is None
                completion["choices"][0]["finish_reason"] = choice["finish_reason"]
    assert list(calls) == list(range(len(calls)))
    answer["tool_calls"] = list(calls.values())
    return completion


@_each(WHOLE)
def test_a_recorded_answer_is_read_in_full(record):
    payload = decode(record["response"]["body_text"])
    completion = anthropic.parse_response(payload, {}, REPLY)
    ChatCompletion.model_validate(completion)
    _hold(completion, message_of(record))


@_each(STREAMS)
def test_a_recorded_stream_is_read_in_full(record):
    data = record["response"]["body_text"].encode()
    parser, chunks = _run(data, [len(data)])
    assert parser.state.done
    assert parser.state.error is None
    for chunk in chunks:
        ChatCompletionChunk.model_validate(chunk)
    completion = _assembled(chunks)
    _hold(completion, message_of(record))
    assert parser.state.usage == completion["usage"]


@_each(STREAMS)
def test_a_recorded_stream_gives_the_same_chunks_however_it_is_cut(record):
    data = record["response"]["body_text"].encode()
    _, expected = _run(data, [len(data)])
    for sizes in ([1], [3, 1, 17, 64], [499]):
        assert _run(data, sizes)[1] == expected


@_each(STREAMS)
def test_the_official_helper_assembles_a_recorded_stream(record):
    data = record["response"]["body_text"].encode()
    state = ChatCompletionStreamState()
    for chunk in _run(data, [len(data)])[1]:
        state.handle_chunk(ChatCompletionChunk.model_validate(chunk))
    final = state.current_completion_snapshot
    texts = [b["text"] for b in message_of(record)["content"] if b["type"] == "text"]
    assert (final.choices[0].message.content or "") == "".join(texts)


@_each(REFUSALS)
def test_a_recorded_refusal_is_told_in_openai_terms(record):
    response = record["response"]
    error = anthropic.parse_error(
        response["status"], response["headers"], response["body_text"].encode()
    )
    assert (error.status, error.code) == refusal_of(record)
    if error.status < 500:
        assert error.message == json.loads(response["body_text"])["error"]["message"]


def _mutations(data, seed):
    """Yield damaged copies of a stream: cut, doubled, reordered, overwritten."""
    chance = random.Random(seed)
    frames = data.split(b"\n\n")
    for _ in range(4):
        yield data[: chance.randrange(len(data))]
        position = chance.randrange(len(frames))
        doubled = [*frames[: position + 1], *frames[position:]]
        yield b"\n\n".join(doubled)
        yield b"\n\n".join([*frames[:position], *frames[position + 1 :]])
        other = chance.randrange(len(frames))
        swapped = list(frames)
        swapped[position], swapped[other] = swapped[other], swapped[position]
        yield b"\n\n".join(swapped)
        garbled = bytearray(data)
        for _ in range(3):
            garbled[chance.randrange(len(garbled))] = chance.randrange(256)
        yield bytes(garbled)


@_each(STREAMS)
def test_a_damaged_stream_ends_in_a_defined_way(record):
    data = record["response"]["body_text"].encode()
    reason = message_of(record)["stop_reason"]
    for damaged in _mutations(data, record["id"]):
        parser, chunks = _run(damaged, [len(damaged) or 1])
        reasons = [c["finish_reason"] for k in chunks for c in k["choices"]]
        finished = [each for each in reasons if each]
        assert parser.state.done is not isinstance(parser.state.error, GatewayError)
        assert len(finished) == parser.state.done
        if parser.state.done:
            # The upstream's own word must have arrived, and its end.
            assert b"message_stop" in damaged
            assert b"stop_reason" in damaged
        if parser.state.done and reason.encode() not in damaged:
            assert finished == ["stop"]


@_each(STREAMS[:20])
def test_a_stream_cut_anywhere_before_its_end_is_truncated(record):
    data = record["response"]["body_text"].encode()
    end = data.index(b"event: message_stop")
    for position in range(0, end, max(1, end // 40)):
        parser, chunks = _run(data[:position], [max(1, position)])
        assert parser.state.error is not None
        assert parser.state.error.code == "upstream_stream_truncated"
        assert not any(c["finish_reason"] for k in chunks for c in k["choices"])


@at_once("model", MODELS, ids=lambda model: model["id"])
def test_the_table_of_models_agrees_with_what_anthropic_reports(model):
    assert reported_capabilities(model) == {}
