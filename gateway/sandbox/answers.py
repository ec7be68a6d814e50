"""What the offline sandbox answers: OpenAI's format from no model. Pure functions.

The same request always gets the same answer, and every answer says where it comes from:
in its text, and as ``system_fingerprint`` where a JSON schema leaves no room for text.
The format is https://platform.openai.com/docs/api-reference/chat.
"""

import hashlib
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from gateway.errors import invalid_request
from gateway.hub.requests.validation import output_limit, validate_request
from gateway.sandbox import values
from gateway.wire.jsontext import JSON, dumps, encode

FINGERPRINT = "offline-sandbox"
OPENING = "Offline sandbox, not a model:"
MAX_QUOTE = 300
TOOL_TYPES = ("function", "custom")
# Roughly what OpenAI's tokenizers make of English; good enough to count with.
CHARACTERS_PER_TOKEN = 4


class _Answer(NamedTuple):
    """What the sandbox says to one request, before it is framed."""

    content: str
    tool_call: JSON | None = None
    finish_reason: str = "stop"


def complete(body: JSON, created: int) -> JSON:
    """Return the whole `chat.completion` for a request body.

    Raises a 400 GatewayError that names the field for a request OpenAI would refuse.
    """
    valid = validate_request(_with_model(body)).body
    answer = _answer(valid)
    message: JSON = {"role": "assistant", "content": answer.content, "refusal": None}
    if answer.tool_call is not None:
        message["tool_calls"] = [answer.tool_call]
    choice = {
        "index": 0,
        "message": message,
        "logprobs": None,
        "finish_reason": answer.finish_reason,
    }
    return {
        **_head(valid, created, "chat.completion"),
        "choices": [choice],
        "usage": _usage(valid, answer),
    }


def stream(body: JSON, created: int) -> list[JSON]:
    """Return the `chat.completion.chunk`s of the same answer that `complete` gives."""
    valid = validate_request(_with_model(body)).body
    answer = _answer(valid)
    include_usage = bool(valid.get("stream_options", {}).get("include_usage"))
    head = _head(valid, created, "chat.completion.chunk")
    ending = {"usage": None} if include_usage else {}
    chunks = [
        {
            **head,
            "choices": [{"index": 0, "delta": delta, "finish_reason": reason}],
            **ending,
        }
        for delta, reason in _deltas(answer)
    ]
    if include_usage:
        chunks.append({**head, "choices": [], "usage": _usage(valid, answer)})
    return chunks


def _with_model(body: JSON) -> JSON:
    if not isinstance(body.get("model"), str) or not body["model"]:
        raise invalid_request("model is required", param="model")
    return body


def _head(body: JSON, created: int, kind: str) -> JSON:
    digest = hashlib.sha256(encode(body)).hexdigest()
    return {
        "id": f"chatcmpl-sandbox-{digest[:24]}",
        "object": kind,
        "created": created,
        "model": body["model"],
        "system_fingerprint": FINGERPRINT,
    }


def _deltas(answer: _Answer) -> Iterator[tuple[JSON, str | None]]:
    yield {"role": "assistant", "content": "", "refusal": None}, None
    for piece in re.findall(r"\s*\S+\s*?", answer.content):
        yield {"content": piece}, None
    if answer.tool_call is not None:
        yield from _tool_deltas(answer.tool_call)
    yield {}, answer.finish_reason


def _tool_deltas(call: JSON) -> Iterator[tuple[JSON, None]]:
    """Yield a tool call as OpenAI streams it: its head, then pieces of its input."""
    kind = call["type"]
    field = "arguments" if kind == "function" else "input"
    body = call[kind]
    head = {**call, "index": 0, kind: {**body, field: ""}}
    yield {"tool_calls": [head]}, None
    for piece in re.findall(r".{1,12}", body[field], re.DOTALL):
        yield {"tool_calls": [{"index": 0, kind: {field: piece}}]}, None


def _answer(body: JSON) -> _Answer:
    if (tool := _tool_to_call(body)) is not None:
        return _call(tool, body)
    content, is_text = _content(body)
    if not is_text:
        return _shortened(content, body, ())
    return _shortened(content, body, body.get("stop", ()))


def _content(body: JSON) -> tuple[str, bool]:
    """Return the answer, and whether it is plain text (JSON ignores `stop`)."""
    response_format = body.get("response_format") or {}
    hint = _last_text(body, {"user"})
    match response_format.get("type"):
        case "json_schema":
            schema = response_format.get("json_schema", {}).get("schema", {})
            return dumps(values.example(schema, hint)), False
        case "json_object":
            answer = {"source": "offline sandbox, not a model", "answer": _text(body)}
            return dumps(answer), False
    return _text(body), True


def _text(body: JSON) -> str:
    results = [m for m in body["messages"] if m["role"] in {"tool", "function"}]
    if results:
        name = _name_of_result(body, results[-1])
        return f"{OPENING} {name} answered: {_quote(_plain(results[-1]))}"
    said = _quote(_last_text(body, {"user"}))
    return (
        f"{OPENING} your request for {body['model']} was answered by this server. Set "
        "PLAYGROUND_LLM_API_KEY, or register a provider with a key, to hear from a "
        f"model. You said: {said}"
    )


def _quote(text: str) -> str:
    short = text if len(text) <= MAX_QUOTE else f"{text[:MAX_QUOTE]}…"
    return f'"{short}"' if text else "nothing."


def _last_text(body: JSON, roles: set[str]) -> str:
    for message in reversed(body["messages"]):
        if message["role"] in roles:
            return _plain(message)
    return ""


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


def _shortened(content: str, body: JSON, stops: Any) -> _Answer:
    """Apply `stop` and the output limit, as a model's answer would end by them."""
    ends = [content.index(stop) for stop in stops if stop in content]
    if ends:
        content = content[: min(ends)]
    limit = output_limit(body)
    if limit is not None and _tokens(content) > limit:
        return _Answer(content[: limit * CHARACTERS_PER_TOKEN], finish_reason="length")
    return _Answer(content)


def _tokens(text: str) -> int:
    return -(-len(text) // CHARACTERS_PER_TOKEN)


def _usage(body: JSON, answer: _Answer) -> JSON:
    asked = sum(_tokens(_plain(message)) + 3 for message in body["messages"])
    if "tools" in body:
        asked += _tokens(dumps(body["tools"]))
    said = _tokens(answer.content)
    if answer.tool_call is not None:
        said += _tokens(dumps(answer.tool_call))
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
    if any(m["role"] in {"tool", "function"} for m in body["messages"]):
        return None
    if choice == "none":
        return None
    if isinstance(choice, dict):
        allowed = _allowed(choice)
        tools = [tool for tool in tools if _name(tool) in allowed]
        if not tools:
            raise invalid_request(
                "'tool_choice' names a tool that is not in 'tools'.",
                param="tool_choice",
            )
    words = set(re.findall(r"\w{3,}", _last_text(body, {"user"}).lower()))
    return max(tools, key=lambda tool: _fit(tool, words), default=None)


def _allowed(choice: JSON) -> set[str]:
    """Return the tools that a `tool_choice` object names."""
    allowed = choice.get("allowed_tools")
    if isinstance(allowed, dict):
        return {_name(tool) for tool in allowed.get("tools", ())}
    return {_name(choice)}


def _name(tool: Any) -> str:
    """Return the name in a tool or tool choice, empty where it has none."""
    if not isinstance(tool, dict) or tool.get("type") not in TOOL_TYPES:
        return ""
    definition = tool.get(tool["type"])
    return str(definition.get("name", "")) if isinstance(definition, dict) else ""


def _fit(tool: JSON, words: set[str]) -> int:
    """Return how many of the user's words a tool's name and description share."""
    definition = tool[tool["type"]]
    about = f"{definition['name']} {definition.get('description') or ''}".lower()
    return len(words & set(re.findall(r"[^\W_]{3,}", about)))


def _call(tool: JSON, body: JSON) -> _Answer:
    name = _name(tool)
    hint = _last_text(body, {"user"})
    kind = tool["type"]
    if kind == "function":
        schema = tool["function"].get("parameters") or {"type": "object"}
        given = {"arguments": dumps(values.example(schema, hint))}
    else:
        given = {"input": hint}
    digest = hashlib.sha256(encode([name, body["messages"]])).hexdigest()
    call = {
        "id": f"call_sandbox_{digest[:16]}",
        "type": kind,
        kind: {"name": name, **given},
    }
    return _Answer(f"{OPENING} calling {name}.", call, "tool_calls")
