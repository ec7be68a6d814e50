"""What the offline sandbox answers: OpenAI's format from no model. Pure functions.

The same request always gets the same answer, and every answer says where it comes from:
in its text, and as ``system_fingerprint`` where a JSON schema leaves no room for text.
The format is https://platform.openai.com/docs/api-reference/chat.
"""

import hashlib
import re
from collections.abc import Iterator
from typing import Any

from gateway.errors import invalid_request
from gateway.hub.requests.validation import output_limit, validate_request
from gateway.sandbox import values
from gateway.wire.jsontext import JSON, dumps, encode

FINGERPRINT = "offline-sandbox"
OPENING = "Offline sandbox, not a model:"
MAX_QUOTE = 300
# What a tool of each type is called with.
INPUTS = {"function": "arguments", "custom": "input"}
# Roughly what OpenAI's tokenizers make of English; good enough to count with.
CHARACTERS_PER_TOKEN = 4


def complete(body: JSON, created: int) -> JSON:
    """Return the whole `chat.completion` for a request body.

    Raises a 400 GatewayError that names the field for a request OpenAI would refuse.
    """
    return _complete(_valid(body), created)


def _valid(body: JSON) -> JSON:
    if not isinstance(body.get("model"), str) or not body["model"]:
        raise invalid_request("model is required", param="model")
    return validate_request(body).body


def _complete(body: JSON, created: int) -> JSON:
    tool = _tool_to_call(body)
    said, reason = _text_answer(body) if tool is None else _call(tool, body)
    message = {"role": "assistant", "refusal": None, **said}
    return {
        "id": f"chatcmpl-sandbox-{_digest(body)[:24]}",
        "object": "chat.completion",
        "created": created,
        "model": body["model"],
        "system_fingerprint": FINGERPRINT,
        "choices": [
            {
                "index": 0,
                "message": message,
                "logprobs": None,
                "finish_reason": reason,
            }
        ],
        "usage": _usage(body, message),
    }


def stream(body: JSON, created: int) -> list[JSON]:
    """Return the `chat.completion.chunk`s of the same answer that `complete` gives."""
    body = _valid(body)
    whole = _complete(body, created)
    usage, [choice] = whole.pop("usage"), whole.pop("choices")
    head = {**whole, "object": "chat.completion.chunk"}
    deltas = [(delta, None) for delta in _deltas(choice["message"])]
    chunks = [
        {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}
        for delta, reason in [*deltas, ({}, choice["finish_reason"])]
    ]
    if not body.get("stream_options", {}).get("include_usage"):
        return chunks
    chunks = [{**chunk, "usage": None} for chunk in chunks]
    return [*chunks, {**head, "choices": [], "usage": usage}]


def _deltas(message: JSON) -> Iterator[JSON]:
    yield {"role": "assistant", "content": "", "refusal": None}
    for piece in re.findall(r"\s*\S+\s*?", message["content"]):
        yield {"content": piece}
    for call in message.get("tool_calls", ()):
        # As OpenAI streams it: the head, then pieces of the input.
        kind = call["type"]
        field = INPUTS[kind]
        yield {"tool_calls": [{**call, "index": 0, kind: {**call[kind], field: ""}}]}
        for piece in re.findall(r".{1,12}", call[kind][field], re.DOTALL):
            yield {"tool_calls": [{"index": 0, kind: {field: piece}}]}


def _digest(value: Any) -> str:
    return hashlib.sha256(encode(value)).hexdigest()


# --- saying something ---


def _text_answer(body: JSON) -> tuple[JSON, str]:
    """Return the answer and why it ends: by itself, a `stop` or the output limit."""
    content, stops = _text(body), body.get("stop", ())
    response_format = body.get("response_format") or {}
    match response_format.get("type"):
        case "json_schema":
            schema = response_format.get("json_schema", {}).get("schema", {})
            content, stops = dumps(values.example(schema, _asked(body))), ()
        case "json_object":
            answer = {"source": "offline sandbox, not a model", "answer": content}
            content, stops = dumps(answer), ()
    ends = [content.index(stop) for stop in stops if stop in content]
    content = content[: min(ends, default=None)]
    limit = output_limit(body)
    if limit is not None and _tokens(content) > limit:
        return {"content": content[: limit * CHARACTERS_PER_TOKEN]}, "length"
    return {"content": content}, "stop"


def _text(body: JSON) -> str:
    results = _results(body)
    if results:
        name = _name_of_result(body, results[-1])
        return f"{OPENING} {name} answered: {_quote(_plain(results[-1]))}"
    return (
        f"{OPENING} your request for {body['model']} was answered by this server. Set "
        "PLAYGROUND_LLM_API_KEY, or register a provider with a key, to hear from a "
        f"model. You said: {_quote(_asked(body))}"
    )


def _quote(text: str) -> str:
    short = text if len(text) <= MAX_QUOTE else f"{text[:MAX_QUOTE]}…"
    return f'"{short}"' if text else "nothing."


def _asked(body: JSON) -> str:
    """Return what the user said last."""
    said = (_plain(m) for m in reversed(body["messages"]) if m["role"] == "user")
    return next(said, "")


def _results(body: JSON) -> list[JSON]:
    return [m for m in body["messages"] if m["role"] in {"tool", "function"}]


def _plain(message: JSON) -> str:
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return " ".join(str(part.get("text", f"[{part['type']}]")) for part in content)


def _name_of_result(body: JSON, result: JSON) -> str:
    for message in body["messages"]:
        for call in message.get("tool_calls") or ():
            if call.get("id") == result.get("tool_call_id"):
                return f"the tool {call['function']['name']}"
    return f"the tool {result['name']}" if result.get("name") else "the tool"


def _tokens(text: str) -> int:
    return -(-len(text) // CHARACTERS_PER_TOKEN)


def _usage(body: JSON, message: JSON) -> JSON:
    asked = sum(_tokens(_plain(each)) + 3 for each in body["messages"])
    if "tools" in body:
        asked += _tokens(dumps(body["tools"]))
    said = _tokens(message["content"])
    said += sum(_tokens(dumps(call)) for call in message.get("tool_calls", ()))
    return {
        "prompt_tokens": asked,
        "completion_tokens": said,
        "total_tokens": asked + said,
        "prompt_tokens_details": {"cached_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0},
    }


# --- calling tools ---


def _tool_to_call(body: JSON) -> JSON | None:
    """Return the offered tool that fits the request, or None to answer with text.

    Once the conversation holds a tool's result it is answered: an agent's loop ends.
    """
    tools = [tool for tool in body.get("tools", ()) if _name(tool)]
    choice = body.get("tool_choice", "auto")
    if choice == "none" or _results(body):
        return None
    if isinstance(choice, dict):
        allowed = _allowed(choice)
        tools = [tool for tool in tools if _name(tool) in allowed]
        if not tools:
            raise invalid_request(
                "'tool_choice' names a tool that is not in 'tools'.",
                param="tool_choice",
            )
    words = set(re.findall(r"\w{3,}", _asked(body).lower()))
    return max(tools, key=lambda tool: _fit(tool, words), default=None)


def _allowed(choice: JSON) -> set[str]:
    """Return the tools that a `tool_choice` object names."""
    allowed = choice.get("allowed_tools")
    named = allowed.get("tools", ()) if isinstance(allowed, dict) else [choice]
    return {_name(tool) for tool in named}


def _name(tool: Any) -> str:
    """Return the name in a tool or tool choice, empty where it has none."""
    match tool:
        case {"type": "function" as kind} | {"type": "custom" as kind}:
            definition = tool.get(kind)
            named = definition.get("name") if isinstance(definition, dict) else None
            return named if isinstance(named, str) else ""
    return ""


def _fit(tool: JSON, words: set[str]) -> int:
    """Return how many of the user's words a tool's name and description share."""
    definition = tool[tool["type"]]
    about = f"{definition['name']} {definition.get('description') or ''}".lower()
    return len(words & set(re.findall(r"[^\W_]{3,}", about)))


def _call(tool: JSON, body: JSON) -> tuple[JSON, str]:
    kind, name, given = tool["type"], _name(tool), _asked(body)
    if kind == "function":
        schema = tool["function"].get("parameters") or {"type": "object"}
        given = dumps(values.example(schema, given))
    call = {
        "id": f"call_sandbox_{_digest([name, body['messages']])[:16]}",
        "type": kind,
        kind: {"name": name, INPUTS[kind]: given},
    }
    return {"content": f"{OPENING} calling {name}.", "tool_calls": [call]}, "tool_calls"
