"""Claude on Bedrock, past the hub: what was recorded there comes out as messages."""

import json
import random

import pytest

from gateway.hub.answers.names import Names
from gateway.hub.answers.relay import joined
from gateway.hub.protocol import Reply
from gateway.translators.anthropic.relay.tap import Tap
from gateway.translators.bedrock.messages import answers
from gateway.translators.bedrock.messages.frames import (
    ConverseFrames,
    FrameRelay,
    InvokeFrames,
)
from gateway.wire.bounds import MAX_EVENT
from tests.at_once import at_once
from tests.grammar.messages import events_in, message_in
from tests.recordings.bedrock import chats, events_of
from tests.recordings.traffic import ABSENT, body_of

REPLY = Reply("alias", "chatcmpl-test")
METRICS = "amazon-bedrock-invocationMetrics"


def _claudes(operation):
    return [
        record
        for record in chats()
        if record["operation"] == operation
        and record["family"] == "claude"
        and record["response"]["status"] == 200
        and "truncated" not in record["tags"]
    ]


INVOKED = _claudes("invoke-stream")
CONVERSED = _claudes("converse-stream")
WHOLE = _claudes("converse")

pytestmark = pytest.mark.skipif(not WHOLE, reason=ABSENT)


def _each(found):
    return at_once("record", found, ids=lambda record: record["id"])


def _told(relay, data):
    dice, pieces = random.Random(7), []
    while data:
        size = dice.randint(1, 400)
        pieces.append(relay.feed(data[:size]))
        data = data[size:]
    return joined([*pieces, relay.close()])


@_each(INVOKED)
def test_events_are_those_that_were_packed(record):
    expected = [event for _, event in events_of(record)]
    for event in expected:
        event.pop(METRICS, None)
        if event["type"] == "message_start":
            event["message"]["model"] = "alias"
    tap = Tap()
    relay = FrameRelay(tap, InvokeFrames(Names("alias", ""), tap), MAX_EVENT)
    given = _told(relay, body_of(record))
    assert events_in(given.data) == expected
    assert relay.state.done
    assert relay.state.usage["completion_tokens"] > 0


@_each(CONVERSED)
def test_converses_events_tell_the_same_message(record):
    tap = Tap()
    relay = FrameRelay(tap, ConverseFrames(REPLY), MAX_EVENT)
    message = message_in(_told(relay, body_of(record)).data)
    text, inputs, usage = "", {}, {}
    for name, event in events_of(record):
        delta = event.get("delta") or {}
        text += delta.get("text", "")
        if "toolUse" in delta:
            index = event["contentBlockIndex"]
            inputs[index] = inputs.get(index, "") + delta["toolUse"]["input"]
        if name == "metadata":
            usage = event["usage"]
    said = [block["text"] for block in message["content"] if block["type"] == "text"]
    assert "".join(said) == text
    calls = [b["input"] for b in message["content"] if b["type"] == "tool_use"]
    assert [call for call in calls if call] == [
        json.loads(i) for i in inputs.values() if i
    ]
    assert message["usage"]["output_tokens"] == usage["outputTokens"]


@_each(WHOLE)
def test_a_whole_answer_of_converses_is_the_same_message(record):
    payload = json.loads(body_of(record))
    message = answers.from_converse(payload, REPLY)
    blocks = payload["output"]["message"]["content"]
    assert len(message["content"]) == len(blocks)
    for block, told in zip(blocks, message["content"], strict=True):
        match block:
            case {"text": text}:
                assert told["text"] == text
            case {"toolUse": tool}:
                assert (told["id"], told["input"]) == (tool["toolUseId"], tool["input"])
            case {"reasoningContent": {"reasoningText": reasoning}}:
                assert told["thinking"] == reasoning["text"]
                assert told["signature"] == reasoning.get("signature", "")
    assert message["usage"]["output_tokens"] == payload["usage"]["outputTokens"]
