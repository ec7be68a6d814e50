"""A small model that speaks the vendors' formats.

It answers from what it is asked: with tools on offer and no results yet, it calls
`get_weather` for Paris and for Rome; with results, it repeats them in the order of its
calls; asked for `structured`, it gives a JSON object, by the first tool if there is
one; otherwise it repeats the question. Where the question ends in `calls:` and a list
of names and arguments, and there are tools, it makes these calls and then says what
came of them. Whatever the gateway gets wrong on the way up, the answer shows.

https://platform.openai.com/docs/api-reference/chat
https://docs.anthropic.com/en/api/messages
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
https://github.com/ollama/ollama/blob/main/docs/api.md
"""

import base64
import json
import re
import struct
import zlib
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from tests.e2e.replay import Received, Replay, Reply, cut, json_reply

JSON = dict[str, Any]

CITIES = ("Paris", "Rome")
FORECAST = {"city": "Paris", "degrees": 18}
USAGE = (11, 7)


class Asked(NamedTuple):
    """What matters of a request: the last question, tool results by call id, tools."""

    question: str
    results: dict[str, str]
    tools: list[str]


class Said(NamedTuple):
    """What the model answers: text, and calls as (id, name, arguments)."""

    text: str
    calls: list[tuple[str, str, JSON]]


def think(asked: Asked, ids: tuple[str, str] = ("call_1", "call_2")) -> Said:
    """Return the answer to what was asked."""
    if asked.tools and "calls:" in asked.question:
        return _as_told(asked, ids)
    if asked.results:
        known = [_result(asked, each, place) for place, each in enumerate(ids)]
        return Said(f"{CITIES[0]}: {known[0]}. {CITIES[1]}: {known[1]}.", [])
    if "structured" in asked.question and asked.tools:
        return Said("", [(ids[0], asked.tools[0], FORECAST)])
    if "structured" in asked.question:
        return Said(json.dumps(FORECAST), [])
    if asked.tools:
        calls = zip(ids, CITIES, strict=True)
        return Said("", [(i, "get_weather", {"city": city}) for i, city in calls])
    return Said(f"You said: {asked.question}", [])


def _as_told(asked: Asked, ids: tuple[str, str]) -> Said:
    """Make the calls that the question names, or say what came of them."""
    wanted = json.loads(asked.question.partition("calls:")[2])
    if not asked.results:
        calls = zip(ids, wanted, strict=False)
        return Said("", [(call_id, name, given) for call_id, (name, given) in calls])
    found = (_result(asked, each, at) for at, each in enumerate(ids[: len(wanted)]))
    return Said(f"Found: {' | '.join(found)}", [])


def _result(asked: Asked, call_id: str, place: int) -> str:
    """Return what a call brought, by its id or by one that the gateway made up.

    Clients of Ollama's API keep no ids.
    """
    made_up = re.compile(rf"call_\d+_{place}")
    own = (text for known, text in asked.results.items() if made_up.fullmatch(known))
    return asked.results.get(call_id) or next(own, "nothing")


def _last_question(messages: list[JSON]) -> str:
    return question(_text_of(m["content"]) for m in messages if m["role"] == "user")


def question(texts: Iterable[str]) -> str:
    """Return the last text, or the one that says what to call.

    Agents remind the model of this and that behind what they were asked.
    """
    known = list(texts)
    return next((text for text in reversed(known) if "calls:" in text), known[-1])


def _text_of(content: str | list[JSON]) -> str:
    if isinstance(content, str):
        return content
    return "".join(block.get("text", "") for block in content)


def halves(text: str) -> list[str]:
    """Return a text in two pieces, as streams bring it."""
    middle = len(text) // 2
    return [piece for piece in (text[:middle], text[middle:]) if piece]


def install(replay: Replay, prefix: str = "") -> None:
    """Let `replay` answer in all four formats, below the path `prefix`."""
    replay.route(f"{prefix}/v1/chat/completions", openai)
    replay.route(f"{prefix}/v1/messages", anthropic)
    replay.route(f"{prefix}/model/", bedrock)
    replay.route(f"{prefix}/api/chat", ollama)


# --- OpenAI ---


def openai(received: Received) -> Reply:
    """Answer chat completions."""
    body = received.json
    messages = body["messages"]
    said = think(
        Asked(
            _last_question(messages),
            {
                m["tool_call_id"]: _text_of(m["content"])
                for m in messages
                if m["role"] == "tool"
            },
            [tool["function"]["name"] for tool in body.get("tools", ())],
        )
    )
    head = {"id": "chatcmpl-replay", "created": 1700000000, "model": body["model"]}
    reason = "tool_calls" if said.calls else "stop"
    usage = {
        "prompt_tokens": USAGE[0],
        "completion_tokens": USAGE[1],
        "total_tokens": sum(USAGE),
    }
    calls = [
        {
            "id": call_id,
            "type": "function",
            "function": {"name": name, "arguments": json.dumps(arguments)},
        }
        for call_id, name, arguments in said.calls
    ]
    if not body.get("stream"):
        message = {"role": "assistant", "content": said.text or None}
        if calls:
            message["tool_calls"] = calls
        choice = {"index": 0, "message": message, "finish_reason": reason}
        whole = {"object": "chat.completion", "choices": [choice], "usage": usage}
        return json_reply({**head, **whole})
    deltas: list[JSON] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": piece} for piece in halves(said.text)]
    for index, call in enumerate(calls):
        function = call["function"]
        opening = {**call, "function": {**function, "arguments": ""}}
        deltas.append({"tool_calls": [{"index": index, **opening}]})
        for piece in halves(function["arguments"]):
            part = {"index": index, "function": {"arguments": piece}}
            deltas.append({"tool_calls": [part]})
    choices = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas]
    choices.append({"index": 0, "delta": {}, "finish_reason": reason})
    head["object"] = "chat.completion.chunk"
    events = [{**head, "choices": [choice], "usage": None} for choice in choices]
    events.append({**head, "choices": [], "usage": usage})
    return sse([*events, None])


def sse(events: Iterable[JSON | None]) -> Reply:
    """Return a stream of events; None stands for `[DONE]`."""
    lines = [
        b"[DONE]" if each is None else json.dumps(each).encode() for each in events
    ]
    body = b"".join(b"data: " + line + b"\n\n" for line in lines)
    return Reply(200, cut(body), {"content-type": "text/event-stream"})


# --- Anthropic ---


def anthropic(received: Received) -> Reply:
    """Answer messages."""
    body = received.json
    said = think(_asked_of_claude(body), ("toolu_1", "toolu_2"))
    if not body.get("stream"):
        return json_reply(claude_message(said, body.get("model", "")))
    events = claude_events(said, body.get("model", ""))
    text = "".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in events)
    return Reply(200, cut(text.encode()), {"content-type": "text/event-stream"})


def _asked_of_claude(body: JSON) -> Asked:
    blocks: list[JSON] = []
    for message in body["messages"]:
        if message["role"] == "user":
            content = message["content"]
            text = [{"type": "text", "text": content}]
            blocks += text if isinstance(content, str) else content
    texts = (block["text"] for block in blocks if block["type"] == "text")
    results = {
        block["tool_use_id"]: _text_of(block["content"])
        for block in blocks
        if block["type"] == "tool_result"
    }
    return Asked(
        question(texts), results, [tool["name"] for tool in body.get("tools", ())]
    )


def claude_message(said: Said, model: str) -> JSON:
    """Return a whole message."""
    content: list[JSON] = [{"type": "text", "text": said.text}] if said.text else []
    content += [
        {"type": "tool_use", "id": call_id, "name": name, "input": arguments}
        for call_id, name, arguments in said.calls
    ]
    return {
        "id": "msg_replay",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": "tool_use" if said.calls else "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": USAGE[0], "output_tokens": USAGE[1]},
    }


def claude_events(said: Said, model: str) -> list[JSON]:
    """Return a message as the events of a stream."""
    whole = claude_message(said, model)
    start = {**whole, "content": [], "stop_reason": None}
    start["usage"] = {"input_tokens": USAGE[0], "output_tokens": 1}
    events: list[JSON] = [{"type": "message_start", "message": start}, {"type": "ping"}]
    for index, block in enumerate(whole["content"]):
        if block["type"] == "text":
            opening = {"type": "text", "text": ""}
            deltas = [{"type": "text_delta", "text": p} for p in halves(block["text"])]
        else:
            opening = {**block, "input": {}}
            deltas = [
                {"type": "input_json_delta", "partial_json": piece}
                for piece in ["", *halves(json.dumps(block["input"]))]
            ]
        at = {"index": index}
        events.append({"type": "content_block_start", **at, "content_block": opening})
        events += [
            {"type": "content_block_delta", **at, "delta": delta} for delta in deltas
        ]
        events.append({"type": "content_block_stop", **at})
    stop = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    usage = {"output_tokens": USAGE[1]}
    events.append({"type": "message_delta", "delta": stop, "usage": usage})
    return [*events, {"type": "message_stop"}]


# --- Bedrock ---


def bedrock(received: Received) -> Reply:
    """Answer InvokeModel with Claude's body, and Converse, whole and streamed."""
    operation = received.path.rpartition("/")[2]
    return _BEDROCK[operation](received.json)


def _invoke(body: JSON) -> Reply:
    said = think(_asked_of_claude(body), ("toolu_1", "toolu_2"))
    return json_reply(claude_message(said, "claude"))


def _invoke_stream(body: JSON) -> Reply:
    said = think(_asked_of_claude(body), ("toolu_1", "toolu_2"))
    events = claude_events(said, "claude")
    packed = [base64.b64encode(json.dumps(e).encode()).decode() for e in events]
    return frames(("chunk", {"bytes": text, "p": "abc"}) for text in packed)


def _converse(body: JSON) -> Reply:
    said = _said_by_converse(body)
    content: list[JSON] = [{"text": said.text}] if said.text else []
    content += [
        {"toolUse": {"toolUseId": call_id, "name": name, "input": arguments}}
        for call_id, name, arguments in said.calls
    ]
    message = {"role": "assistant", "content": content}
    usage = {"inputTokens": USAGE[0], "outputTokens": USAGE[1]}
    return json_reply(
        {
            "output": {"message": message},
            "stopReason": "tool_use" if said.calls else "end_turn",
            "usage": {**usage, "totalTokens": sum(USAGE)},
            "metrics": {"latencyMs": 5},
        }
    )


def _converse_stream(body: JSON) -> Reply:
    said = _said_by_converse(body)
    events: list[tuple[str, JSON]] = [("messageStart", {"role": "assistant"})]
    for piece in halves(said.text):
        at = {"contentBlockIndex": 0}
        events.append(("contentBlockDelta", {**at, "delta": {"text": piece}}))
    if said.text:
        events.append(("contentBlockStop", {"contentBlockIndex": 0}))
    for index, (call_id, name, arguments) in enumerate(said.calls):
        at = {"contentBlockIndex": index}
        start = {"toolUse": {"toolUseId": call_id, "name": name}}
        events.append(("contentBlockStart", {**at, "start": start}))
        for piece in halves(json.dumps(arguments)):
            delta = {"toolUse": {"input": piece}}
            events.append(("contentBlockDelta", {**at, "delta": delta}))
        events.append(("contentBlockStop", at))
    reason = "tool_use" if said.calls else "end_turn"
    events.append(("messageStop", {"stopReason": reason}))
    usage = {"inputTokens": USAGE[0], "outputTokens": USAGE[1]}
    usage["totalTokens"] = sum(USAGE)
    events.append(("metadata", {"usage": usage, "metrics": {"latencyMs": 5}}))
    return frames(events)


def _said_by_converse(body: JSON) -> Said:
    blocks = [b for m in body["messages"] if m["role"] == "user" for b in m["content"]]
    results = [block["toolResult"] for block in blocks if "toolResult" in block]
    tools = body.get("toolConfig", {}).get("tools", ())
    return think(
        Asked(
            question(block["text"] for block in blocks if "text" in block),
            {r["toolUseId"]: _converse_text(r["content"]) for r in results},
            [tool["toolSpec"]["name"] for tool in tools],
        ),
        ("tooluse_1", "tooluse_2"),
    )


def _converse_text(content: list[JSON]) -> str:
    texts = (b["text"] if "text" in b else json.dumps(b["json"]) for b in content)
    return "".join(texts)


def frames(events: Iterable[tuple[str, JSON]]) -> Reply:
    """Return events in AWS's binary framing."""
    body = b"".join(frame(kind, payload) for kind, payload in events)
    return Reply(200, cut(body), {"content-type": "application/vnd.amazon.eventstream"})


def frame(kind: str, payload: JSON) -> bytes:
    """Return one frame.

    https://docs.aws.amazon.com/transcribe/latest/dg/event-stream.html
    """
    named = {
        ":event-type": kind,
        ":content-type": "application/json",
        ":message-type": "event",
    }
    headers = b"".join(
        struct.pack(">B", len(name))
        + name.encode()
        + struct.pack(">BH", 7, len(value))
        + value.encode()
        for name, value in named.items()
    )
    data = json.dumps(payload).encode()
    prelude = struct.pack(">II", 16 + len(headers) + len(data), len(headers))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + data
    return message + struct.pack(">I", zlib.crc32(message))


_BEDROCK: dict[str, Callable[[JSON], Reply]] = {
    "invoke": _invoke,
    "invoke-with-response-stream": _invoke_stream,
    "converse": _converse,
    "converse-stream": _converse_stream,
}


# --- Ollama ---


def ollama(received: Received) -> Reply:
    """Answer chats; calls have no ids here, results come in the order of calls."""
    body = received.json
    messages = body["messages"]
    results = [m["content"] for m in messages if m["role"] == "tool"]
    said = think(
        Asked(
            _last_question(messages),
            dict(zip(("call_1", "call_2"), results, strict=False)),
            [tool["function"]["name"] for tool in body.get("tools", ())],
        )
    )
    calls = [{"function": {"name": n, "arguments": a}} for _, n, a in said.calls]
    head = {"model": body["model"], "created_at": "2026-01-02T03:04:05.678901Z"}
    last = {
        **head,
        "done": True,
        "done_reason": "stop",
        "prompt_eval_count": USAGE[0],
        "eval_count": USAGE[1],
    }
    message = {"role": "assistant", "content": said.text}
    if body.get("stream") is False:
        whole = {**message, "tool_calls": calls} if calls else message
        return json_reply({**last, "message": whole})
    pieces = [{**message, "content": piece} for piece in halves(said.text)]
    pieces += [{**message, "content": "", "tool_calls": [call]} for call in calls]
    lines = [{**head, "message": piece, "done": False} for piece in pieces]
    lines.append({**last, "message": {**message, "content": ""}})
    body_bytes = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    return Reply(200, cut(body_bytes), {"content-type": "application/x-ndjson"})
