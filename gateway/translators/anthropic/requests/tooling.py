"""Tools, the choice among them, and answers in JSON, in Claude's form.

https://platform.claude.com/docs/en/agents-and-tools/tool-use/implement-tool-use and
https://platform.claude.com/docs/en/build-with-claude/structured-outputs
"""

from typing import Any, NamedTuple

from gateway.errors import invalid_request, unsupported
from gateway.hub.protocol import JSON
from gateway.hub.requests.caching import MARKS, cache_mark, tool_cache_mark
from gateway.hub.requests.rendering import Rendering
from gateway.hub.requests.schemas.normal import normalised
from gateway.hub.requests.schemas.roots import tool_parameters
from gateway.hub.requests.tools.choice import (
    Offer,
    ToolChoice,
    is_parallel,
    offer_of,
)
from gateway.hub.requests.tools.ids import ToolNames
from gateway.hub.requests.tools.json_tool import (
    DESCRIPTION,
    SCHEMA_PARAM,
    json_tool_name,
)
from gateway.hub.requests.tools.offered import Tool
from gateway.hub.requests.tools.repeated import rendered_tools
from gateway.hub.requests.tools.strict import StrictSchemas
from gateway.translators.anthropic.requests.dialect import Claude, Dialect
from gateway.wire.jsontext import dumps

_FIELDS = frozenset({"tools", "functions", "web_search_options", "response_format"})
"""Without any of these a valid request has nothing to do with tools."""

_JSON_ONLY = (
    "Answer with a single JSON object and nothing else: no explanation before or after "
    "it and no code fence around it."
)
_MATCHING = "The object must match this JSON schema:"


class Tooling(NamedTuple):
    """Rendered tools and what the answer's format adds to the request.

    `choice` is `tool_choice` or None. `json_tool` is the hidden tool that carries a
    JSON answer, `format` the native ``output_config.format``, `instruction` a text for
    the system prompt. `is_single` asks to keep only the first call of the answer,
    `searches` tells that Claude's web search is among the tools.
    """

    tools: list[JSON]
    choice: JSON | None = None
    json_tool: str = ""
    format: JSON | None = None
    instruction: str = ""
    is_single: bool = False
    searches: bool = False

    @property
    def forces_tool(self) -> bool:
        """Whether the model must call a tool."""
        return self.choice is not None and self.choice["type"] in ("any", "tool")


def render_tooling(rendering: Rendering, claude: Claude) -> Tooling:
    """Return the tools, tool choice and answer format of a valid request.

    Raises a 400 for tools that Claude cannot take.
    """
    body, names = rendering.body, rendering.names
    if _FIELDS.isdisjoint(body) and not rendering.calls:
        return Tooling([])
    forces = claude.model.forced_tools
    offer = offer_of(body, says_named=forces)
    offered, choice = offer.tools, offer.choice
    if choice.mode in ("required", "named") and not forces:
        rendering.losses.downgrade(choice.param)
    schemas = StrictSchemas(
        rendering.losses, rendering.route.avoid, takes_strict=claude.model.structured
    )
    native = schemas.format(body)
    if tools := _render_tools(offer, rendering, schemas, claude.dialect):
        rendered = _render_choice(choice, rendering, forces=forces)
    else:
        # Claude wants the tools that a history mentions, but nobody offers them now.
        called = {c.name: None for calls in rendering.calls.values() for c in calls}
        tools = [
            {"name": names.upstream(name), "input_schema": {"type": "object"}}
            for name in called
        ]
        rendered = {"type": "none"} if tools else None
    search = _web_search(rendering, claude.dialect, offered)
    if search is not None:
        tools.append(search)
        if rendered == {"type": "none"} and not offered:
            rendered = None
    tooling = Tooling(tools, rendered, searches=search is not None)
    tooling = _single_calls(tooling, claude.dialect)
    if native is not None:
        return tooling._replace(format={"type": "json_schema", "schema": native})
    return _with_format(tooling, rendering, claude)


def _single_calls(tooling: Tooling, dialect: Dialect) -> Tooling:
    """Move "one call at a time" to the answer where the host does not know it."""
    choice = tooling.choice
    if choice is None or dialect.disable_parallel:
        return tooling
    if "disable_parallel_tool_use" not in choice:
        return tooling
    kept = {key: choice[key] for key in choice if key != "disable_parallel_tool_use"}
    return tooling._replace(choice=kept, is_single=True)


# --- tools ----------------------------------------------------------------------------


def _render_tools(
    offer: Offer,
    rendering: Rendering,
    schemas: StrictSchemas,
    dialect: Dialect,
) -> list[JSON]:
    def render(tool: Tool, names: ToolNames) -> JSON:
        if tool.native is None:
            return _render_tool(tool, names, schemas)
        return _render_native(tool, tool.native, names, schemas, dialect)

    way = ("claude", dialect.refused_tools, dialect.refused_tool_fields)
    return rendered_tools(offer.tools, rendering, render, way, schemas, text=offer.text)


def _render_tool(tool: Tool, names: ToolNames, schemas: StrictSchemas) -> JSON:
    schema, is_strict = schemas.tool(tool)
    name = names.upstream(tool.name)
    rendered: JSON = {"name": name, "input_schema": names.schema(name, schema)}
    if tool.description.strip():
        rendered["description"] = tool.description
    if is_strict:
        rendered["strict"] = True
    if mark := tool_cache_mark(tool.source):
        rendered["cache_control"] = mark
    return rendered


def _render_native(
    tool: Tool, native: JSON, names: ToolNames, schemas: StrictSchemas, dialect: Dialect
) -> JSON:
    type = native.get("type")
    if isinstance(type, str) and type.startswith(dialect.refused_tools or ("\0",)):
        raise unsupported(
            f"This provider does not run '{tool.name}' itself. Remove '{tool.param}'.",
            param=f"{tool.param}.type",
        )
    left_out = dialect.refused_tool_fields | MARKS
    rendered = {key: native[key] for key in native if key not in left_out}
    if "input_schema" in rendered:
        schema, is_strict = schemas.tool(tool)
        name = rendered["name"] = names.upstream(tool.name)
        rendered["input_schema"] = names.schema(name, schema)
        if not is_strict:
            rendered.pop("strict", None)
    if mark := cache_mark(native):
        rendered["cache_control"] = mark
    return rendered


def _web_search(
    rendering: Rendering, dialect: Dialect, offered: list[Tool]
) -> JSON | None:
    options = rendering.body.get("web_search_options")
    if options is None:
        return None
    is_enabled = rendering.route.options.get("server_web_search")
    if not dialect.web_search or not is_enabled:
        raise unsupported(
            "Web search is not enabled for this provider. Remove "
            "'web_search_options', or have an administrator enable it.",
            param="web_search_options",
        )
    if any(tool.name == "web_search" for tool in offered):
        raise invalid_request(
            "'web_search_options' cannot be used beside a tool named 'web_search'. "
            "Rename the tool.",
            param="web_search_options",
            code="invalid_value",
        )
    tool: JSON = {"type": "web_search_20250305", "name": "web_search"}
    if place := _place(options.get("user_location")):
        tool["user_location"] = {"type": "approximate", **place}
    return tool


def _place(location: Any) -> JSON:
    if not isinstance(location, dict):
        return {}
    place = location.get("approximate", location)
    if not isinstance(place, dict):
        return {}
    keys = ("city", "country", "region", "timezone")
    return {key: place[key] for key in keys if isinstance(place.get(key), str)}


# --- choice ---------------------------------------------------------------------------

_CHOICES = {"auto": "auto", "none": "none", "required": "any", "named": "tool"}


def _render_choice(
    choice: ToolChoice, rendering: Rendering, *, forces: bool
) -> JSON | None:
    parallel = is_parallel(rendering.body)
    if not choice.mode and parallel:
        return None
    type = _CHOICES[choice.mode or "auto"]
    if type == "none":
        return {"type": "none"}
    rendered: JSON = {"type": type}
    if type == "tool":
        rendered["name"] = rendering.names.upstream(choice.name)
    if not parallel or type == "tool":
        rendered["disable_parallel_tool_use"] = True
    if type in ("any", "tool") and not forces:
        rendered["type"] = "auto"
        rendered.pop("name", None)
    return rendered


# --- answers in JSON ------------------------------------------------------------------


def _with_format(tooling: Tooling, rendering: Rendering, claude: Claude) -> Tooling:
    model = claude.model
    wanted = rendering.body.get("response_format") or {}
    if wanted.get("type") == "json_object":
        return tooling._replace(instruction=_JSON_ONLY)
    if wanted.get("type") != "json_schema":
        return tooling
    schema = wanted["json_schema"].get("schema")
    if schema is None:
        return tooling._replace(instruction=_JSON_ONLY)
    schema = normalised(schema, SCHEMA_PARAM)
    if tooling.forces_tool:
        # The answer will be the call that the client demands, not text.
        return tooling
    if model.forced_tools:
        return _with_json_tool(tooling, schema, rendering.names, claude.dialect)
    rendering.losses.downgrade("response_format")
    instruction = f"{_JSON_ONLY} {_MATCHING}\n{dumps(schema)}"
    return tooling._replace(instruction=instruction)


def _with_json_tool(
    tooling: Tooling, schema: JSON, names: ToolNames, dialect: Dialect
) -> Tooling:
    name = json_tool_name({tool.get("name") for tool in tooling.tools})
    tool = {
        "name": name,
        "description": DESCRIPTION,
        "input_schema": names.schema(name, tool_parameters(schema, SCHEMA_PARAM)),
    }
    may_call_others = bool(tooling.tools) and tooling.choice != {"type": "none"}
    if may_call_others:
        choice: JSON = {**(tooling.choice or {}), "type": "any"}
    else:
        choice = {"type": "tool", "name": name}
        if dialect.disable_parallel:
            choice["disable_parallel_tool_use"] = True
    return tooling._replace(tools=[*tooling.tools, tool], choice=choice, json_tool=name)
