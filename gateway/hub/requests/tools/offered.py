"""The tools that a request offers."""

import re
from typing import Any, NamedTuple

from gateway.errors import GatewayError, invalid_request, unsupported
from gateway.hub.outlines import Tools
from gateway.hub.protocol import JSON
from gateway.hub.requests.schemas.kept import Keep
from gateway.wire.jsontext import encode

_is_dated_type = re.compile(r".+_20\d{6}").fullmatch

_SCHEMA = "input_schema"
"""Where a tool in Anthropic's format has what OpenAI calls its parameters."""

_TOOLSET = "mcp_toolset"
_UNDATED_TYPES = frozenset(
    {_TOOLSET, "tool_search_tool_regex", "tool_search_tool_bm25"}
)
"""Types of a vendor's own tools that have no date in their name.

https://platform.claude.com/docs/en/agents-and-tools/mcp-connector and
https://platform.claude.com/docs/en/agents-and-tools/tool-use/tool-search-tool
"""


class Tool(NamedTuple):
    """One tool of a request.

    `name` is the client's. `native` is the tool as it stands when it is written in
    a vendor's own format; of the fields after it, those are then filled in that it
    tells in words of its own. `source` is the object that may carry a cache mark.
    """

    name: str
    param: str
    source: JSON
    native: JSON | None = None
    description: str = ""
    parameters: JSON | None = None
    strict: bool = False

    @property
    def schema_param(self) -> str:
        """Where the client wrote the schema."""
        return f"{self.param}.{'parameters' if self.native is None else _SCHEMA}"


_KEPT: Keep[list[Tool]] = Keep(most=1024 * 1024, longest=128 * 1024)


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


def repeated_tools(body: JSON) -> tuple[list[Tool], bytes]:
    """Return the tools of a valid request as `tools_of` does, or did before.

    Beside them stands the text by which they are known. Agents offer the same ones with
    every turn: to write them out takes a third of reading them. Nobody may change them.
    """
    are_functions = "functions" in body
    given = body["functions"] if are_functions else body.get("tools")
    text = given.text if isinstance(given, Tools) else encode(given)
    key = (text, are_functions)
    tools = _KEPT.find(key)
    if tools is None:
        tools = tools_of(body)
        _KEPT.add(key, tools)
    return tools, text


def _parse_tool(tool: Any, param: str) -> Tool:
    if not isinstance(tool, dict):
        raise _bad_tool(param, "expected an object")
    kind = tool.get("type")
    if isinstance(kind, str) and (kind in _UNDATED_TYPES or _is_dated_type(kind)):
        return Tool(_native_name(tool, param), param, tool, native=tool)
    if _SCHEMA in tool:
        schema = tool[_SCHEMA]
        if schema is not None and not isinstance(schema, dict):
            raise _bad_tool(f"{param}.{_SCHEMA}", "expected a JSON schema object")
        return Tool(
            _native_name(tool, param),
            param,
            tool,
            native=tool,
            parameters=schema,
            strict=tool.get("strict") is True,
        )
    if kind not in (None, "function"):
        raise unsupported(
            f"This provider supports tools of type 'function' only: '{param}.type' "
            "must be 'function'.",
            param=f"{param}.type",
        )
    return _function_tool(tool, tool.get("function"), f"{param}.function")


def _native_name(tool: JSON, param: str) -> str:
    """Return a name that no other tool has; a set of tools is named by its server."""
    is_set = tool.get("type") == _TOOLSET
    field = "mcp_server_name" if is_set else "name"
    name = tool.get(field)
    if not isinstance(name, str):
        raise _bad_tool(f"{param}.{field}", "expected a string")
    return f"{_TOOLSET} {name}" if is_set else name


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
