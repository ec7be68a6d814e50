"""The tools of a request, as functions of the hub, and the way back.

https://platform.openai.com/docs/api-reference/responses/create#responses-create-tools
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from gateway.doors.responses.request.content import wrong
from gateway.doors.responses.request.emulated import (
    BY_TYPE,
    CUSTOM_PARAMETERS,
    Emulated,
    custom_description,
)
from gateway.doors.responses.request.paths import Paths
from gateway.errors import GatewayError, invalid_request, unsupported
from gateway.hub.protocol import JSON
from gateway.hub.requests.losses import Losses
from gateway.hub.requests.tools.ids import ToolNames

MOST_TOOLS = 1024

_LONGEST_NAMESPACE = 1024
_SEARCH = "tool_search"


class Offered(NamedTuple):
    """What a function of the hub is to the client: the `kind` of its calls, names."""

    kind: str
    name: str
    namespace: str = ""


def flattened(namespace: str, name: str) -> str:
    """Return the one name that the hub knows a tool in a namespace by.

    It fits what upstreams take, and is the same on every turn.
    """
    if not namespace:
        return name
    # Codex ends those of MCP servers so by itself.
    between = "" if namespace.endswith("__") else "__"
    return ToolNames().upstream(f"{namespace}{between}{name}")


def names_of(tools: list[JSON]) -> list[str]:
    """Return the names by which the hub, and so the model, knows some valid tools."""
    names: list[str] = []
    for tool in tools:
        name = _source(tool).get("name")
        if tool.get("type") == "namespace":
            members = map(_source, tool["tools"])
            names += [flattened(tool["name"], member["name"]) for member in members]
        elif isinstance(name, str):
            names.append(name)
    return names


class Offer:
    """The functions that a request's tools become.

    `functions` are the hub's tools, `kinds` says by their names what they are to the
    client, `search` is set where the model may search the web by itself.
    """

    def __init__(self, paths: Paths, losses: Losses, *, searches: bool) -> None:
        self.functions: list[JSON] = []
        self.kinds: dict[str, Offered] = {}
        self.search: JSON | None = None
        self.has_hosted = False
        self._definitions: dict[str, JSON] = {}
        self._paths = paths
        self._losses = losses
        self._searches = searches

    def add_all(self, tools: Any, path: str, *, joined: bool = False) -> None:
        """Add a list of tools; raises a 400 that names the one that cannot be offered.

        With `joined` it came amid the conversation, where the same one may come again.
        """
        if not isinstance(tools, list):
            raise wrong(path, "expected an array")
        if len(self.functions) + len(tools) > MOST_TOOLS:
            raise wrong(path, f"more than {MOST_TOOLS} tools")
        for at, tool in enumerate(tools):
            self.add(tool, f"{path}[{at}]", joined=joined)

    def add(self, tool: Any, path: str, *, joined: bool = False) -> None:
        """Add one tool; raises a 400 where it cannot be offered."""
        if not isinstance(tool, dict):
            raise wrong(path, "expected an object")
        kind = tool.get("type")
        match kind:
            case "function" | None:
                self._add_function(tool, "", path, joined)
            case "custom":
                self._add_custom(tool, "", path, joined)
            case "namespace":
                self._add_namespace(tool, path, joined)
            case "tool_search":
                self._add_search(tool, path, joined)
            case str() if kind.startswith("web_search"):
                self._add_web_search(tool)
            case str() if kind in BY_TYPE and _runs_here(tool):
                emulated = BY_TYPE[kind]
                offered = Offered(kind, emulated.name)
                self._put(_function(emulated), offered, path, joined)
            case _:
                raise hosted(kind, f"{path}.type")

    def _add_function(self, tool: JSON, space: str, path: str, joined: bool) -> None:
        source = _source(tool)
        name = _name(source, path)
        parameters = source.get("parameters")
        function: JSON = {"name": flattened(space, name)}
        if description := _description(source):
            function["description"] = description
        function["parameters"] = {} if parameters is None else parameters
        if source.get("strict") is True:
            function["strict"] = True
        offered = Offered("function", name, space)
        self._put(_tool(function, tool), offered, path, joined)

    def _add_custom(self, tool: JSON, space: str, path: str, joined: bool) -> None:
        name = _name(tool, path)
        function = {
            "name": flattened(space, name),
            "description": custom_description(tool),
            "parameters": CUSTOM_PARAMETERS,
        }
        offered = Offered("custom", name, space)
        self._put(_tool(function, tool), offered, path, joined)

    def _add_namespace(self, tool: JSON, path: str, joined: bool) -> None:
        space, about = _name(tool, path), tool.get("description")
        prefix = about[:_LONGEST_NAMESPACE] if isinstance(about, str) else ""
        members = tool.get("tools")
        if not isinstance(members, list):
            raise wrong(f"{path}.tools", "expected an array")
        for at, member in enumerate(members):
            place = f"{path}.tools[{at}]"
            if not isinstance(member, dict):
                raise wrong(place, "expected an object")
            told = [text for text in (prefix, _description(member)) if text]
            described = {**member, "description": "\n\n".join(told)}
            match member.get("type"):
                case "function":
                    self._add_function(described, space, place, joined)
                case "custom":
                    self._add_custom(described, space, place, joined)
                case kind:
                    raise unsupported(
                        f"A namespace holds tools of type 'function' and 'custom', "
                        f"not '{kind}'.",
                        param=f"{place}.type",
                    )

    def _add_search(self, tool: JSON, path: str, joined: bool) -> None:
        if tool.get("execution") != "client":
            # All that it could find is loaded already.
            self._losses.drop(f"tools.{_SEARCH}")
            return
        parameters = tool.get("parameters")
        emulated = Emulated(
            _SEARCH,
            _description(tool) or "Finds further tools and loads them.",
            parameters if isinstance(parameters, dict) else {},
        )
        self._put(_function(emulated), Offered(_SEARCH, _SEARCH), path, joined)

    def _add_web_search(self, tool: JSON) -> None:
        if not self._searches or tool.get("external_web_access") is False:
            # Codex offers it always: a refusal would make every call of it fail.
            self._losses.drop("tools.web_search")
            return
        self.has_hosted = True
        self.search = {
            name: tool[name]
            for name in ("search_context_size", "user_location")
            if tool.get(name) is not None
        }
        if tool.get("filters"):
            self._losses.drop("tools.web_search.filters")

    def _put(self, tool: JSON, offered: Offered, path: str, joined: bool) -> None:
        name = tool["function"]["name"]
        if name in self.kinds:
            if joined and self._definitions[name] == tool:
                return
            raise invalid_request(
                f"Duplicate tool name: '{offered.name}'.",
                param=f"{path}.name",
                code="invalid_value",
            )
        self._paths.add(f"tools[{len(self.functions)}]", path)
        self.functions.append(tool)
        self.kinds[name] = offered
        self._definitions[name] = tool


Kinds = Mapping[str, Offered]
"""What the hub's functions are to the client, by their names."""


def hosted(kind: Any, param: str) -> GatewayError:
    """Return the 400 for a tool that only OpenAI's own servers run."""
    return unsupported(
        f"Tool type '{kind}' runs at OpenAI and is not available for this model. "
        "Remove it from 'tools', or offer a function instead.",
        param=param,
    )


def _runs_here(tool: JSON) -> bool:
    """Tell whether the client runs a tool itself, not a container at OpenAI."""
    environment = tool.get("environment")
    return environment is None or (
        isinstance(environment, dict) and environment.get("type") == "local"
    )


def _function(emulated: Emulated) -> JSON:
    return {"type": "function", "function": emulated._asdict()}


def _tool(function: JSON, source: JSON) -> JSON:
    """Return a tool of the hub, with the cache mark that its source carries."""
    tool = {"type": "function", "function": function}
    for mark in ("cache_control", "prompt_cache_breakpoint"):
        if source.get(mark):
            tool[mark] = source[mark]
    return tool


def _source(tool: JSON) -> JSON:
    """Return where a tool is described, in itself or as functions of chat are."""
    nested = tool.get("function")
    if isinstance(nested, dict) and tool.get("type") in ("function", None):
        return nested
    return tool


def _name(tool: JSON, path: str) -> str:
    name = tool.get("name")
    if not isinstance(name, str) or not name:
        raise wrong(f"{path}.name", "expected a non-empty string")
    return name


def _description(tool: JSON) -> str:
    description = tool.get("description")
    return description if isinstance(description, str) else ""
