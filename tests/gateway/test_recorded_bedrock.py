"""Answers that Bedrock really gave, held against an independent reading of them."""

import base64
import json
import random
from pathlib import Path

import pytest
from botocore.eventstream import EventStreamBuffer
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from gateway.errors import GatewayError
from gateway.translators import bedrock
from gateway.translators.bedrock.ids import classify
from gateway.translators.protocol import Reply
from gateway.wire.jsontext import decode

RECORDINGS = Path(__file__).resolve().parents[2].parent / "shared/traffic/bedrock.jsonl"

FINISH_REASONS = {
    "end_turn": "stop",
    "stop": "stop",
    "stop_sequence": "stop",
    "FINISH": "stop",
    "COMPLETE": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "MAX_TOKENS": "length",
    "length": "length",
    "LENGTH": "length",
    "guardrail_intervened": "content_filter",
}

RETIRED = {
    "ai21.j2-mid-v1": "Jurassic's own body; the model is retired",
    "cohere.command-text-v14": "Command's `generations`; the model is retired",
    "cohere.command-light-text-v14": "Command's `generations`; the model is retired",
}


def _records():
    if not RECORDINGS.exists():
        return []
    with RECORDINGS.open(encoding="utf-8") as lines:
        records = [json.loads(line) for line in lines]
    return [
        record
        for record in records
        if record["operation"] != "count-tokens"
        and record["model"] not in RETIRED
        # Claude's text completions, replaced by Messages in 2024.
        and '"completion":' not in _readable(record)
    ]


def _readable(record):
    """Return everything that the answer says as JSON text."""
    if record["response"]["status"] != 200 or "body_b64" not in record["response"]:
        return record["response"].get("body_text", "")
    return json.dumps([event for _, event in _events(record)])


def _body(record):
    response = record["response"]
    if "body_b64" in response:
        return base64.b64decode(response["body_b64"])
    return response["body_text"].encode()


def _events(record):
    """Yield the name and the JSON of every frame, InvokeModel's chunks unwrapped."""
    buffer = EventStreamBuffer()
    buffer.add_data(_body(record))
    for frame in buffer:
        event = json.loads(frame.payload)
        if "bytes" in event:
            event = json.loads(base64.b64decode(event["bytes"]))
        yield frame.headers[":event-type"], event


RECORDS = _records()
ANSWERS = [r for r in RECORDS if r["response"]["status"] == 200]
WHOLE = [r for r in ANSWERS if not r["operation"].endswith("-stream")]
STREAMS = [r for r in ANSWERS if r["operation"].endswith("-stream")]
REFUSALS = [r for r in RECORDS if r["response"]["status"] != 200]

pytestmark = pytest.mark.skipif(
    not RECORDS, reason="the recorded traffic is not beside the repository"
)


def _each(records):
    return pytest.mark.parametrize("record", records, ids=lambda record: record["id"])


def _family(record):
    """Return the reader's name; Llama 2 and Claude 2 answered in their heirs' form."""
    if record["operation"].startswith("converse"):
        return "converse"
    family = classify(record["model"]).family
    if family == "claude-legacy":
        return "claude"
    return "llama" if record["model"].startswith("meta.") else family


def _reply(record, **changes):
    fields = {
        "model": "alias",
        "completion_id": "chatcmpl-1",
        "created": 1700000000,
        "include_usage": True,
        "wire": _family(record),
    }
    return Reply(**fields | changes)


# --- an independent reading -----------------------------------------------------------


class Reading:
    def __init__(self):
        self.text, self.reasoning, self.calls = "", "", []
        self.native = None
        self.prompt = self.output = None
        self.is_filtered = False

    def converse_block(self, block):
        if "text" in block:
            self.text += block["text"]
        if "citationsContent" in block:
            parts = block["citationsContent"].get("content", [])
            self.text += "".join(part["text"] for part in parts)
        if "reasoningContent" in block:
            said = block["reasoningContent"].get("reasoningText", {}).get("text", "")
            self.reasoning += "" if said == "[REDACTED]" else said
        use = block.get("toolUse")
        if use and use.get("type") != "server_tool_use":
            self.calls.append((use["name"], use["input"]))

    def count(self, usage):
        cached = [
            usage.get(name) or 0
            for name in (
                ("cacheReadInputTokens", "cacheWriteInputTokens")
                if "cacheReadInputTokens" in usage
                else ("cacheReadInputTokenCount", "cacheWriteInputTokenCount")
            )
        ]
        self.prompt = usage["inputTokens"] + sum(cached)
        self.output = usage["outputTokens"]

    def claude_usage(self, usage):
        names = ("input_tokens", "cache_read_input_tokens")
        names += ("cache_creation_input_tokens",)
        self.prompt = sum(usage.get(name) or 0 for name in names)
        self.output = usage["output_tokens"]


def _is_filtered(body):
    return body.get("amazon-bedrock-guardrailAction") == "INTERVENED"


def _read_whole(record):
    reading = Reading()
    body = json.loads(_body(record))
    reading.is_filtered = _is_filtered(body)
    headers = record["response"]["headers"]
    match _family(record):
        case "converse" | "nova":
            for block in body["output"]["message"]["content"]:
                reading.converse_block(block)
            reading.native = body["stopReason"]
            reading.count(body["usage"])
        case "claude":
            for block in body["content"]:
                if block["type"] == "text":
                    reading.text += block["text"]
                if block["type"] == "tool_use":
                    reading.calls.append((block["name"], block["input"]))
                if block["type"] == "thinking":
                    reading.reasoning += block["thinking"]
            reading.native = body["stop_reason"]
            reading.claude_usage(body["usage"])
        case "llama":
            reading.text, reading.native = body["generation"], body["stop_reason"]
            reading.prompt = body["prompt_token_count"]
            reading.output = body["generation_token_count"]
        case "titan":
            result = body["results"][0]
            reading.text = result["outputText"]
            reading.native = result["completionReason"]
            reading.prompt = body["inputTextTokenCount"]
            reading.output = result["tokenCount"]
        case "mistral-text":
            reading.text = body["outputs"][0]["text"]
            reading.native = body["outputs"][0]["stop_reason"]
        case "cohere":
            reading.text, reading.native = body["text"], body["finish_reason"]
        case "oai":
            choice = body["choices"][0]
            reading.text = choice["message"]["content"]
            reading.native = choice["finish_reason"]
            reading.prompt = body["usage"]["prompt_tokens"]
            reading.output = body["usage"]["completion_tokens"]
    if reading.prompt is None and "x-amzn-bedrock-input-token-count" in headers:
        reading.prompt = int(headers["x-amzn-bedrock-input-token-count"])
        reading.output = int(headers["x-amzn-bedrock-output-token-count"])
    return reading


def _read_stream(record):
    reading, family = Reading(), _family(record)
    blocks, usage = {}, {}
    for name, event in _events(record):
        reading.is_filtered = reading.is_filtered or _is_filtered(event)
        metrics = event.get("amazon-bedrock-invocationMetrics")
        if metrics:
            reading.prompt = metrics["inputTokenCount"]
            reading.output = metrics["outputTokenCount"]
        match family:
            case "converse":
                _converse_event(reading, blocks, name, event)
            case "nova":
                for inner in event:
                    _converse_event(reading, blocks, inner, event[inner])
            case "claude":
                _claude_event(reading, blocks, usage, event)
            case "llama":
                reading.text += event["generation"]
                reading.native = event["stop_reason"]
            case "titan":
                reading.text += event["outputText"]
                reading.native = event.get("completionReason")
            case "mistral-text":
                reading.text += event["outputs"][0]["text"]
                reading.native = event["outputs"][0]["stop_reason"]
            case "cohere":
                reading.text += event.get("text", "")
                reading.native = event.get("finish_reason", reading.native)
    for _, block in sorted(blocks.items()):
        if "name" in block:
            reading.calls.append((block["name"], json.loads(block["json"] or "{}")))
    if usage:
        reading.claude_usage(usage)
    return reading


def _converse_event(reading, blocks, name, event):
    if name == "contentBlockStart" and "toolUse" in event["start"]:
        use = event["start"]["toolUse"]
        if use.get("type") != "server_tool_use":
            place = event["contentBlockIndex"]
            blocks[place] = {"name": use["name"], "json": ""}
    if name == "contentBlockDelta":
        delta = event["delta"]
        reading.text += delta.get("text", "")
        reasoning = delta.get("reasoningContent", {}).get("text", "")
        reading.reasoning += "" if reasoning == "[REDACTED]" else reasoning
        if "toolUse" in delta and event["contentBlockIndex"] in blocks:
            blocks[event["contentBlockIndex"]]["json"] += delta["toolUse"]["input"]
    if name == "messageStop":
        reading.native = event["stopReason"]
    if name == "metadata":
        reading.count(event["usage"])


def _claude_event(reading, blocks, usage, event):
    match event["type"]:
        case "message_start":
            usage.update(event["message"]["usage"])
        case "content_block_start" if event["content_block"]["type"] == "tool_use":
            block = event["content_block"]
            blocks[event["index"]] = {"name": block["name"], "json": ""}
        case "content_block_delta":
            delta = event["delta"]
            reading.text += delta.get("text", "")
            reading.reasoning += delta.get("thinking", "")
            if "partial_json" in delta:
                blocks[event["index"]]["json"] += delta["partial_json"]
        case "message_delta":
            usage.update(event.get("usage") or {})
            reading.native = event["delta"]["stop_reason"]


def _finish(reading):
    if reading.is_filtered:
        return "content_filter"
    expected = FINISH_REASONS[reading.native]
    if expected in ("stop", "tool_calls"):
        return "tool_calls" if reading.calls else "stop"
    return expected


def _check(reading, message, choice, usage):
    assert (message.get("content") or "") == reading.text
    assert message.get("reasoning_content", "") == reading.reasoning
    calls = [
        (call["function"]["name"], json.loads(call["function"]["arguments"]))
        for call in message.get("tool_calls") or []
    ]
    assert calls == reading.calls
    assert choice["finish_reason"] == _finish(reading)
    if reading.prompt is not None:
        assert usage["prompt_tokens"] == reading.prompt
        assert usage["completion_tokens"] == reading.output
        assert usage["total_tokens"] == reading.prompt + reading.output


# --- answers --------------------------------------------------------------------------


@_each(WHOLE)
def test_a_recorded_answer_says_the_same(record):
    response = record["response"]
    completion = bedrock.parse_response(
        decode(_body(record)), response["headers"], _reply(record)
    )
    ChatCompletion.model_validate(completion)
    choice = completion["choices"][0]
    _check(_read_whole(record), choice["message"], choice, completion.get("usage"))


def _parse(data, record, size, **changes):
    parser = bedrock.stream_parser(_reply(record, **changes))
    chunks = []
    for start in range(0, len(data), size):
        chunks += parser.feed(data[start : start + size])
    return chunks + parser.close(), parser


@_each(STREAMS)
def test_a_recorded_stream_says_the_same_however_it_is_cut(record):
    data = _body(record)
    whole, parser = _parse(data, record, len(data))
    for size in (1, 7, 501):
        chunks, again = _parse(data, record, size)
        assert chunks == whole
        assert (again.error is None) == (parser.error is None)
    reading = _read_stream(record)
    assert parser.error is None
    assert parser.done
    state = ChatCompletionStreamState()
    for chunk in whole:
        state.handle_chunk(ChatCompletionChunk.model_validate(chunk))
    completion = state.current_completion_snapshot.model_dump(exclude_unset=True)
    choice = completion["choices"][0]
    assert whole[-1]["usage"] == parser.usage
    _check(reading, choice["message"], choice, parser.usage)


@_each([r for r in WHOLE if r["operation"] == "converse"])
def test_a_whole_answer_told_as_a_stream_says_the_same(record):
    data = _body(record)
    whole, parser = _parse(data, record, 97, wire="converse-whole")
    assert parser.error is None
    assert parser.done
    state = ChatCompletionStreamState()
    for chunk in whole:
        state.handle_chunk(ChatCompletionChunk.model_validate(chunk))
    completion = state.current_completion_snapshot.model_dump(exclude_unset=True)
    choice = completion["choices"][0]
    _check(_read_whole(record), choice["message"], choice, parser.usage)
    cut, broken = _parse(data[:-9], record, 97, wire="converse-whole")
    assert cut == []
    assert broken.error is not None


@_each(REFUSALS)
def test_a_recorded_refusal_is_told_in_our_terms(record):
    response = record["response"]
    error = bedrock.parse_error(response["status"], response["headers"], _body(record))
    assert error.message
    if response["status"] == 403:
        assert (error.status, error.code) in (
            (403, "model_access_denied"),
            (502, "upstream_auth_error"),
        )
    else:
        assert error.status in (400, 404)
        assert error.type in ("invalid_request_error", "not_found_error")


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
    data = _body(record)
    reading = _read_stream(record)
    expected = {_finish(reading)}
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
        if parser.error is not None:
            assert isinstance(parser.error, GatewayError)
            assert not finishes
            assert not parser.done
        else:
            assert finishes
            assert finishes[0] in expected


@_each(STREAMS)
def test_a_stream_without_its_last_frames_has_no_finish(record):
    """Cut before the reason to end was told, whatever the family calls it."""
    told = next(
        (
            place
            for place, (name, event) in enumerate(_events(record))
            if _tells_the_end(name, event)
        ),
        0,
    )
    data = b"".join(_frames(_body(record))[:told])
    chunks, parser = _parse(data, record, 64)
    assert parser.error is not None
    assert parser.error.code == "upstream_stream_truncated"
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
