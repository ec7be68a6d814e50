"""Answers that Bedrock really gave, held against an independent reading of them."""

import json
import random

import pytest
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from gateway.errors import GatewayError
from gateway.hub.protocol import Reply
from gateway.translators import bedrock
from gateway.wire.jsontext import decode
from tests.at_once import at_once
from tests.recordings.bedrock import (
    FINISH_REASONS,
    chats,
    events_of,
    family_of,
    finish_of,
    read_stream,
    read_whole,
    refusal_of,
)
from tests.recordings.traffic import ABSENT, body_of

RECORDS = chats()
ANSWERS = [r for r in RECORDS if r["response"]["status"] == 200]
WHOLE = [r for r in ANSWERS if not r["operation"].endswith("-stream")]
STREAMS = [r for r in ANSWERS if r["operation"].endswith("-stream")]
REFUSALS = [r for r in RECORDS if r["response"]["status"] != 200]

pytestmark = pytest.mark.skipif(not RECORDS, reason=ABSENT)


def _each(records):
    return at_once("record", records, ids=lambda record: record["id"])


def _reply(record, **changes):
    fields = {
        "model": "alias",
        "completion_id": "chatcmpl-1",
        "created": 1700000000,
        "include_usage": True,
        "wire": family_of(record),
    }
    return Reply(**fields | changes)


def _check(reading, message, choice, usage):
    assert (message.get("content") or "") == reading.text
    assert message.get("reasoning_content", "") == reading.reasoning
    calls = [
        (call["function"]["name"], json.loads(call["function"]["arguments"]))
        for call in message.get("tool_calls") or []
    ]
    assert calls == reading.calls
    assert choice["finish_reason"] == finish_of(reading)
    if reading.prompt is not None:
        assert usage["prompt_tokens"] == reading.prompt
        assert usage["completion_tokens"] == reading.output
        assert usage["total_tokens"] == reading.prompt + reading.output


# --- answers --------------------------------------------------------------------------


@_each(WHOLE)
def test_a_recorded_answer_says_the_same(record):
    response = record["response"]
    completion = bedrock.parse_response(
        decode(body_of(record)), response["headers"], _reply(record)
    )
    ChatCompletion.model_validate(completion)
    choice = completion["choices"][0]
    _check(read_whole(record), choice["message"], choice, completion.get("usage"))


def _parse(data, record, size, **changes):
    parser = bedrock.stream_parser(_reply(record, **changes))
    chunks = []
    for start in range(0, len(data), size):
        chunks += parser.feed(data[start : start + size])
    return chunks + parser.close(), parser


@_each(STREAMS)
def test_a_recorded_stream_says_the_same_however_it_is_cut(record):
    data = body_of(record)
    whole, parser = _parse(data, record, len(data))
    for size in (1, 7, 501):
        chunks, again = _parse(data, record, size)
        assert chunks == whole
        assert (again.state.error is None) == (parser.state.error is None)
    reading = read_stream(record)
    assert parser.state.error is None
    assert parser.state.done
    state = ChatCompletionStreamState()
    for chunk in whole:
        state.handle_chunk(ChatCompletionChunk.model_validate(chunk))
    completion = state.current_completion_snapshot.model_dump(exclude_unset=True)
    choice = completion["choices"][0]
    assert whole[-1]["usage"] == parser.state.usage
    _check(reading, choice["message"], choice, parser.state.usage)


@_each([r for r in WHOLE if r["operation"] == "converse"])
def test_a_whole_answer_told_as_a_stream_says_the_same(record):
    data = body_of(record)
    whole, parser = _parse(data, record, 97, wire="converse-whole")
    assert parser.state.error is None
    assert parser.state.done
    state = ChatCompletionStreamState()
    for chunk in whole:
        state.handle_chunk(ChatCompletionChunk.model_validate(chunk))
    completion = state.current_completion_snapshot.model_dump(exclude_unset=True)
    choice = completion["choices"][0]
    _check(read_whole(record), choice["message"], choice, parser.state.usage)
    cut, broken = _parse(data[:-9], record, 97, wire="converse-whole")
    assert cut == []
    assert broken.state.error is not None


@_each(REFUSALS)
def test_a_recorded_refusal_is_told_in_our_terms(record):
    response = record["response"]
    error = bedrock.parse_error(
        response["status"], response["headers"], body_of(record)
    )
    assert (error.status, error.code) == refusal_of(record)
    if error.status < 500:
        assert error.message == json.loads(response["body_text"])["message"].strip()


# --- broken streams -------------------------------------------------------------------


def _frames(data):
    """Return the frames of a recorded stream as bytes."""
    frames, start = [], 0
    while start < len(data):
        length = int.from_bytes(data[start : start + 4], "big")
        frames.append(data[start : start + length])
        start += length
    return frames


def _mutated(data, chance):
    frames = _frames(data)
    kind = chance.choice(("cut", "drop", "twice", "swap", "flip", "insert"))
    place = chance.randrange(len(frames))
    other = chance.randrange(len(frames))
    if kind == "cut":
        return data[: chance.randrange(len(data))]
    if kind == "drop":
        del frames[place]
    elif kind == "twice":
        frames.insert(other, frames[place])
    elif kind == "swap":
        frames[place], frames[other] = frames[other], frames[place]
    else:
        broken = bytearray(data)
        at = chance.randrange(len(broken))
        if kind == "flip":
            broken[at] ^= 1 << chance.randrange(8)
        else:
            broken[at:at] = chance.randbytes(chance.randrange(1, 40))
        return bytes(broken)
    return b"".join(frames)


@_each(STREAMS)
def test_a_broken_stream_ends_defined_and_invents_no_reason(record):
    data = body_of(record)
    reading = read_stream(record)
    expected = {finish_of(reading)}
    if expected & {"stop", "tool_calls"}:
        expected = {"stop", "tool_calls"}
    if reading.is_filtered:
        expected |= {FINISH_REASONS.get(reading.native, "content_filter")}
    chance = random.Random(record["id"])
    for _ in range(12):
        mutated = _mutated(data, chance)
        chunks, parser = _parse(mutated, record, 97)
        finishes = [
            choice["finish_reason"]
            for chunk in chunks
            for choice in chunk["choices"]
            if choice["finish_reason"] is not None
        ]
        assert len(finishes) <= 1
        if parser.state.error is not None:
            assert isinstance(parser.state.error, GatewayError)
            assert not finishes
            assert not parser.state.done
        else:
            assert finishes
            assert finishes[0] in expected


@_each(STREAMS)
def test_a_stream_without_its_last_frames_has_no_finish(record):
    """Cut before the reason to end was told, whatever the family calls it."""
    told = next(
        (
            place
            for place, (name, event) in enumerate(events_of(record))
            if _tells_the_end(name, event)
        ),
        0,
    )
    data = b"".join(_frames(body_of(record))[:told])
    chunks, parser = _parse(data, record, 64)
    assert parser.state.error is not None
    assert parser.state.error.code == "upstream_stream_truncated"
    assert all(
        choice["finish_reason"] is None
        for chunk in chunks
        for choice in chunk["choices"]
    )


def _tells_the_end(name, event):
    reasons = json.dumps(event)
    if name == "messageStop" or "amazon-bedrock-trace" in event:
        return True
    return any(
        f'"{key}": "' in reasons
        for key in (
            "stopReason",
            "stop_reason",
            "completionReason",
            "finish_reason",
        )
    )
