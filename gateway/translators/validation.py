"""What every translated upstream asks of a request before it is rendered.

An OpenAI-compatible upstream checks requests itself; the others word their refusals in
terms the caller never used. So the rules of OpenAI's own API are applied here, once,
with OpenAI's parameter paths.
https://platform.openai.com/docs/api-reference/chat/create
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from gateway.errors import GatewayError, invalid_request, unsupported
from gateway.translators.protocol import JSON, Route
from gateway.translators.tool_calls import pair_results

__all__ = ["Losses", "ValidRequest", "output_limit", "validate_request"]

ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")

EXTENSIONS = frozenset(
    {
        "cache_control",
        "keep_alive",
        "min_p",
        "num_ctx",
        "reasoning",
        "repeat_penalty",
        "thinking",
        "top_k",
    }
)
"""Fields beyond OpenAI's that at least one upstream understands."""

FIELDS = EXTENSIONS | {
    "audio",
    "frequency_penalty",
    "function_call",
    "functions",
    "include_obfuscation",
    "logit_bias",
    "logprobs",
    "max_completion_tokens",
    "max_tokens",
    "messages",
    "metadata",
    "modalities",
    "model",
    "moderation",
    "n",
    "parallel_tool_calls",
    "prediction",
    "presence_penalty",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "reasoning_effort",
    "response_format",
    "safety_identifier",
    "seed",
    "service_tier",
    "stop",
    "store",
    "stream",
    "stream_options",
    "temperature",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "user",
    "verbosity",
    "web_search_options",
}

_NOT_FROM_EXTRA_BODY = frozenset({"model", "messages", "stream"})


class ValidRequest(NamedTuple):
    """A request that passed.

    `body` is a shallow copy with `extra_body` merged in and without nulls, unknown
    fields, an empty `tools`, tool settings that have no tools and empty stop strings;
    `stop` is a list. `unknown` names the fields left out. `results` says for the index
    of each tool or function message which call it answers: the index of the assistant
    message and the position of the call in it (see `tool_calls.calls_of`).
    """

    body: JSON
    unknown: tuple[str, ...]
    results: Mapping[int, tuple[int, int]]


class Losses:
    """What a request loses on its way to an upstream, for the response headers.

    With the route flag `strict_params` a parameter that would be dropped is refused
    instead.
    """

    def __init__(self, route: Route) -> None:
        self._strict = bool(route.options.get("strict_params"))
        self._dropped: dict[str, None] = {}
        self._downgraded: dict[str, None] = {}

    @property
    def dropped(self) -> tuple[str, ...]:
        """Names of parameters not sent, each once, in the order they were met."""
        return tuple(self._dropped)

    @property
    def downgraded(self) -> tuple[str, ...]:
        """Names of parameters sent in a weaker form."""
        return tuple(self._downgraded)

    def drop(self, param: str) -> None:
        """Note that `param` is not sent; raises a 400 under `strict_params`."""
        if self._strict:
            raise unsupported(
                f"This model does not support '{param}', and its provider is set to "
                f"refuse rather than drop parameters. Remove '{param}'.",
                param=param,
            )
        self._dropped[param] = None

    def downgrade(self, param: str) -> None:
        """Note that `param` is sent in a weaker form."""
        self._downgraded[param] = None


def validate_request(body: JSON) -> ValidRequest:
    """Return `body` checked and tidied; raises a 400 `GatewayError` naming the field.

    Nothing of `body` is mutated; messages are shared with it, not copied.
    """
    merged = _with_extra_body(body)
    clean = {
        field: value
        for field, value in merged.items()
        if value is not None and field in FIELDS
    }
    unknown = tuple(
        field
        for field, value in merged.items()
        if field not in FIELDS and value is not None
    )
    for field, value in clean.items():
        check = _CHECKS.get(field)
        if check is not None:
            check(field, value)
    _check_together(clean)
    _tidy(clean)
    messages = _checked_messages(clean.get("messages"))
    return ValidRequest(clean, unknown, pair_results(messages))


def output_limit(body: JSON) -> int | None:
    """Return the effective output limit of a valid request, with reasoning."""
    limit = body.get("max_completion_tokens")
    return limit if limit is not None else body.get("max_tokens")


def _with_extra_body(body: JSON) -> JSON:
    extra = body.get("extra_body")
    if extra is None:
        return {field: value for field, value in body.items() if field != "extra_body"}
    if not isinstance(extra, dict):
        raise _wrong_type("extra_body", "an object")
    merged = dict(body)
    del merged["extra_body"]
    for field, value in extra.items():
        if field not in _NOT_FROM_EXTRA_BODY:
            merged[field] = value
    return merged


def _tidy(body: JSON) -> None:
    if "stop" in body:
        stop = body["stop"]
        strings = [text for text in ([stop] if isinstance(stop, str) else stop) if text]
        if strings:
            body["stop"] = strings
        else:
            del body["stop"]
    if not body.get("tools"):
        body.pop("tools", None)
    if not body.get("functions"):
        body.pop("functions", None)
    if "tools" not in body and "functions" not in body:
        # Checked before: what is left here is "none" or "auto", which change nothing.
        for field in ("tool_choice", "function_call", "parallel_tool_calls"):
            body.pop(field, None)
    if not body.get("stream"):
        body.pop("stream_options", None)


def _wrong_type(param: str, expected: str) -> GatewayError:
    return invalid_request(
        f"Invalid type for '{param}': expected {expected}.",
        param=param,
        code="invalid_type",
    )


def _invalid_value(param: str, message: str) -> GatewayError:
    return invalid_request(message, param=param, code="invalid_value")


def _of_type(
    types: type | tuple[type, ...], expected: str
) -> Callable[[str, Any], None]:
    def check(param: str, value: Any) -> None:
        if not isinstance(value, types):
            raise _wrong_type(param, expected)

    return check


def _in_range(low: float, high: float) -> Callable[[str, Any], None]:
    def check(param: str, value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise _wrong_type(param, "a number")
        if not low <= value <= high:
            raise _invalid_value(
                param,
                f"Invalid value for '{param}': {value} is not between {low} and "
                f"{high}.",
            )

    return check


def _integer(low: int, high: int | None = None) -> Callable[[str, Any], None]:
    def check(param: str, value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            raise _wrong_type(param, "an integer")
        if value < low or (high is not None and value > high):
            bounds = f"at least {low}" if high is None else f"{low} to {high}"
            raise _invalid_value(
                param, f"Invalid value for '{param}': {value}; expected {bounds}."
            )

    return check


def _one_of(*values: str) -> Callable[[str, Any], None]:
    def check(param: str, value: Any) -> None:
        if value not in values:
            known = ", ".join(f"'{each}'" for each in values)
            raise _invalid_value(
                param, f"Invalid value for '{param}': expected one of {known}."
            )

    return check


def _check_n(param: str, value: Any) -> None:
    if value != 1 or isinstance(value, bool):
        raise unsupported(
            "This provider answers with one choice per request: 'n' must be 1. Send "
            "the request several times instead.",
            param=param,
        )


def _check_stop(param: str, value: Any) -> None:
    if isinstance(value, str):
        return
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise _wrong_type(param, "a string or an array of strings")
    if len(value) > 4:
        raise _invalid_value(
            param, f"'stop' may hold at most 4 strings, not {len(value)}."
        )


def _check_modalities(param: str, value: Any) -> None:
    if not isinstance(value, list):
        raise _wrong_type(param, "an array of strings")
    if any(modality != "text" for modality in value):
        raise unsupported(
            "This provider answers in text only: 'modalities' must be [\"text\"].",
            param=param,
        )


def _refuse(param: str, value: Any) -> None:
    raise unsupported(
        f"This provider does not support '{param}'. Remove '{param}'.", param=param
    )


def _check_response_format(param: str, value: Any) -> None:
    if not isinstance(value, dict):
        raise _wrong_type(param, "an object")
    match value.get("type"):
        case "text" | "json_object":
            return
        case "json_schema":
            described = value.get("json_schema")
            if not isinstance(described, dict):
                raise _wrong_type(f"{param}.json_schema", "an object")
            schema = described.get("schema")
            if schema is not None and not isinstance(schema, dict):
                raise _wrong_type(f"{param}.json_schema.schema", "an object")
        case _:
            _one_of("text", "json_object", "json_schema")(f"{param}.type", None)


def _check_reasoning(param: str, value: Any) -> None:
    if not isinstance(value, dict):
        raise _wrong_type(param, "an object")
    if value.get("effort") is not None:
        _one_of(*EFFORTS)(f"{param}.effort", value["effort"])
    if value.get("max_tokens") is not None:
        _integer(0)(f"{param}.max_tokens", value["max_tokens"])
    if value.get("enabled") is not None:
        _of_type(bool, "a boolean")(f"{param}.enabled", value["enabled"])


_an_object = _of_type(dict, "an object")
_a_boolean = _of_type(bool, "a boolean")
_a_string = _of_type(str, "a string")

_CHECKS: dict[str, Callable[[str, Any], None]] = {
    "audio": _refuse,
    "cache_control": _an_object,
    "frequency_penalty": _in_range(-2, 2),
    "function_call": _of_type((str, dict), "a string or an object"),
    "functions": _of_type(list, "an array"),
    "logit_bias": _an_object,
    "logprobs": _a_boolean,
    "max_completion_tokens": _integer(1),
    "max_tokens": _integer(1),
    "metadata": _an_object,
    "modalities": _check_modalities,
    "moderation": _refuse,
    "n": _check_n,
    "parallel_tool_calls": _a_boolean,
    "presence_penalty": _in_range(-2, 2),
    "prompt_cache_options": _an_object,
    "reasoning": _check_reasoning,
    "reasoning_effort": _one_of(*EFFORTS),
    "response_format": _check_response_format,
    "safety_identifier": _a_string,
    "seed": _of_type(int, "an integer"),
    "service_tier": _a_string,
    "stop": _check_stop,
    "store": _a_boolean,
    "stream": _a_boolean,
    "stream_options": _an_object,
    "temperature": _in_range(0, 2),
    "thinking": _an_object,
    "tool_choice": _of_type((str, dict), "a string or an object"),
    "tools": _of_type(list, "an array"),
    "top_k": _integer(0),
    "top_logprobs": _integer(0, 20),
    "top_p": _in_range(0, 1),
    "user": _a_string,
    "web_search_options": _an_object,
}


def _check_together(body: JSON) -> None:
    if "top_logprobs" in body and not body.get("logprobs"):
        raise _invalid_value(
            "top_logprobs", "'top_logprobs' needs 'logprobs' to be true."
        )
    if body.get("tools") and body.get("functions"):
        raise _invalid_value(
            "functions", "Use either 'tools' or the older 'functions', not both."
        )
    _check_choice_has_tools(body, "tool_choice", "tools")
    _check_choice_has_tools(body, "function_call", "functions")


def _check_choice_has_tools(body: JSON, choice: str, tools: str) -> None:
    if choice in body and body[choice] not in ("none", "auto") and not body.get(tools):
        raise _invalid_value(
            choice, f"'{choice}' is only allowed when '{tools}' are specified."
        )


def _checked_messages(messages: Any) -> list[JSON]:
    if not isinstance(messages, list):
        raise _wrong_type("messages", "an array with at least one message")
    if not messages:
        raise _invalid_value("messages", "'messages' needs at least one message.")
    for position, message in enumerate(messages):
        _check_message(message, f"messages[{position}]")
    return messages


def _check_message(message: Any, param: str) -> None:
    if not isinstance(message, dict):
        raise _wrong_type(param, "an object")
    role = message.get("role")
    if not isinstance(role, str) or role not in ROLES:
        known = ", ".join(sorted(ROLES))
        raise _invalid_value(
            f"{param}.role", f"Invalid value for '{param}.role': expected {known}."
        )
    _check_content(message.get("content"), role, param)
    if role == "assistant":
        _check_calls(message, param)


def _check_content(content: Any, role: str, param: str) -> None:
    if content is None:
        if role in ("user", "system", "developer"):
            raise _wrong_type(f"{param}.content", "a string or an array of parts")
        return
    if isinstance(content, str):
        return
    if not isinstance(content, list):
        raise _wrong_type(f"{param}.content", "a string or an array of parts")
    for position, part in enumerate(content):
        if not isinstance(part, dict) or not isinstance(part.get("type"), str):
            raise _wrong_type(f"{param}.content[{position}]", "an object with a 'type'")


def _check_calls(message: JSON, param: str) -> None:
    calls = message.get("tool_calls")
    if calls is not None and not isinstance(calls, list):
        raise _wrong_type(f"{param}.tool_calls", "an array")
    for position, call in enumerate(calls or ()):
        path = f"{param}.tool_calls[{position}]"
        if not isinstance(call, dict):
            raise _wrong_type(path, "an object")
        if call.get("type") not in (None, "function"):
            raise unsupported(
                "This provider knows function calls only: replay the call as "
                '{"type": "function"}.',
                param=f"{path}.type",
            )
        if call.get("id") is not None and not isinstance(call["id"], str):
            raise _wrong_type(f"{path}.id", "a string")
        _check_function(call.get("function"), f"{path}.function")
    legacy = message.get("function_call")
    if legacy is not None:
        _check_function(legacy, f"{param}.function_call")


def _check_function(function: Any, param: str) -> None:
    if not isinstance(function, dict):
        raise _wrong_type(param, "an object with 'name' and 'arguments'")
    name = function.get("name")
    if not isinstance(name, str) or not name:
        raise _wrong_type(f"{param}.name", "a string")
    if not isinstance(function.get("arguments", ""), str | dict | None):
        raise _wrong_type(f"{param}.arguments", "a string of JSON")
