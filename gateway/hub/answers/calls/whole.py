"""The tool calls of a whole answer."""

from typing import Any

from gateway.hub.answers.calls.arguments import arguments_text
from gateway.hub.answers.calls.ids import call_id
from gateway.hub.protocol import JSON, Reply


def with_regular_calls(message: JSON, reply: Reply) -> JSON:
    """Return a message whose calls have an id of their own and JSON text each.

    A call without a name is none. `message` is not changed; it comes back as it is
    where all of it is regular.
    """
    found = message.get("tool_calls")
    if found:
        calls = found if isinstance(found, list) else [found]
        if not _are_regular(calls):
            message = {**message, "tool_calls": _regular(calls, reply)}
    legacy = message.get("function_call")
    if isinstance(legacy, dict) and not _is_regular_function(legacy):
        message = {key: message[key] for key in message if key != "function_call"}
        if _name_of(legacy):
            message["function_call"] = _regular_function(legacy)
    return message


def id_text(value: Any) -> str:
    """Return an id as text, "" where it is none; some servers give numbers."""
    if isinstance(value, str):
        return value
    return str(value) if type(value) is int else ""


def _are_regular(calls: list[Any]) -> bool:
    ids = {call.get("id") for call in calls if type(call) is dict and _is_regular(call)}
    return len(ids) == len(calls)


def _is_regular(call: JSON) -> bool:
    id, kind = call.get("id"), call.get("type")
    if type(id) is not str or not id:
        return False
    if kind == "function":
        return _is_regular_function(call.get("function"))
    return isinstance(kind, str) and kind in call


def _is_regular_function(function: Any) -> bool:
    return (
        type(function) is dict
        and type(name := function.get("name")) is str
        and bool(name)
        and type(arguments := function.get("arguments")) is str
        and bool(arguments)
    )


def _regular(calls: list[Any], reply: Reply) -> list[JSON]:
    regular: list[JSON] = []
    given: set[str] = set()
    for call in calls:
        if not isinstance(call, dict):
            continue
        built = {key: call[key] for key in call if call[key] is not None}
        kind = call.get("type")
        if not isinstance(kind, str) or not isinstance(call.get(kind), dict):
            built["type"] = kind = "function"
        if kind == "function":
            function = call.get("function")
            if not isinstance(function, dict) or not _name_of(function):
                continue
            built["function"] = _regular_function(function)
        id = id_text(call.get("id"))
        built["id"] = call_id("" if id in given else id, reply, len(regular))
        given.add(built["id"])
        regular.append(built)
    return regular


def _name_of(function: JSON) -> str:
    name = function.get("name")
    return name if isinstance(name, str) else ""


def _regular_function(function: JSON) -> JSON:
    arguments = arguments_text(function.get("arguments"))
    return {**function, "arguments": arguments if arguments.strip() else "{}"}
