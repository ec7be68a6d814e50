"""Recorded answers of Ollama's own API, translated.

Each answer is read here by itself, with nothing of the translator, and what comes out
of the translator must say the same.
"""

import json
from typing import Any

import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from gateway.hub.protocol import JSON, Reply, Route
from gateway.translators import ollama
from tests.at_once import at_once
from tests.recordings.ollama import chats, lines, told
from tests.recordings.traffic import ABSENT

RECORDS = chats()
pytestmark = pytest.mark.skipif(not RECORDS, reason=ABSENT)

REPLY = Reply("alias", "chatcmpl-1", 7, include_usage=True)


def select(whole: bool) -> list[Any]:
    return [
        pytest.param(record, id=record["id"])
        for record in RECORDS
        if record["response"]["status"] == 200 and (len(lines(record)) == 1) is whole
    ]


@at_once("record", select(whole=True))
def test_a_whole_answer_says_the_same(record: JSON) -> None:
    (recorded,) = lines(record)
    answer = ollama.parse_response(recorded, {}, REPLY)
    ChatCompletion.model_validate(answer)
    (choice,) = answer["choices"]
    message = choice["message"]
    calls = [call["function"] for call in message.get("tool_calls", [])]
    said = {
        "content": message["content"] or "",
        "reasoning": message.get("reasoning_content", ""),
        "calls": [(call["name"], json.loads(call["arguments"])) for call in calls],
        "finish": choice["finish_reason"],
        "usage": answer["usage"],
    }
    assert said == told([recorded])


@at_once("size", [0, 1, 17, 1000])
@at_once("record", select(whole=False))
def test_a_stream_says_the_same_however_it_is_cut(record: JSON, size: int) -> None:
    raw = record["response"]["body_text"].encode()
    size = size or len(raw)
    parser = ollama.stream_parser(REPLY)
    chunks: list[JSON] = []
    for start in range(0, len(raw), size):
        chunks += parser.feed(raw[start : start + size])
    chunks += parser.close()
    assert parser.state.error is None
    for chunk in chunks:
        ChatCompletionChunk.model_validate(chunk)
    *body, usage = chunks
    deltas = [chunk["choices"][0]["delta"] for chunk in body]
    calls = [call["function"] for d in deltas for call in d.get("tool_calls", [])]
    said = {
        "content": "".join(delta.get("content", "") for delta in deltas),
        "reasoning": "".join(delta.get("reasoning_content", "") for delta in deltas),
        "calls": [(call["name"], json.loads(call["arguments"])) for call in calls],
        "finish": body[-1]["choices"][0]["finish_reason"],
        "usage": usage["usage"],
    }
    assert said == told(lines(record))
    assert parser.state.usage == usage["usage"]


@at_once("record", select(whole=True))
def test_a_whole_answer_would_stream_the_same(record: JSON) -> None:
    parser = ollama.stream_parser(REPLY)
    chunks = parser.feed(record["response"]["body_text"].encode() + b"\n")
    (recorded,) = lines(record)
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks[:-1]]
    content = "".join(delta.get("content", "") for delta in deltas)
    assert content == recorded["message"]["content"]
    assert parser.state.done


def rendered_from(recorded: JSON) -> JSON:
    """Return a recorded native request rendered from its OpenAI spelling."""
    options = recorded.get("options") or {}
    body: JSON = {"model": "m", "messages": [], "stream": recorded.get("stream", True)}
    body |= {k: v for k, v in options.items() if k in ("temperature", "num_ctx")}
    if "num_predict" in options:
        body["max_tokens"] = options["num_predict"]
    if recorded.get("format") == "json":
        body["response_format"] = {"type": "json_object"}
    if recorded.get("think") is False:
        body["reasoning_effort"] = "none"
    if recorded.get("keep_alive"):
        body["keep_alive"] = recorded["keep_alive"]
    body["messages"] = recorded["messages"]
    route = Route("alias", recorded["model"])
    return ollama.render_request(body, route).body


@at_once(
    "recorded",
    [
        pytest.param(record["request"]["body_json"], id=record["id"])
        for record in RECORDS
        if record["request"]["body_json"]
        and "tool_result" not in record["tags"]  # calls without ids or matching names
    ],
)
def test_a_recorded_request_is_what_its_openai_spelling_becomes(recorded: JSON) -> None:
    sent = rendered_from(recorded)
    options = recorded.get("options") or {}
    assert sent["messages"] == recorded["messages"]
    assert sent["model"] == recorded["model"]
    assert sent.get("options", {}) == {k: options[k] for k in options if k != "think"}
    for field in ("format", "think", "keep_alive"):
        assert sent.get(field) == (recorded.get(field) or None) or (
            recorded.get(field) is False and sent[field] is False
        )
