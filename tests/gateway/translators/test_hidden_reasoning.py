"""Reasoning that nobody wants to see is left out of every upstream's answers."""

import json
from pathlib import Path

import pytest

from gateway.calls.passages import between
from gateway.doors import chat
from gateway.doors.protocol import NOTHING_SENT
from gateway.hub.protocol import JSON, Route
from gateway.translators import TRANSLATORS, openai
from tests.at_once import at_once
from tests.gateway.translators.test_translators import (
    STREAMS,
    fed,
    having,
    read,
    reply_of,
    stream_of,
)

EXCLUDED = {"reasoning": {"exclude": True}}


def shown(message: JSON) -> JSON:
    """Return what a client can read of a message or delta beside its reasoning."""
    names = ("role", "content", "refusal", "tool_calls", "function_call")
    return {name: message[name] for name in names if message.get(name)}


def thoughts(message: JSON) -> list[str]:
    """Return the reasoning that a client can read in a message or delta."""
    found = [message.get("reasoning_content"), message.get("reasoning")]
    for block in message.get("thinking_blocks") or []:
        found.append(block.get("thinking"))
    for entry in message.get("reasoning_details") or []:
        found += [entry.get("text"), entry.get("summary")]
    return [text for text in found if text]


@at_once("case", having("response.json"))
def test_a_whole_answer_keeps_all_but_its_reasoning(case: Path) -> None:
    reply = reply_of(case)._replace(hides_reasoning=True)
    headers = case / "upstream_headers.json"
    answer = TRANSLATORS[case.parent.name].parse_response(
        read(case, "upstream_response.json"),
        json.loads(headers.read_text()) if headers.exists() else {},
        reply,
    )
    golden = read(case, "response.json")
    messages = [choice["message"] for choice in answer["choices"]]
    assert not any(map(thoughts, messages))
    assert [*map(shown, messages)] == [shown(c["message"]) for c in golden["choices"]]
    assert answer.get("usage") == golden.get("usage")


@at_once("case", STREAMS)
def test_a_stream_keeps_all_but_its_reasoning(case: Path) -> None:
    reply = reply_of(case)._replace(hides_reasoning=True, goes_on=False)
    parser = TRANSLATORS[case.parent.name].stream_parser(reply)
    chunks = fed(parser, stream_of(case), "odd") + parser.close()
    plain = TRANSLATORS[case.parent.name].stream_parser(
        reply._replace(hides_reasoning=False)
    )
    golden = fed(plain, stream_of(case), "odd") + plain.close()
    assert not any(thoughts(delta) for delta in deltas(chunks))
    said = [each for each in map(shown, deltas(chunks)) if each]
    assert said == [each for each in map(shown, deltas(golden)) if each]
    assert parser.state.usage == plain.state.usage
    assert parser.state.done == plain.state.done


def deltas(chunks: list[JSON]) -> list[JSON]:
    """Return the deltas of all choices."""
    return [choice["delta"] for chunk in chunks for choice in chunk["choices"]]


@pytest.mark.parametrize("name", ["openai", "anthropic", "bedrock", "ollama"])
def test_every_upstream_is_read_that_way(name: str) -> None:
    messages = [{"role": "user", "content": "hi"}]
    body = {"model": "alias", "messages": messages, **EXCLUDED}
    model = "anthropic.claude-sonnet-4-5-20250929-v1:0"
    route = Route("alias", model, base_model=model)
    assert TRANSLATORS[name].render_request(body, route).reply.hides_reasoning
    plain = {"model": "alias", "messages": messages}
    assert not TRANSLATORS[name].render_request(plain, route).reply.hides_reasoning


def test_it_is_hidden_also_where_the_upstream_is_not_told() -> None:
    body = {"model": "alias", "messages": [], **EXCLUDED}
    route = Route("alias", "m", options={"drop_params": ["reasoning"]})
    request = openai.render_request(body, route)
    assert "reasoning" not in request.body
    assert request.reply.hides_reasoning


def test_frames_do_not_take_the_short_way_past_it() -> None:
    body = {"model": "alias", "messages": [{"role": "user", "content": "hi"}]}
    asked = chat.parse_request({**body, "stream": True, **EXCLUDED}, NOTHING_SENT)
    reply = openai.render_request(asked.body, Route("alias", "m")).reply
    reader = between(chat, openai).reader(reply, asked)
    frames = b""
    for delta in ({"reasoning": "hm"}, {"content": "a"}, {"content": "b"}) * 3:
        chunk = {"id": "c", "choices": [{"index": 0, "delta": delta}]}
        frames += reader.feed(b"data: " + json.dumps(chunk).encode() + b"\n\n").data
    assert b"hm" not in frames
    assert frames.count(b'"content"') == 6


def test_what_only_the_provider_reads_stays() -> None:
    details = [
        {"type": "reasoning.text", "text": "hm", "index": 0},
        {"type": "reasoning.encrypted", "data": "abc", "index": 1},
    ]
    message = {"role": "assistant", "content": "x", "reasoning_details": details}
    payload = {"choices": [{"message": message, "finish_reason": "stop"}]}
    reply = openai.render_request(
        {"model": "alias", "messages": [], **EXCLUDED}, Route("alias", "m")
    ).reply
    (choice,) = openai.parse_response(payload, {}, reply)["choices"]
    assert choice["message"]["reasoning_details"] == details[1:]
