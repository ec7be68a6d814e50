"""What the value of each field of a request must be, on its own."""

from collections.abc import Callable
from typing import Any

from gateway.errors import GatewayError, invalid_request, unsupported

Check = Callable[[str, Any], None]
"""Takes a parameter's path and value; raises a 400 naming the path."""

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")


def wrong_type(param: str, expected: str) -> GatewayError:
    """Return a 400 for a value of another type than `expected`."""
    return invalid_request(
        f"Invalid type for '{param}': expected {expected}.",
        param=param,
        code="invalid_type",
    )


def invalid_value(param: str, message: str) -> GatewayError:
    """Return a 400 for a value of the right type that makes no sense."""
    return invalid_request(message, param=param, code="invalid_value")


def _of_type(types: type | tuple[type, ...], expected: str) -> Check:
    def check(param: str, value: Any) -> None:
        if not isinstance(value, types):
            raise wrong_type(param, expected)

    return check


def _in_range(low: float, high: float) -> Check:
    def check(param: str, value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise wrong_type(param, "a number")
        if not low <= value <= high:
            raise invalid_value(
                param,
                f"Invalid value for '{param}': {value} is not between {low} and "
                f"{high}.",
            )

    return check


def _integer(low: int, high: int | None = None) -> Check:
    def check(param: str, value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            raise wrong_type(param, "an integer")
        if value < low or (high is not None and value > high):
            bounds = f"at least {low}" if high is None else f"{low} to {high}"
            raise invalid_value(
                param, f"Invalid value for '{param}': {value}; expected {bounds}."
            )

    return check


def _one_of(*values: str) -> Check:
    def check(param: str, value: Any) -> None:
        if value not in values:
            known = ", ".join(f"'{each}'" for each in values)
            raise invalid_value(
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
        raise wrong_type(param, "a string or an array of strings")
    if len(value) > 4:
        raise invalid_value(
            param, f"'stop' may hold at most 4 strings, not {len(value)}."
        )


def _check_modalities(param: str, value: Any) -> None:
    if not isinstance(value, list):
        raise wrong_type(param, "an array of strings")
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
        raise wrong_type(param, "an object")
    match value.get("type"):
        case "text" | "json_object":
            return
        case "json_schema":
            described = value.get("json_schema")
            if not isinstance(described, dict):
                raise wrong_type(f"{param}.json_schema", "an object")
            schema = described.get("schema")
            if schema is not None and not isinstance(schema, dict):
                raise wrong_type(f"{param}.json_schema.schema", "an object")
        case _:
            _one_of("text", "json_object", "json_schema")(f"{param}.type", None)


def _check_reasoning(param: str, value: Any) -> None:
    if not isinstance(value, dict):
        raise wrong_type(param, "an object")
    if value.get("effort") is not None:
        _one_of(*EFFORTS)(f"{param}.effort", value["effort"])
    if value.get("max_tokens") is not None:
        _integer(0)(f"{param}.max_tokens", value["max_tokens"])
    if value.get("enabled") is not None:
        _of_type(bool, "a boolean")(f"{param}.enabled", value["enabled"])


_an_object = _of_type(dict, "an object")
_a_boolean = _of_type(bool, "a boolean")
_a_string = _of_type(str, "a string")

CHECKS: dict[str, Check] = {
    "audio": _refuse,
    "cache_control": _an_object,
    "frequency_penalty": _in_range(-2, 2),
    "function_call": _of_type((str, dict), "a string or an object"),
    "functions": _of_type(list, "an array"),
    "logit_bias": _an_object,
    "logprobs": _a_boolean,
    "max_completion_tokens": _integer(1),
    "max_tokens": _integer(1),
    "mcp_servers": _of_type(list, "an array"),
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
    "truncate": _a_boolean,
    "user": _a_string,
    "web_search_options": _an_object,
}
"""By field; a field that is not named here is checked where it is used."""
