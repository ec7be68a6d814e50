"""A tool call of the hub's as the item that its tool's calls are.

https://platform.openai.com/docs/api-reference/responses/object#responses/object-output
"""

from typing import Any

from gateway.doors.responses.custom_input import custom_input
from gateway.doors.responses.request.offer import Kinds, Offered
from gateway.hub.protocol import JSON
from gateway.hub.requests.tools.arguments import parse_arguments

PREFIXES = {
    "function": "fc",
    "custom": "ctc",
    "tool_search": "tsc",
    "local_shell": "lsh",
    "shell": "sh",
    "apply_patch": "apc",
}
"""What ids of call items begin with, by the kind of the tool."""


def offered_as(name: str, kinds: Kinds) -> Offered:
    """Return what the hub's function is to the client; a model may make one up."""
    return kinds.get(name) or Offered("function", name)


def call_item(offered: Offered, id: str, call_id: str, said: str, status: str) -> JSON:
    """Return the item of a call.

    `said` are its arguments as JSON text, for a custom tool the text that it takes.
    """
    item: JSON = {"type": f"{offered.kind}_call", "id": id, "call_id": call_id}
    match offered.kind:
        case "function" | "custom":
            if offered.kind == "custom":
                item["type"] = "custom_tool_call"
            item["name"] = offered.name
            if offered.namespace:
                item["namespace"] = offered.namespace
            item["input" if offered.kind == "custom" else "arguments"] = said
        case "tool_search":
            item |= {"execution": "client", "arguments": parse_arguments(said)}
        case "local_shell":
            item["action"] = _command(parse_arguments(said))
        case "shell":
            item |= {"action": _commands(parse_arguments(said)), "environment": None}
        case "apply_patch":
            item["operation"] = _operation(parse_arguments(said))
            if status == "incomplete":
                # A patch is applied as a whole, and has no word for a part of one.
                status = "in_progress"
    item["status"] = status
    return item


def said_in(offered: Offered, arguments: str) -> str:
    """Return what a call whose arguments came whole says."""
    if offered.kind == "custom":
        return custom_input(arguments)
    return arguments if arguments.strip() else "{}"


def _operation(arguments: JSON) -> JSON:
    """Return what is to be patched; models write it with and without its wrapping.

    Before its arguments came it is a patch of nothing: clients want one from the
    beginning.
    """
    given = arguments.get("operation")
    for operation in (given if isinstance(given, dict) else {}, arguments):
        if isinstance(operation.get("type"), str) and "path" in operation:
            return operation
    return {"type": "update_file", "path": "", "diff": ""}


def _command(arguments: JSON) -> JSON:
    known = ("env", "timeout_ms", "user", "working_directory")
    given = {name: arguments[name] for name in known if name in arguments}
    command = _strings(arguments.get("command"))
    return {"type": "exec", "command": command, "env": {}, **given}


def _commands(arguments: JSON) -> JSON:
    return {
        "commands": _strings(arguments.get("commands")),
        "timeout_ms": arguments.get("timeout_ms"),
        "max_output_length": arguments.get("max_output_length"),
    }


def _strings(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    return [] if value is None else [value]
