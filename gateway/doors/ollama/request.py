"""A request to Ollama's ``/api/chat`` in OpenAI's words.

https://docs.ollama.com/api/chat and, for `options`,
https://docs.ollama.com/modelfile#valid-parameters-and-values
"""

import base64
import binascii
from collections import deque
from typing import Any

from gateway.doors.ollama.fitting import fit
from gateway.doors.protocol import JSON, Asked, HubRequest
from gateway.errors import GatewayError, invalid_request
from gateway.hub.protocol import Route
from gateway.hub.requests.content.formats import image_type
from gateway.wire.jsontext import dumps

_OPTIONS = {
    "frequency_penalty": "frequency_penalty",
    "min_p": "min_p",
    "num_ctx": "num_ctx",
    "num_predict": "max_tokens",
    "presence_penalty": "presence_penalty",
    "repeat_penalty": "repeat_penalty",
    "seed": "seed",
    "stop": "stop",
    "temperature": "temperature",
    "top_k": "top_k",
    "top_p": "top_p",
}
"""What of `options` the hub has a word for; the rest is about the server's machine."""

_FIELDS = {
    **{ours: f"options.{name}" for name, ours in _OPTIONS.items()},
    "max_completion_tokens": "options.num_predict",
    "reasoning_effort": "think",
    "response_format": "format",
}
"""Where the hub's fields stand in the client's request."""

_SAME = ("keep_alive", "logprobs", "top_logprobs")
_READ = frozenset(
    {"model", "messages", "stream", "tools", "format", "options", "think", *_SAME}
)


def to_hub(asked: Asked, route: Route) -> HubRequest:
    """Return the request in the hub's words, and which fields have none there.

    Raises `GatewayError` (400, with `param`).
    """
    body = asked.body
    dropped = [f"options.{name}" for name in _options(body) if name not in _OPTIONS]
    dropped += [name for name in body if name not in _READ]
    hub: JSON = {
        "model": asked.model,
        "messages": _messages(body["messages"]),
        "stream": asked.stream,
    }
    if asked.stream:
        hub["stream_options"] = {"include_usage": True}
    if tools := body.get("tools"):
        hub["tools"] = tools
    if (wanted := body.get("format")) not in (None, ""):
        hub["response_format"] = _format(wanted)
    if (think := body.get("think")) is not None:
        hub["reasoning_effort"] = _effort(think)
    for name, value in _options(body).items():
        if name in _OPTIONS and value is not None and not _is_endless(name, value):
            hub[_OPTIONS[name]] = value
    hub |= {name: body[name] for name in _SAME if body.get(name) is not None}
    dropped += map(_client_path, fit(hub, route))
    return HubRequest(hub, tuple(dropped), client_path=_client_path)


def _client_path(path: str) -> str:
    """Return where a field of the hub's is in the client's request."""
    return _FIELDS.get(path.partition(".")[0], path)


def _is_endless(name: str, value: Any) -> bool:
    """Tell whether a limit says that there is none."""
    return name == "num_predict" and isinstance(value, int) and value < 0


def _options(body: JSON) -> JSON:
    options = body.get("options")
    if options is None:
        return {}
    if not isinstance(options, dict):
        raise _wrong("options", "an object")
    return options


def _format(wanted: Any) -> JSON:
    if wanted == "json":
        return {"type": "json_object"}
    if isinstance(wanted, dict):
        schema = {"name": "answer", "schema": wanted}
        return {"type": "json_schema", "json_schema": schema}
    raise _wrong("format", '"json" or a JSON schema')


def _effort(think: Any) -> str:
    if isinstance(think, bool):
        return "medium" if think else "none"
    if isinstance(think, str):
        return think
    raise _wrong("think", "true, false, low, medium or high")


def _messages(messages: list[Any]) -> list[JSON]:
    """Return the messages; results go to the calls before them, by name and order."""
    hub: list[JSON] = []
    waiting: deque[tuple[str, str]] = deque()
    for number, message in enumerate(messages):
        param = f"messages[{number}]"
        if not isinstance(message, dict):
            raise _wrong(param, "an object")
        rendered = {"role": message.get("role"), "content": _content(message, param)}
        if calls := message.get("tool_calls"):
            rendered["tool_calls"] = _calls(calls, number, param)
            waiting = deque(
                (each["function"]["name"], each["id"])
                for each in rendered["tool_calls"]
            )
        if thinking := message.get("thinking"):
            rendered["reasoning_content"] = thinking
        if rendered["role"] == "tool":
            rendered["tool_call_id"] = _answered(message, waiting)
        hub.append(rendered)
    return hub


def _content(message: JSON, param: str) -> Any:
    text = message.get("content")
    images = message.get("images")
    if not images:
        return "" if text is None else text
    if not isinstance(images, list):
        raise _wrong(f"{param}.images", "a list of base64 texts")
    parts = [{"type": "text", "text": text}] if text else []
    urls = [
        _data_url(each, f"{param}.images[{place}]") for place, each in enumerate(images)
    ]
    return [*parts, *({"type": "image_url", "image_url": {"url": url}} for url in urls)]


def _data_url(image: Any, param: str) -> str:
    if not isinstance(image, str):
        raise _wrong(param, "a base64 text")
    try:
        head = base64.b64decode(image[:64], validate=True)
    except (binascii.Error, ValueError):
        raise _wrong(param, "a base64 text") from None
    return f"data:{image_type(head) or 'image/png'};base64,{image}"


def _calls(calls: Any, number: int, param: str) -> list[JSON]:
    """Return the calls; those without an id get one that is the same each time."""
    if not isinstance(calls, list):
        raise _wrong(f"{param}.tool_calls", "a list")
    return [
        _call(each, f"call_{number}_{place}", f"{param}.tool_calls[{place}]")
        for place, each in enumerate(calls)
    ]


def _call(call: Any, made_up: str, param: str) -> JSON:
    match call:
        case {"function": {"name": str(name), **rest}}:
            arguments = rest.get("arguments") or {}
            text = arguments if isinstance(arguments, str) else dumps(arguments)
            id = call.get("id") or made_up
            function = {"name": name, "arguments": text}
            return {"id": id, "type": "function", "function": function}
    raise _wrong(f"{param}.function", "an object with a name")


def _answered(message: JSON, waiting: deque[tuple[str, str]]) -> str:
    """Return the id of the call that a result answers: named, or the next one."""
    if isinstance(id := message.get("tool_call_id"), str) and id:
        return id
    name = message.get("tool_name") or message.get("name")
    for each in waiting:
        if each[0] == name:
            waiting.remove(each)
            return each[1]
    return waiting.popleft()[1] if waiting else ""


def _wrong(param: str, wanted: str) -> GatewayError:
    return invalid_request(
        f"{param} must be {wanted}", param=param, code="invalid_value"
    )
