"""Recorded answers of OpenAI, Azure and compatible servers, passed through.

Each answer is read here by itself, with nothing of the translator, and what comes out
of the translator must say the same.
"""

import json
from collections import Counter
from typing import Any

import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from pydantic import ValidationError

from gateway.hub.protocol import JSON, Reply, Route, StreamParser
from gateway.translators import openai
from tests.at_once import at_once
from tests.recordings.openai import (
    RENAMED_REASONS,
    chats,
    events,
    is_stream,
    is_truncated,
    refusal_of,
    told,
)
from tests.recordings.traffic import ABSENT

ENVELOPE = {"id", "object", "created", "model", "choices", "usage"}

RECORDS = chats()
pytestmark = pytest.mark.skipif(not RECORDS, reason=ABSENT)


def select(stream: bool, ok: bool) -> list[Any]:
    return [
        pytest.param(record, id=record["id"])
        for record in RECORDS
        if (record["response"]["status"] == 200) is ok and is_stream(record) is stream
    ]


def reply_to(record: JSON) -> Reply:
    body = record["request"]["body_json"]
    if body is None:
        return Reply("alias", stream=is_stream(record))
    route = Route("alias", "upstream", created=7)
    return openai.render_request(body, route).reply


def problems(model: Any, value: JSON) -> set[tuple[Any, ...]]:
    """Return the fields of `value` that the official type refuses."""
    try:
        model.model_validate(value)
    except ValidationError as error:
        return {each["loc"] for each in error.errors()}
    return set()


@at_once("record", select(stream=False, ok=True))
def test_a_whole_answer_is_untouched_but_for_the_model(record: JSON) -> None:
    recorded = json.loads(record["response"]["body_text"])
    answer = openai.parse_response(recorded, {}, reply_to(record))
    expected = json.loads(record["response"]["body_text"]) | {"model": "alias"}
    for choice in expected["choices"]:
        reason = choice.get("finish_reason") or choice["finish_details"]["type"]
        choice["finish_reason"] = RENAMED_REASONS.get(reason, reason)
        if reason in RENAMED_REASONS:
            choice["native_finish_reason"] = reason
        for call in choice["message"].get("tool_calls") or []:
            call.setdefault("type", "function")
    assert answer == expected
    assert problems(ChatCompletion, answer) <= problems(ChatCompletion, recorded)


# --- streams --------------------------------------------------------------------------


def run(parser: StreamParser, raw: bytes, size: int) -> list[JSON]:
    out: list[JSON] = []
    for start in range(0, len(raw), size):
        out += parser.feed(raw[start : start + size])
    return out + parser.close()


@at_once("record", select(stream=True, ok=True))
def test_a_stream_says_the_same_however_it_is_cut(record: JSON) -> None:
    raw = record["response"]["body_text"].encode()
    recorded = [event for event in events(record) if "error" not in event]
    outcomes = []
    for size in (len(raw), 1, 13, 1000):
        parser = openai.stream_parser(reply_to(record))
        outcomes.append((run(parser, raw, size), parser.state.usage, parser.state.done))
        failed = is_truncated(record) or len(recorded) != len(events(record))
        assert (parser.state.error is not None) is failed, parser.state.error
    chunks, usage, _ = outcomes[0]
    assert all(outcome == outcomes[0] for outcome in outcomes[1:])
    expected = told(recorded)
    assert usage == expected["usage"]
    assert told(chunks)["choices"] == expected["choices"]


@at_once("record", select(stream=True, ok=True))
def test_a_streams_chunks_are_regular(record: JSON) -> None:
    reply = reply_to(record)
    parser = openai.stream_parser(reply)
    chunks = run(parser, record["response"]["body_text"].encode(), 4096)
    for chunk in chunks:
        assert ("usage" in chunk) is reply.include_usage
    assert {chunk["model"] for chunk in chunks} == {"alias"}
    assert len({(chunk["id"], chunk["created"]) for chunk in chunks}) == 1
    roles = Counter(
        choice["index"]
        for chunk in chunks
        for choice in chunk["choices"]
        if "role" in choice["delta"]
    )
    assert set(roles.values()) == {1}
    if reply.include_usage and parser.state.usage and not parser.state.error:
        assert chunks[-1]["choices"] == []
        assert chunks[-1]["usage"] == parser.state.usage


@at_once("record", select(stream=True, ok=True))
def test_a_streams_unknown_fields_survive(record: JSON) -> None:
    def extras(chunks: list[JSON]) -> list[JSON]:
        return [
            {key: value for key, value in chunk.items() if key not in ENVELOPE}
            for chunk in chunks
            if chunk.get("choices") or not chunk.get("usage")
        ]

    parser = openai.stream_parser(reply_to(record))
    chunks = run(parser, record["response"]["body_text"].encode(), 4096)
    recorded = [event for event in events(record) if "error" not in event]
    for extra in extras(chunks):
        assert extra in extras(recorded)
    kept = {key for extra in extras(chunks) for key in extra}
    assert kept == {key for extra in extras(recorded) for key in extra}


@at_once("record", select(stream=True, ok=True))
def test_a_streams_chunks_fit_the_official_types(record: JSON) -> None:
    allowed: set[tuple[Any, ...]] = set()
    for event in events(record):
        allowed |= problems(ChatCompletionChunk, event)
    parser = openai.stream_parser(reply_to(record))
    for chunk in run(parser, record["response"]["body_text"].encode(), 4096):
        assert problems(ChatCompletionChunk, chunk) <= allowed


# --- refusals -------------------------------------------------------------------------


@at_once("record", select(stream=False, ok=False))
def test_a_refusal_is_told_by_its_meaning(record: JSON) -> None:
    response = record["response"]
    body = response["body_text"].encode()
    error = openai.parse_error(response["status"], response["headers"], body)
    assert (error.status, error.code) == refusal_of(record)
    if response["status"] != 401:
        assert error.message == json.loads(body)["error"]["message"]
