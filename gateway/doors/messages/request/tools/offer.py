"""The tools of a request, as functions.

https://platform.claude.com/docs/en/agents-and-tools/tool-use/define-tools
"""

import re
from collections.abc import Set
from typing import Any

from gateway.doors.messages.request.checks import (
    invalid,
    missing,
    not_offered,
    optional,
    text_in,
    wrong_type,
)
from gateway.doors.messages.request.profile import Profile
from gateway.doors.messages.request.tools.builtin import BUILTIN
from gateway.doors.messages.request.tools.closed import is_closed
from gateway.doors.messages.request.tools.deferred import Deferral
from gateway.hub.requests.losses import Losses
from gateway.hub.requests.schemas.roots import tool_parameters
from gateway.hub.requests.tools.ids import ToolNames
from gateway.wire.jsontext import JSON

_is_name = re.compile(r"[a-zA-Z0-9_-]{1,128}").fullmatch
_DATED = re.compile(r"_\d{8}$")
_SEARCH = re.compile(r"tool_search_tool_(?:regex|bm25)(?:_\d{8})?")


class Offer:
    """The tools of one request: `functions` for the hub, by names that all take.

    `paths` says where each of them stands in the request.
    """

    def __init__(
        self, body: JSON, profile: Profile, names: ToolNames, losses: Losses
    ) -> None:
        self._profile = profile
        self._names = names
        self._losses = losses
        given = _listed(body)
        self.given = {tool["name"] for _, tool in given if "name" in tool}
        searches = any(map(is_search, (tool for _, tool in given)))
        deferral = Deferral(body, offers_all=searches)
        if searches:
            losses.downgrade("tools")
        offered = [
            (path, tool)
            for path, tool in given
            if not is_search(tool) and deferral.offers(tool)
        ]
        self.paths = [path for path, _ in offered]
        self.functions = [self._function(path, tool) for path, tool in offered]

    def _function(self, path: str, tool: JSON) -> JSON:
        name = tool["name"]
        function: JSON = {"name": self._names.upstream(name)}
        if is_custom(tool):
            description = optional(tool, "description", str, "string", path)
            parameters = tool_parameters(_schema(tool, path), f"{path}.input_schema")
            parameters = {"properties": {}, **parameters}
            if tool.get("strict") is True and is_closed(parameters):
                function["strict"] = True
        else:
            description, parameters = _builtin(tool, path)
        if description:
            function["description"] = description
        function["parameters"] = parameters
        if tool.get("input_examples"):
            self._losses.drop("input_examples")
        made: JSON = {"type": "function", "function": function}
        mark = tool.get("cache_control")
        if self._profile.marks_tools and isinstance(mark, dict):
            made["cache_control"] = mark
        return made


def is_custom(tool: JSON) -> bool:
    """Tell whether a tool is the client's own."""
    return tool.get("type") in (None, "custom")


def is_search(tool: JSON) -> bool:
    """Tell whether a tool is the provider's search among those that are deferred."""
    kind = tool.get("type")
    return isinstance(kind, str) and _SEARCH.fullmatch(kind) is not None


def _listed(body: JSON) -> list[tuple[str, JSON]]:
    """Return the tools with their paths; raises a 400 for what is none."""
    tools: Any = optional(body, "tools", list, "list")
    listed: list[tuple[str, JSON]] = []
    names: set[str] = set()
    for place, tool in enumerate(tools or ()):
        path = f"tools.{place}"
        if not isinstance(tool, dict):
            raise wrong_type(path, "dictionary")
        kind = tool.get("type")
        if kind is not None and not isinstance(kind, str):
            raise wrong_type(f"{path}.type", "string")
        if not is_custom(tool) and not is_search(tool):
            check_builtin(tool, path)
        name = text_in(tool, "name", path)
        if not _is_name(name):
            raise invalid(
                f"{path}.name", "String should match pattern '^[a-zA-Z0-9_-]{1,128}$'"
            )
        if name in names:
            raise invalid("tools", "Tool names must be unique.")
        names.add(name)
        listed.append((path, tool))
    return listed


def check_builtin(tool: JSON, path: str) -> None:
    """Raise a 400 for a tool that only the provider itself could run."""
    if _stem(tool["type"]) not in BUILTIN:
        raise not_offered(
            path,
            f"Input tag '{tool['type'][:64]}' found using 'type' does not match any of "
            "the expected tags: 'custom', 'bash_20250124', 'memory_20250818', "
            "'text_editor_20250728' with this provider",
        )


def _stem(kind: str) -> str:
    return _DATED.sub("", kind)


def _schema(tool: JSON, path: str) -> JSON:
    schema = tool.get("input_schema")
    if schema is None:
        raise missing(f"{path}.input_schema")
    if not isinstance(schema, dict):
        raise wrong_type(f"{path}.input_schema", "dictionary")
    # Some agents put the tool's own type into its schema.
    return {**schema, "type": "object"} if schema.get("type") == "custom" else schema


def _builtin(tool: JSON, path: str) -> tuple[str, JSON]:
    known = BUILTIN[_stem(tool["type"])]
    return known.description, known.parameters


def choice_of(
    body: JSON, given: Set[str], names: ToolNames, *, has_tools: bool
) -> JSON:
    """Return `tool_choice` and `parallel_tool_calls`, as far as they are asked for."""
    choice: Any = optional(body, "tool_choice", dict, "dictionary")
    if choice is None:
        return {}
    kind = choice.get("type")
    if kind in ("any", "tool") and not given:
        raise invalid("tool_choice", "tool_choice may only be specified with tools")
    chosen: Any
    match kind:
        case "auto" | "none":
            chosen = kind
        case "any":
            chosen = "required"
        case "tool":
            name = text_in(choice, "name", "tool_choice")
            if name not in given:
                raise invalid(
                    "tool_choice", f"Tool '{name}' not found in provided tools"
                )
            chosen = {"type": "function", "function": {"name": names.upstream(name)}}
        case _:
            raise invalid(
                "tool_choice.type", "Input should be 'auto', 'any', 'tool' or 'none'"
            )
    if not has_tools:
        return {}
    chosen_fields: JSON = {"tool_choice": chosen}
    if choice.get("disable_parallel_tool_use") is True:
        chosen_fields["parallel_tool_calls"] = False
    return chosen_fields
