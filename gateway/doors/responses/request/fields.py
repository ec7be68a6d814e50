"""The settings of a request, as fields of the hub's.

https://platform.openai.com/docs/api-reference/responses/create
"""

from typing import Any

from gateway.doors.responses.request.content import wrong
from gateway.errors import unsupported
from gateway.hub.protocol import JSON
from gateway.hub.requests.losses import Losses

LOGPROBS = "message.output_text.logprobs"

_REFUSED = {
    "previous_response_id": "'previous_response_id' is not supported for this model: "
    "responses are not kept here. Send the whole conversation in 'input'.",
    "conversation": "'conversation' is not supported for this model: conversations are "
    "not kept here. Send the whole conversation in 'input'.",
    "background": "'background' is not supported for this model. Leave it out and read "
    "the stream.",
    "prompt": "'prompt' refers to a template stored at OpenAI, which this model cannot "
    "read. Send its text in 'instructions'.",
}
_DROPPED = ("context_management", "image", "access_programs")
LEFT_OUT = frozenset(
    {
        *_REFUSED,
        *_DROPPED,
        # Read here or elsewhere in the door.
        "client_metadata",
        "include",
        "input",
        "instructions",
        "max_output_tokens",
        "max_tool_calls",
        "model",
        "parallel_tool_calls",
        "reasoning",
        "store",
        "stream",
        "stream_options",
        "text",
        "tool_choice",
        "tools",
        "top_logprobs",
        "truncation",
        # Chat's, and not to be confused with what stands here.
        "function_call",
        "functions",
        "messages",
    }
)
"""Fields that do not stand in the hub's request as they were sent."""


def settings_of(body: JSON, losses: Losses) -> JSON:
    """Return the fields of the hub's request beside messages and tools.

    What this door does not know is left to the hub, for clients that know more. Raises
    a 400 for what would not mean the same.
    """
    for field in _DROPPED:
        if body.get(field) is not None:
            losses.drop(field)
    if body.get("truncation") not in (None, "disabled"):
        losses.drop("truncation")
    hub = {
        name: value
        for name, value in body.items()
        if name not in LEFT_OUT and value is not None
    }
    if (limit := body.get("max_output_tokens")) is not None:
        hub["max_completion_tokens"] = limit
    hub |= _text(object_in(body, "text"))
    hub |= _reasoning(object_in(body, "reasoning"), losses)
    hub |= _logprobs(body)
    if body.get("stream"):
        hub |= {"stream": True, "stream_options": {"include_usage": True}}
    return hub


def wants_summary(body: JSON) -> bool:
    """Tell whether the client wants to read what is thought; it asks for no thinking.

    Codex asks for this alone.
    """
    reasoning = object_in(body, "reasoning")
    return bool(reasoning.get("summary") or reasoning.get("generate_summary"))


def refuse_kept(body: JSON) -> None:
    """Raise a 400 for what refers to something that only OpenAI keeps or does."""
    for field, why in _REFUSED.items():
        if body.get(field) not in (None, False):
            raise unsupported(why, param=field)
    options = body.get("prompt_cache_options")
    if isinstance(options, dict) and options.get("prewarm"):
        param = "prompt_cache_options.prewarm"
        raise unsupported(
            f"'{param}' is not supported for this model. Leave it out.", param=param
        )


def object_in(body: JSON, field: str) -> JSON:
    """Return a field's object, an empty one where there is none; raises a 400."""
    value = body.get(field)
    if value is not None and not isinstance(value, dict):
        raise wrong(field, "expected an object")
    return value or {}


def _text(text: JSON) -> JSON:
    hub: JSON = {}
    if (verbosity := text.get("verbosity")) is not None:
        hub["verbosity"] = verbosity
    match text.get("format"):
        case None | {"type": "text"}:
            pass
        case {"type": "json_object"}:
            hub["response_format"] = {"type": "json_object"}
        case {"type": "json_schema", **described}:
            known = ("name", "schema", "strict", "description")
            schema = {
                name: described[name]
                for name in known
                if described.get(name) is not None
            }
            hub["response_format"] = {"type": "json_schema", "json_schema": schema}
        case _:
            raise wrong("text.format.type", "expected text, json_object or json_schema")
    return hub


def _reasoning(reasoning: JSON, losses: Losses) -> JSON:
    hub: JSON = {}
    if (effort := reasoning.get("effort")) is not None:
        hub["reasoning_effort"] = effort
    if reasoning.get("mode") is not None:
        losses.drop("reasoning.mode")
    return hub


def _logprobs(body: JSON) -> JSON:
    include: Any = body.get("include")
    if include is not None and not isinstance(include, list):
        raise wrong("include", "expected an array of strings")
    if LOGPROBS not in (include or ()):
        return {}
    hub: JSON = {"logprobs": True}
    if (most := body.get("top_logprobs")) is not None:
        hub["top_logprobs"] = most
    return hub
