"""Recorded answers of every provider say the same at every door, whole and streamed.

What a client of the chat door reads is held against the official types' reading of the
other doors. Streams go through the grammar of their format.
"""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from anthropic.types import Message
from ollama import ChatResponse
from openai.types.responses import Response

from gateway.doors import messages, ollama, responses
from gateway.doors.protocol import NOTHING_SENT
from gateway.hub.answers.assembly import assembled
from gateway.hub.protocol import JSON, Reply, StreamParser
from gateway.translators import TRANSLATORS
from gateway.wire.jsontext import decode
from tests import doors
from tests.at_once import at_once
from tests.grammar import messages as messages_grammar
from tests.grammar import ollama as ollama_grammar
from tests.grammar import responses as responses_grammar
from tests.recordings import bedrock as recorded_bedrock
from tests.recordings import claude as recorded_claude
from tests.recordings import ollama as recorded_ollama
from tests.recordings import openai as recorded_openai
from tests.recordings.told import is_stream
from tests.recordings.traffic import ABSENT, body_of


class Said(NamedTuple):
    """An answer as any client reads it; `usage` is None where nobody counted."""

    text: str
    thinking: str
    calls: list[tuple[str, JSON]]
    ending: str
    usage: tuple[int, int] | None


def at_chat(completion: JSON) -> Said:
    """Read what the chat door tells."""
    choice = completion["choices"][0]
    message, usage = choice["message"], completion.get("usage")
    calls = [call["function"] for call in message.get("tool_calls") or ()]
    counted = None
    if usage and usage["prompt_tokens"] >= _cached(usage):
        counted = (usage["prompt_tokens"], usage["completion_tokens"])
    return Said(
        (message.get("content") or "") + (message.get("refusal") or ""),
        message.get("reasoning_content") or message.get("reasoning") or "",
        [(call["name"], json.loads(call["arguments"] or "{}")) for call in calls],
        _ending(choice),
        counted,
    )


def _cached(usage: JSON) -> int:
    """Return the tokens read from a cache, which some servers count beside the prompt.

    A prompt of none is not known; either way doors tell what their clients expect.
    """
    details = usage.get("prompt_tokens_details") or {}
    return int(details.get("cached_tokens") or 0) or 1


def _ending(choice: JSON) -> str:
    """Return why it ended: what one format calls a stop may have names in others."""
    reason = str(choice["finish_reason"])
    if reason == "stop" and choice["message"].get("refusal"):
        return "refused"
    native = choice.get("native_finish_reason")
    return native if reason == "stop" and native == "stop_sequence" else reason


def at_responses(told: JSON) -> Said:
    """Read a response."""
    response = Response.model_validate(told)
    text = thinking = ""
    calls = []
    for item in response.output:
        if item.type == "message":
            parts = [part.model_dump() for part in item.content]
            text += "".join(part.get("text", part.get("refusal")) for part in parts)
        elif item.type == "reasoning":
            thinking += "".join(part.text for part in item.summary)
        elif item.type == "function_call":
            calls.append((item.name, json.loads(item.arguments)))
    why = response.incomplete_details
    usage = response.usage
    assert usage is not None
    counted = (usage.input_tokens, usage.output_tokens)
    return Said(text, thinking, calls, str(why.reason if why else ""), counted)


def at_messages(told: JSON) -> Said:
    """Read a message."""
    message = Message.model_validate(told)
    blocks, usage = message.content, message.usage
    cached = usage.cache_read_input_tokens or 0
    written = usage.cache_creation_input_tokens or 0
    return Said(
        "".join(block.text for block in blocks if block.type == "text"),
        "".join(block.thinking for block in blocks if block.type == "thinking"),
        [(block.name, block.input) for block in blocks if block.type == "tool_use"],
        str(message.stop_reason),
        (usage.input_tokens + cached + written, usage.output_tokens),
    )


def at_ollama(told: JSON) -> Said:
    """Read an answer of Ollama's."""
    line = ChatResponse.model_validate(told)
    calls = [call.function for call in line.message.tool_calls or ()]
    return Said(
        line.message.content or "",
        line.message.thinking or "",
        [(call.name, dict(call.arguments)) for call in calls],
        str(line.done_reason),
        (line.prompt_eval_count or 0, line.eval_count or 0),
    )


def streamed_at_responses(raw: bytes) -> Said:
    """Read a streamed response: its last event has all of it."""
    return at_responses(responses_grammar.check(raw)[-1]["response"])


def streamed_at_messages(raw: bytes) -> Said:
    """Read a streamed message."""
    return at_messages(messages_grammar.message_in(raw))


def streamed_at_ollama(raw: bytes) -> Said:
    """Read lines of Ollama's."""
    told = ollama_grammar.checked(raw)
    return Said(told.text, told.thinking, told.calls, told.done_reason, told.usage)


class AtDoor(NamedTuple):
    """How a door answers, how both forms are read, what it calls each ending."""

    module: Any
    body: JSON
    whole: Any
    streamed: Any
    endings: JSON


DOORS = {
    "responses": AtDoor(
        responses,
        doors.RESPONSES.body,
        at_responses,
        streamed_at_responses,
        {"length": "max_output_tokens", "content_filter": "content_filter"},
    ),
    "messages": AtDoor(
        messages,
        doors.MESSAGES.body,
        at_messages,
        streamed_at_messages,
        {
            "stop": "end_turn",
            "tool_calls": "tool_use",
            "function_call": "end_turn",
            "length": "max_tokens",
            "content_filter": "refusal",
            "refused": "refusal",
            "stop_sequence": "stop_sequence",
        },
    ),
    "ollama": AtDoor(
        ollama, doors.OLLAMA.body, at_ollama, streamed_at_ollama, {"length": "length"}
    ),
}


def recorded() -> Iterator[tuple[str, JSON, bool]]:
    """Yield the type of each provider that answered, the record, whether it streams."""
    for record in recorded_openai.chats():
        if record["operation"] == "chat.completions":
            yield "openai", record, recorded_openai.is_stream(record)
    for record in recorded_claude.messages():
        yield "anthropic", record, is_stream(record)
    for record in recorded_bedrock.chats():
        yield "bedrock", record, is_stream(record)
    for record in recorded_ollama.chats():
        yield "ollama", record, is_stream(record)


ANSWERED = [each for each in recorded() if each[1]["response"]["status"] == 200]
pytestmark = pytest.mark.skipif(not ANSWERED, reason=ABSENT)


def each(streams: bool) -> list[Any]:
    return [
        pytest.param(kind, record, id=record["id"])
        for kind, record, is_streamed in ANSWERED
        if is_streamed is streams
    ]


def reply_to(kind: str, record: JSON) -> Reply:
    wire = recorded_bedrock.family_of(record) if kind == "bedrock" else ""
    return Reply("alias", "chatcmpl-1", 7, include_usage=True, wire=wire)


def parsed(parser: StreamParser, raw: bytes) -> list[JSON]:
    pieces = [raw[start : start + 512] for start in range(0, len(raw), 512)]
    return [chunk for piece in pieces for chunk in parser.feed(piece)] + parser.close()


def agrees(told: Said, said: Said, door: AtDoor) -> None:
    """Hold what a door told against what the chat door `said`."""
    text = said.text if said.text.strip() or told.text else ""
    assert told.text == text
    assert told.thinking == said.thinking
    assert told.calls == said.calls
    default = "" if door is DOORS["responses"] else "stop"
    assert told.ending == door.endings.get(said.ending, default)
    if said.usage is not None:
        assert told.usage == said.usage


@at_once("name", DOORS)
@at_once(("kind", "record"), each(streams=False))
def test_a_whole_answer_says_the_same_at_every_door(kind, record, name):
    door, reply = DOORS[name], reply_to(kind, record)
    headers = record["response"]["headers"] or {}
    payload = decode(body_of(record))
    completion = TRANSLATORS[kind].parse_response(payload, headers, reply)
    asked = door.module.parse_request(door.body, NOTHING_SENT)
    told = door.whole(door.module.render_response(completion, asked))
    agrees(told, at_chat(completion), door)


@at_once("name", DOORS)
@at_once(("kind", "record"), each(streams=True))
def test_a_stream_says_the_same_at_every_door(kind, record, name):
    door, reply = DOORS[name], reply_to(kind, record)._replace(stream=True)
    parser = TRANSLATORS[kind].stream_parser(reply)
    chunks = parsed(parser, body_of(record))
    asked = door.module.parse_request({**door.body, "stream": True}, NOTHING_SENT)
    renderer = door.module.stream_renderer(asked)
    raw = b"".join([renderer.render([chunk]) for chunk in chunks])
    if parser.state.error is not None:
        said = getattr(doors, name.upper()).said_in(
            raw + renderer.fail(parser.state.error)
        )
        assert said.failure
        return
    completion = assembled(chunks)
    agrees(door.streamed(raw + renderer.end()), at_chat(completion), door)
