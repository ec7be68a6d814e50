"""The tools that a request offers and its choice among them."""

import re
from typing import Any, Literal, NamedTuple

from gateway.errors import GatewayError, invalid_request, unsupported
from gateway.hub.protocol import JSON

_is_native_type = re.compile(r".+_20\d{6}").fullmatch


class Tool(NamedTuple):
    """One tool of a request.

    `name` is the client's. `native` is the tool as it stands when it is written in
    Anthropic's own format; the fields after it are then not filled in. `source` is the
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


Mode = Literal["", "auto", "none", "required", "named"]


class ToolChoice(NamedTuple):
    """What the request says about calling tools.

    `mode` is empty where it says nothing; `name` goes with "named". `allowed` are the
    names that may be called, or None for all.
    """

    mode: Mode = ""
    name: str = ""
    allowed: frozenset[str] | None = None
    param: str = "tool_choice"


def tool_choice_of(body: JSON, tools: list[Tool]) -> ToolChoice:
    """Return the `tool_choice` (or `function_call`) of a valid request.

    Raises a 400 for a shape that is none and for a name that no tool has.
    """
    if "functions" in body:
        return _checked_choice(_legacy_choice(body.get("function_call")), tools)
    return _checked_choice(_parse_choice(body.get("tool_choice")), tools)


def is_parallel(body: JSON) -> bool:
    """Tell whether several calls at once are allowed; never with `functions`."""
    return body.get("parallel_tool_calls") is not False and "functions" not in body


def _parse_choice(choice: Any) -> ToolChoice:
    match choice:
        case None:
            return ToolChoice()
        case "auto" | "none" | "required":
            return ToolChoice(choice)
        case {"type": "function", "function": {"name": str(name)}}:
            return ToolChoice("named", name)
        case {"type": "allowed_tools", "allowed_tools": dict(allowed)}:
            return _allowed_choice(allowed)
        case {"type": "allowed_tools", "tools": list()}:
            return _allowed_choice(choice)
        case _:
            raise invalid_request(
                "Invalid value for 'tool_choice': expected 'none', 'auto', 'required', "
                "a function or allowed_tools.",
                param="tool_choice",
                code="invalid_value",
            )


def _allowed_choice(allowed: JSON) -> ToolChoice:
    mode, listed = allowed.get("mode", "auto"), allowed.get("tools")
    listed = listed if isinstance(listed, list) else []
    names = frozenset(_allowed_name(tool, at) for at, tool in enumerate(listed))
    if mode not in ("auto", "required") or not names:
        raise invalid_request(
            "Invalid value for 'tool_choice.allowed_tools': expected a mode of 'auto' "
            "or 'required' and at least one tool.",
            param="tool_choice.allowed_tools",
            code="invalid_value",
        )
    return ToolChoice(mode, allowed=names)


def _allowed_name(tool: Any, position: int) -> str:
    match tool:
        case {"function": {"name": str(name)}} | {"name": str(name)}:
            return name
    param = f"tool_choice.allowed_tools.tools[{position}]"
    raise invalid_request(
        f"Invalid value for '{param}': expected a function with a name.",
        param=param,
        code="invalid_value",
    )


def _legacy_choice(choice: Any) -> ToolChoice:
    match choice:
        case None:
            return ToolChoice(param="function_call")
        case "auto" | "none":
            return ToolChoice(choice, param="function_call")
        case {"name": str(name)}:
            return ToolChoice("named", name, param="function_call")
        case _:
            raise invalid_request(
                "Invalid value for 'function_call': expected 'none', 'auto' or an "
                "object with the function's name.",
                param="function_call",
                code="invalid_value",
            )


def _checked_choice(choice: ToolChoice, tools: list[Tool]) -> ToolChoice:
    wanted = choice.allowed or ({choice.name} if choice.mode == "named" else set())
    missing = sorted(wanted - {tool.name for tool in tools})
    if missing:
        raise invalid_request(
            f"Invalid value for '{choice.param}': no tool is named '{missing[0]}'.",
            param=choice.param,
            code="invalid_value",
        )
    return choice


def allowed_tools(tools: list[Tool], choice: ToolChoice) -> list[Tool]:
    """Return the tools that `choice` leaves, in their order."""
    if choice.allowed is None:
        return tools
    return [tool for tool in tools if tool.name in choice.allowed]
