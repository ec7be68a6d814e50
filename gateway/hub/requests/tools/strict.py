"""Schemas that answers are held to, as many as an upstream compiles in one request."""

import re
from collections.abc import Set

from gateway.hub.protocol import JSON, Feature
from gateway.hub.requests.losses import Losses
from gateway.hub.requests.schemas.grammar import GRAMMAR, Grammar
from gateway.hub.requests.schemas.normal import normalised
from gateway.hub.requests.schemas.roots import tool_parameters
from gateway.hub.requests.schemas.subset import sanitise
from gateway.hub.requests.tools.json_tool import SCHEMA_PARAM
from gateway.hub.requests.tools.offered import Tool

STRICT = Feature(
    "strict", ("strict",), re.compile(r"\bstrict\b", re.IGNORECASE), anywhere=True
)
"""What a host says that knows no strict tools at all."""


class StrictSchemas:
    """What a request holds its answer to: the format first, then tools while they fit.

    All schemas are compiled into one grammar, so a large tool stays out of it and later
    ones may still go in. What stays out is told as downgraded.
    """

    def __init__(self, losses: Losses, avoid: Set[str], *, takes_strict: bool) -> None:
        self._losses = losses
        self._takes_format = takes_strict and "output_config" not in avoid
        self._takes_tools = takes_strict
        self.is_loosened = False
        """Whether calls are not held to the schema of a tool that asks for it."""
        self._grammar = Grammar(
            takes_schemas=GRAMMAR.name not in avoid,
            takes_tools=STRICT.name not in avoid,
        )

    @property
    def left(self) -> tuple[int, ...]:
        """What decides about the next tools: how much of the grammar is left."""
        return self._takes_tools, *self._grammar.left

    def format(self, body: JSON) -> JSON | None:
        """Return the schema of a valid request's answer, None where it is not native.

        Raises a 400 where it is nested too deeply.
        """
        wanted = body.get("response_format") or {}
        if wanted.get("type") != "json_schema" or not self._takes_format:
            return None
        schema: JSON | None = wanted["json_schema"].get("schema")
        if schema is None:
            return None
        schema = normalised(schema, SCHEMA_PARAM)
        if self._grammar.takes(schema, SCHEMA_PARAM):
            return sanitise(schema, SCHEMA_PARAM)
        self._losses.downgrade("response_format")
        return None

    def tool(self, tool: Tool) -> tuple[JSON, bool]:
        """Return the schema of the next tool, and whether calls are held to it.

        Raises a 400 where it is none.
        """
        param = tool.schema_param
        schema = tool_parameters(tool.parameters, param)
        if not tool.strict or not self._takes_tools:
            return schema, False
        # Nothing is what a tool without properties takes.
        closed = {"properties": {}, **schema}
        if self._grammar.takes_tool(closed, param):
            return sanitise(closed, param), True
        self._losses.downgrade("tools")
        self.is_loosened = True
        return schema, False
