"""Recorded answers of every kind of provider, as clients of the Messages API get them.

Streams hold to the grammar, and say what the same answer says that came whole: it is
put together again in the hub's format and rendered at once.
"""

import json
from typing import Any

import pytest
from anthropic.types import Message

from gateway.doors import messages
from gateway.doors.protocol import Asked
from gateway.hub.answers.assembly import assembled
from gateway.hub.protocol import JSON, Reply, StreamParser
from gateway.translators import ollama, openai
from tests.at_once import at_once
from tests.grammar.messages import checked, message_in
from tests.recordings import ollama as recorded_ollama
from tests.recordings import openai as recorded_openai
from tests.recordings.traffic import ABSENT, body_of

ASKED = Asked("alias", True, {"model": "alias", "messages": []})
REPLY = Reply("alias", "chatcmpl-1", 7, stream=True, include_usage=True)
OPENAI = [r for r in recorded_openai.chats() if r["operation"] == "chat.completions"]


def is_stream(record: JSON, translator: Any) -> bool:
    if translator is ollama:
        return len(recorded_ollama.lines(record)) > 1
    return recorded_openai.is_stream(record)


def answered(stream: bool) -> list[Any]:
    return [
        pytest.param(record, translator, id=record["id"])
        for translator, records in RECORDS.items()
        for record in records
        if record["response"]["status"] == 200
        and is_stream(record, translator) is stream
    ]


RECORDS = {openai: OPENAI, ollama: recorded_ollama.chats()}
pytestmark = pytest.mark.skipif(not any(RECORDS.values()), reason=ABSENT)


def chunks_of(parser: StreamParser, raw: bytes) -> list[JSON]:
    chunks = []
    for start in range(0, len(raw), 512):
        chunks += parser.feed(raw[start : start + 512])
    return chunks + parser.close()


def comparable(message: JSON) -> JSON:
    """Return a message without what is an estimate where the upstream told no usage."""
    return {**message, "usage": None}


@at_once(("record", "translator"), answered(stream=False))
def test_a_whole_answer_is_a_message(record, translator):
    payload = json.loads(body_of(record))
    completion = translator.parse_response(payload, {}, REPLY)
    message = messages.render_response(completion, ASKED)
    Message.model_validate(message)
    said = completion["choices"][0]["message"]
    texts = [b["text"] for b in message["content"] if b["type"] == "text"]
    assert "".join(texts) == (said.get("content") or "") + (said.get("refusal") or "")
    calls = [b["name"] for b in message["content"] if b["type"] == "tool_use"]
    assert calls == [c["function"]["name"] for c in said.get("tool_calls") or ()]


@at_once(("record", "translator"), answered(stream=False))
def test_a_whole_answer_where_a_stream_was_asked_for_says_the_same(record, translator):
    parser = translator.stream_parser(REPLY)
    chunks = chunks_of(parser, body_of(record))
    renderer = messages.stream_renderer(ASKED)
    told = message_in(renderer.render(chunks) + renderer.end())
    payload = json.loads(body_of(record))
    completion = translator.parse_response(payload, {}, REPLY)
    whole = messages.render_response(completion, ASKED)
    assert comparable(told) == comparable(whole)


@at_once(("record", "translator"), answered(stream=True))
def test_a_stream_says_what_the_same_answer_would_have_said_whole(record, translator):
    parser = translator.stream_parser(REPLY)
    chunks = chunks_of(parser, body_of(record))
    renderer = messages.stream_renderer(ASKED)
    sent = b"".join([renderer.render([chunk]) for chunk in chunks])
    if parser.state.error is not None:
        checked(sent + renderer.fail(parser.state.error))
        return
    told = message_in(sent + renderer.end())
    Message.model_validate(told)
    whole = messages.render_response(assembled(chunks), ASKED)
    assert comparable(told) == comparable(whole)
