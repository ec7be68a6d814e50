"""Exchanges of the Messages API, passed on: both directions are what they were."""

import json
import random

import pytest

from gateway.hub.answers.event_relay import EventRelay
from gateway.hub.answers.names import Names
from gateway.hub.answers.relay import joined
from gateway.translators.anthropic.relay.errors import from_response
from gateway.translators.anthropic.relay.tap import Tap
from gateway.translators.anthropic.relay.whole import checked, events_of
from gateway.wire.jsontext import encode
from tests.at_once import at_once
from tests.recordings.claude import message_of, messages
from tests.recordings.traffic import ABSENT, body_of

RECORDS = messages()
STREAMS = [r for r in RECORDS if "sse" in r["tags"]]
WHOLE = [
    r for r in RECORDS if r["response"]["status"] == 200 and "sse" not in r["tags"]
]
REFUSALS = [r for r in RECORDS if r["response"]["status"] != 200]
ASKED = [r for r in RECORDS if r["request"]["body_json"]]

pytestmark = pytest.mark.skipif(not RECORDS, reason=ABSENT)


def _each(found):
    return at_once("record", found, ids=lambda record: record["id"])


def _names(record):
    model = record["model"] or "claude"
    return Names(model, model)


def _cut(data, how):
    if how == "whole":
        return [data]
    if how == "bytes":
        return [data[i : i + 1] for i in range(len(data))]
    dice, pieces = random.Random(7), []
    while data:
        size = dice.randint(1, 300)
        pieces.append(data[:size])
        data = data[size:]
    return pieces


@at_once("how", ["whole", "bytes", "anyhow"])
@_each(STREAMS)
def test_a_stream_is_passed_on_to_the_letter(record, how):
    data = body_of(record)
    relay = EventRelay(Tap(_names(record)))
    given = joined([*map(relay.feed, _cut(data, how)), relay.close()])
    assert given.data == data
    if "truncated" not in record["tags"]:
        assert relay.state.done
        assert given.finish_reason


@_each(STREAMS)
def test_the_ledger_reads_what_the_stream_tells(record):
    relay = EventRelay(Tap(_names(record)))
    relay.feed(body_of(record))
    relay.close()
    message = message_of(record)
    told = message["usage"]
    usage = relay.state.usage
    assert usage["completion_tokens"] == told["output_tokens"]
    cached = told.get("cache_read_input_tokens") or 0
    assert usage.get("cache_read_input_tokens", 0) == cached


@_each(WHOLE)
def test_a_whole_answer_is_passed_on_to_the_letter(record):
    raw = body_of(record)
    message = checked(json.loads(raw))
    assert _names(record).for_client(raw, message) == raw


@_each(WHOLE)
def test_a_whole_answer_as_events_says_the_same(record):
    message = checked(json.loads(body_of(record)))
    kinds = [event["type"] for event in events_of(message)]
    assert kinds[0] == "message_start"
    assert kinds[-2:] == ["message_delta", "message_stop"]
    assert kinds.count("content_block_start") == len(message["content"])


@_each(ASKED)
def test_a_request_changes_in_its_models_name_only(record):
    body = record["request"]["body_json"]
    raw = encode(body)
    assert Names("house", body["model"]).for_upstream(raw, body) == raw
    renamed = Names(body["model"], "another").for_upstream(raw, body)
    assert renamed == encode({**body, "model": "another"})


@_each(REFUSALS)
def test_a_refusal_keeps_its_words(record):
    raw = body_of(record)
    status = record["response"]["status"]
    error = from_response(status, {}, raw)
    if status == 401:
        assert (error.status, error.told) == (502, None)
    else:
        assert error.status == status
        assert error.told == json.loads(raw)["error"]
