"""The tool calls of a whole answer."""

from typing import Any

from gateway.hub.answers.calls.arguments import arguments_text
from gateway.hub.answers.calls.ids import call_id
from gateway.hub.errors.upstream_errors import no_answer
from gateway.hub.protocol import JSON, Reply


def with_regular_calls(message: JSON, reply: Reply) -> JSON:
    """Return a message whose calls have an id of their own and JSON text each.

    A call without a name is the one that the request forces. Where there is none it is
    left out if it has no arguments either, else raises `GatewayError` (502), for nobody
    can tell what they are for. `message` is not changed; it comes back as it is where
    all of it is regular.
    """
    found = message.get("tool_calls")
    if found:
        calls = found if isinstance(found, list) else [found]
        if not _are_regular(calls):
            message = {**message, "tool_calls": _regular(calls, reply)}
    legacy = message.get("function_call")
    if isinstance(legacy, dict) and not _is_regular_function(legacy):
        message = {key: message[key] for key in message if key != "function_call"}
        if function := _regular_function(legacy, reply):
            message["function_call"] = function
    return message


def name_of_nameless(arguments: str, reply: Reply) -> str:
    """Return the tool that is meant by `arguments` without a name; "" if they are none.

    Raises `GatewayError` (502) where they would be lost.
    """
    told = arguments.strip()
    if not told or reply.forced_tool:
        return reply.forced_tool if told else ""
    if told == "{}":
        return ""
    raise no_answer("holds arguments of a tool call that has no name")


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
            called = isinstance(function, dict) and _regular_function(function, reply)
            if not called:
                continue
            built["function"] = called
        id = id_text(call.get("id"))
        built["id"] = call_id("" if id in given else id, reply, len(regular))
        given.add(built["id"])
        regular.append(built)
    return regular


def _name_of(function: JSON) -> str:
    name = function.get("name")
    return name if isinstance(name, str) else ""


def _regular_function(function: JSON, reply: Reply) -> JSON | None:
    """Return a function with name and JSON text; None where it calls nothing."""
    arguments = arguments_text(function.get("arguments"))
    name = _name_of(function) or name_of_nameless(arguments, reply)
    if not name:
        return None
    text = arguments if arguments.strip() else "{}"
    return {**function, "name": name, "arguments": text}
