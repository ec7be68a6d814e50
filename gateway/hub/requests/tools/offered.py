"""The tools that a request offers."""

import re
from typing import Any, NamedTuple

from gateway.errors import GatewayError, invalid_request, unsupported
from gateway.hub.protocol import JSON

_is_native_type = re.compile(r".+_20\d{6}").fullmatch


class Tool(NamedTuple):
    """One tool of a request.

    `name` is the client's. `native` is the tool as it stands when it is written in
    a vendor's own format; the fields after it are then not filled in. `source` is the
    object that may carry a cache mark.
    """

    name: str
    param: str
    source: JSON
    native: JSON | None = None
    description: str = ""
    parameters: JSON | None = None
    strict: bool = False


def tools_of(body: JSON) -> list[Tool]:
    """Return the tools of a valid request, from `tools` or the older `functions`.

    Raises a 400 for custom tools, for shapes that are no tool, and for two tools of one
    name.
    """
    if "functions" in body:
        tools = [
            _function_tool(function, function, f"functions[{position}]")
            for position, function in enumerate(body["functions"])
        ]
    else:
        tools = [
            _parse_tool(tool, f"tools[{position}]")
            for position, tool in enumerate(body.get("tools") or ())
        ]
    names: set[str] = set()
    for tool in tools:
        if tool.name in names:
            raise invalid_request(
                f"'{tool.param}': the tool name '{tool.name}' is used twice. Tool "
                "names must be unique.",
                param=tool.param,
                code="invalid_value",
            )
        names.add(tool.name)
    return tools


def _parse_tool(tool: Any, param: str) -> Tool:
    if not isinstance(tool, dict):
        raise _bad_tool(param, "expected an object")
    kind = tool.get("type")
    if "input_schema" in tool or (isinstance(kind, str) and _is_native_type(kind)):
        name = tool.get("name")
        if not isinstance(name, str):
            raise _bad_tool(f"{param}.name", "expected a string")
        return Tool(name, param, tool, native=tool)
    if kind not in (None, "function"):
        raise unsupported(
            f"This provider supports tools of type 'function' only: '{param}.type' "
            "must be 'function'.",
            param=f"{param}.type",
        )
    return _function_tool(tool, tool.get("function"), f"{param}.function")


def _function_tool(source: JSON, function: Any, param: str) -> Tool:
    if not isinstance(function, dict):
        raise _bad_tool(param, "expected an object")
    name = function.get("name")
    if not isinstance(name, str) or not name:
        raise _bad_tool(f"{param}.name", "expected a non-empty string")
    description = function.get("description")
    if description is not None and not isinstance(description, str):
        raise _bad_tool(f"{param}.description", "expected a string")
    parameters = function.get("parameters")
    if parameters is not None and not isinstance(parameters, dict):
        raise _bad_tool(f"{param}.parameters", "expected a JSON schema object")
    return Tool(
        name,
        param,
        source,
        description=description or "",
        parameters=parameters,
        strict=function.get("strict") is True,
    )


def _bad_tool(param: str, problem: str) -> GatewayError:
    return invalid_request(
        f"Invalid value for '{param}': {problem}.", param=param, code="invalid_value"
    )
