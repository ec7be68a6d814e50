"""The small model of tests at the Responses API, as OpenAI serves it itself.

https://platform.openai.com/docs/api-reference/responses
https://platform.openai.com/docs/api-reference/responses-streaming
"""

import json
from collections.abc import Iterator
from itertools import count
from typing import Any

from tests.e2e.dialects import USAGE, Asked, Said, halves, question, think
from tests.e2e.replay import Received, Reply, cut, json_reply

JSON = dict[str, Any]

_NOT_ASKED: JSON = {
    "background": False,
    "completed_at": None,
    "frequency_penalty": 0.0,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "presence_penalty": 0.0,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "reasoning": {"effort": None, "summary": None},
    "safety_identifier": None,
    "service_tier": "default",
    "store": True,
    "temperature": 1.0,
    "text": {"format": {"type": "text"}},
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
}
"""What a response tells of settings that a request left out."""


def respond(received: Received) -> Reply:
    """Answer a response, whole or streamed."""
    body = received.json
    said = think(_asked(body))
    if not body.get("stream"):
        return json_reply(_response(body, "completed", _items(said)))
    numbers = count()
    numbered = ({**e, "sequence_number": next(numbers)} for e in _events(body, said))
    text = "".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in numbered)
    return Reply(200, cut(text.encode()), {"content-type": "text/event-stream"})


def compact(received: Received) -> Reply:
    """Answer with a conversation made shorter."""
    body = received.json
    told = _response(body, "completed", [])
    compacted = {"type": "compaction", "id": "cmp_1", "encrypted_content": "gAAA"}
    kept = ("id", "created_at", "usage")
    return json_reply(
        {
            **{name: told[name] for name in kept},
            "object": "response.compaction",
            "output": [compacted],
        }
    )


def _asked(body: JSON) -> Asked:
    items = body["input"]
    if isinstance(items, str):
        items = [{"role": "user", "content": items}]
    questions = [_text(each["content"]) for each in items if each.get("role") == "user"]
    results = {
        each["call_id"]: _text(each["output"])
        for each in items
        if each.get("type") == "function_call_output"
    }
    tools = [tool["name"] for tool in body.get("tools", ()) if "name" in tool]
    return Asked(question(questions), results, tools)


def _text(content: str | list[JSON]) -> str:
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content)


def _items(said: Said) -> list[JSON]:
    """Return what is said as the items of an answer."""
    part = {"type": "output_text", "text": said.text, "annotations": [], "logprobs": []}
    message = {"type": "message", "id": "msg_1", "role": "assistant"}
    items: list[JSON] = [{**message, "content": [part]}] if said.text else []
    items += [
        {
            "type": "function_call",
            "id": f"fc_{call_id}",
            "call_id": call_id,
            "name": name,
            "arguments": json.dumps(arguments),
        }
        for call_id, name, arguments in said.calls
    ]
    return [{**item, "status": "completed"} for item in items]


def _response(body: JSON, status: str, output: list[JSON]) -> JSON:
    usage = {
        "input_tokens": USAGE[0],
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": USAGE[1],
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": sum(USAGE),
    }
    asked = {name: body[name] for name in _NOT_ASKED if body.get(name) is not None}
    return {
        **_NOT_ASKED,
        **asked,
        "id": "resp_replay",
        "object": "response",
        "created_at": 1700000000,
        "status": status,
        "model": body["model"],
        "output": output,
        "tools": [{"strict": None, **tool} for tool in body.get("tools", ())],
        "tool_choice": body.get("tool_choice", "auto"),
        "parallel_tool_calls": True,
        "error": None,
        "incomplete_details": None,
        "usage": usage if status == "completed" else None,
    }


def _events(body: JSON, said: Said) -> Iterator[JSON]:
    for kind in ("created", "in_progress"):
        response = _response(body, "in_progress", [])
        yield {"type": f"response.{kind}", "response": response}
    items = _items(said)
    for place, item in enumerate(items):
        at = {"output_index": place}
        empty = {"content": []} if item["type"] == "message" else {"arguments": ""}
        opening = {**item, **empty, "status": "in_progress"}
        yield {"type": "response.output_item.added", **at, "item": opening}
        growing = _message if item["type"] == "message" else _call
        yield from growing({**at, "item_id": item["id"]}, item)
        yield {"type": "response.output_item.done", **at, "item": item}
    response = _response(body, "completed", items)
    yield {"type": "response.completed", "response": response}


def _message(at: JSON, item: JSON) -> Iterator[JSON]:
    at = {**at, "content_index": 0}
    (part,) = item["content"]
    empty = {**part, "text": ""}
    yield {"type": "response.content_part.added", **at, "part": empty}
    at_text = {**at, "logprobs": []}
    for piece in halves(part["text"]):
        yield {"type": "response.output_text.delta", **at_text, "delta": piece}
    yield {"type": "response.output_text.done", **at_text, "text": part["text"]}
    yield {"type": "response.content_part.done", **at, "part": part}


def _call(at: JSON, item: JSON) -> Iterator[JSON]:
    kind = "response.function_call_arguments"
    for piece in halves(item["arguments"]):
        yield {"type": f"{kind}.delta", **at, "delta": piece}
    told = {"arguments": item["arguments"], "name": item["name"]}
    yield {"type": f"{kind}.done", **at, **told}
