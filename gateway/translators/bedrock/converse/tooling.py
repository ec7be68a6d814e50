"""Tools, the choice among them, and answers in JSON, in Converse's form.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolConfiguration.html
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from gateway.hub.protocol import JSON
from gateway.hub.requests.caching import MARK, tool_cache_mark
from gateway.hub.requests.format_in_words import instruction
from gateway.hub.requests.rendering import Rendering
from gateway.hub.requests.schemas.bare import bare_schema
from gateway.hub.requests.schemas.normal import normalised
from gateway.hub.requests.schemas.roots import tool_parameters
from gateway.hub.requests.tools.choice import Offer, offer_of
from gateway.hub.requests.tools.ids import ToolNames
from gateway.hub.requests.tools.json_tool import (
    DESCRIPTION,
    SCHEMA_PARAM,
    json_tool_name,
)
from gateway.hub.requests.tools.offered import Tool
from gateway.hub.requests.tools.repeated import rendered_tools
from gateway.hub.requests.tools.strict import StrictSchemas
from gateway.translators.bedrock.converse.models import Profile
from gateway.translators.bedrock.in_words import asked_in_words
from gateway.translators.bedrock.parameters import refuse_native
from gateway.wire.jsontext import dumps


class Tooling(NamedTuple):
    """Rendered tools (they may carry a cache mark) and the answer's format.

    `choice` is Converse's `toolChoice` or None, `only` the one tool that must be
    called. `json_tool` is the hidden tool that carries a JSON answer, `format` the
    native ``outputConfig.textFormat``, `instruction` a text for the system prompt.
    """

    tools: list[JSON]
    choice: JSON | None = None
    only: str = ""
    json_tool: str = ""
    format: JSON | None = None
    instruction: str = ""


def render_tooling(rendering: Rendering, profile: Profile) -> Tooling:
    """Return the tools, tool choice and answer format of a valid request.

    Raises a 400 for tools that Converse cannot take.
    """
    names, by_name = rendering.names, "tool" in profile.choices
    offer = offer_of(rendering.body, says_none=False, says_named=by_name)
    choice = offer.choice
    schemas = StrictSchemas(
        rendering.losses, rendering.route.avoid, takes_strict=profile.structured
    )
    native = schemas.format(rendering.body)
    tooling = Tooling(_render_tools(offer, rendering, schemas, profile))
    match choice.mode:
        case "auto" if "auto" in profile.choices and tooling.tools:
            tooling = tooling._replace(choice={"auto": {}})
        case "named" if by_name:
            name = names.upstream(choice.name)
            tooling = tooling._replace(choice={"tool": {"name": name}}, only=name)
        case "required" | "named" if "any" in profile.choices:
            only = names.upstream(choice.name) if choice.name else ""
            tooling = tooling._replace(choice={"any": {}}, only=only)
        case "required" | "named":
            rendering.losses.downgrade(choice.param)
    if native is not None:
        described = rendering.body["response_format"]["json_schema"]
        return tooling._replace(format=text_format(native, described))
    return _with_format(tooling, rendering, profile)


def _render_tools(
    offer: Offer,
    rendering: Rendering,
    schemas: StrictSchemas,
    profile: Profile,
) -> list[JSON]:
    def render(tool: Tool, names: ToolNames) -> JSON:
        refuse_native(tool)
        block: JSON = {"toolSpec": _tool_spec(tool, names, schemas, profile)}
        if mark := tool_cache_mark(tool.source):
            block[MARK] = mark
        return block

    way = ("converse", profile.bare_schemas)
    return rendered_tools(offer.tools, rendering, render, way, schemas, text=offer.text)


def _tool_spec(
    tool: Tool, names: ToolNames, schemas: StrictSchemas, profile: Profile
) -> JSON:
    schema, is_strict = schemas.tool(tool)
    name, description = names.upstream(tool.name), tool.description
    schema = names.schema(name, schema)
    if profile.bare_schemas:
        schema, words = bare_schema(schema, tool.param)
        description = "\n".join(text for text in (description, words) if text.strip())
    spec: JSON = {"name": name}
    if description.strip():
        spec["description"] = description
    spec["inputSchema"] = {"json": plain_root(schema)}
    if is_strict:
        spec["strict"] = True
    return spec


def plain_root(schema: JSON) -> JSON:
    """Return `schema` without what Converse refuses at its root."""
    return {
        key: value for key, value in schema.items() if key not in ("$schema", "title")
    }


def _with_format(tooling: Tooling, rendering: Rendering, profile: Profile) -> Tooling:
    wanted = rendering.body.get("response_format") or {}
    # What stands beside another type is nobody's business.
    is_held = wanted.get("type") == "json_schema"
    schema = wanted["json_schema"].get("schema") if is_held else None
    if schema is None:
        return tooling._replace(instruction=instruction(wanted))
    schema = normalised(schema, SCHEMA_PARAM)
    if tooling.choice is not None and "auto" not in tooling.choice:
        return tooling  # the answer will be the call that the client demands
    if "any" in profile.choices:
        return _with_json_tool(tooling, schema, rendering.names, profile)
    return tooling._replace(instruction=asked_in_words(rendering))


def text_format(schema: JSON, described: Mapping[str, Any]) -> JSON:
    """Return ``outputConfig.textFormat`` for a sanitised schema."""
    definition: JSON = {"schema": dumps(schema)}
    for key in ("name", "description"):
        value: Any = described.get(key)
        if isinstance(value, str) and value:
            definition[key] = value
    return {"type": "json_schema", "structure": {"jsonSchema": definition}}


def _with_json_tool(
    tooling: Tooling, schema: JSON, names: ToolNames, profile: Profile
) -> Tooling:
    name = json_tool_name({tool["toolSpec"]["name"] for tool in tooling.tools})
    schema = names.schema(name, tool_parameters(schema, SCHEMA_PARAM))
    description = DESCRIPTION
    if profile.bare_schemas:
        schema, words = bare_schema(schema, SCHEMA_PARAM)
        description = f"{description}\n{words}" if words else description
    spec = {
        "name": name,
        "description": description,
        "inputSchema": {"json": plain_root(schema)},
    }
    is_alone = not tooling.tools
    choice: JSON = {"any": {}}
    if is_alone and "tool" in profile.choices:
        choice = {"tool": {"name": name}}
    return tooling._replace(
        tools=[*tooling.tools, {"toolSpec": spec}],
        choice=choice,
        only=name if is_alone else "",
        json_tool=name,
    )
