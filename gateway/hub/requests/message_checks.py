"""What the messages of a request must look like, before anyone reads them."""

from typing import Any

from gateway.errors import unsupported
from gateway.hub.protocol import JSON
from gateway.hub.requests.field_checks import invalid_value, wrong_type
from gateway.hub.requests.tools.calls import may_call

ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})

_WITHOUT_CALLS = ("user", "tool", "system", "developer", "function")


def checked_messages(messages: Any) -> list[JSON]:
    """Return `messages` if each has a known role and content of the right shape.

    Raises a 400 naming the place of what is wrong.
    """
    if not isinstance(messages, list):
        raise wrong_type("messages", "an array with at least one message")
    if not messages:
        raise invalid_value("messages", "'messages' needs at least one message.")
    for position, message in enumerate(messages):
        if not _is_plain(message):
            check_message(message, f"messages[{position}]")
    return messages


def _is_plain(message: Any) -> bool:
    """Tell at a glance that a message is text, as nearly all are, or calls."""
    if not isinstance(message, dict):
        return False
    content, role = message.get("content"), message.get("role")
    if role == "assistant":
        is_said = content is None or isinstance(content, str)
        return is_said and (not may_call(message) or _has_plain_calls(message))
    return isinstance(content, str) and role in _WITHOUT_CALLS


def _has_plain_calls(message: JSON) -> bool:
    """Tell at a glance that calls are as OpenAI tells them, and none is of old."""
    calls = message.get("tool_calls")
    return (
        isinstance(calls, list)
        and "function_call" not in message
        and all(map(_is_plain_call, calls))
    )


def _is_plain_call(call: Any) -> bool:
    if not isinstance(call, dict) or call.get("type") != "function":
        return False
    function = call.get("function")
    if not isinstance(function, dict) or not isinstance(call.get("id"), str):
        return False
    name, arguments = function.get("name"), function.get("arguments")
    return isinstance(name, str) and name != "" and isinstance(arguments, str)


def check_message(message: Any, param: str) -> None:
    """Raise a 400 for a message, whose path is `param`, of another shape than asked."""
    if not isinstance(message, dict):
        raise wrong_type(param, "an object")
    role = message.get("role")
    if not isinstance(role, str) or role not in ROLES:
        known = ", ".join(sorted(ROLES))
        raise invalid_value(
            f"{param}.role", f"Invalid value for '{param}.role': expected {known}."
        )
    _check_content(message.get("content"), role, param)
    if role == "assistant":
        _check_calls(message, param)


def _check_content(content: Any, role: str, param: str) -> None:
    if content is None:
        if role in ("user", "system", "developer"):
            raise wrong_type(f"{param}.content", "a string or an array of parts")
        return
    if isinstance(content, str):
        return
    if not isinstance(content, list):
        raise wrong_type(f"{param}.content", "a string or an array of parts")
    for position, part in enumerate(content):
        if not isinstance(part, dict) or not isinstance(part.get("type"), str):
            raise wrong_type(f"{param}.content[{position}]", "an object with a 'type'")


def _check_calls(message: JSON, param: str) -> None:
    calls = message.get("tool_calls")
    if calls is not None and not isinstance(calls, list):
        raise wrong_type(f"{param}.tool_calls", "an array")
    for position, call in enumerate(calls or ()):
        path = f"{param}.tool_calls[{position}]"
        if not isinstance(call, dict):
            raise wrong_type(path, "an object")
        if call.get("type") not in (None, "function"):
            raise unsupported(
                "This provider knows function calls only: replay the call as "
                '{"type": "function"}.',
                param=f"{path}.type",
            )
        if call.get("id") is not None and not isinstance(call["id"], str):
            raise wrong_type(f"{path}.id", "a string")
        _check_function(call.get("function"), f"{path}.function")
    legacy = message.get("function_call")
    if legacy is not None:
        _check_function(legacy, f"{param}.function_call")


def _check_function(function: Any, param: str) -> None:
    if not isinstance(function, dict):
        raise wrong_type(param, "an object with 'name' and 'arguments'")
    name = function.get("name")
    if not isinstance(name, str) or not name:
        raise wrong_type(f"{param}.name", "a string")
    if not isinstance(function.get("arguments", ""), str | dict | None):
        raise wrong_type(f"{param}.arguments", "a string of JSON")
