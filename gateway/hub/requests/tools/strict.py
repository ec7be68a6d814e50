"""Schemas of tools, as strict as a client wants them and an upstream can hold them."""

from gateway.hub.protocol import JSON
from gateway.hub.requests.schemas.representable import is_representable
from gateway.hub.requests.schemas.roots import tool_parameters
from gateway.hub.requests.schemas.subset import sanitise
from gateway.hub.requests.tools.offered import Tool

_MOST = 20
"""Strict tools that upstreams take in one request."""


class ToolSchemas:
    """The schemas of a request's tools; the first strict ones stay strict."""

    def __init__(self, *, takes_strict: bool) -> None:
        self._left = _MOST if takes_strict else 0

    def of(self, tool: Tool) -> tuple[JSON, bool]:
        """Return the schema of the next tool, and whether calls are held to it.

        Raises a 400 where it is none.
        """
        param = f"{tool.param}.parameters"
        schema = tool_parameters(tool.parameters, param)
        if not tool.strict or not self._left or not is_representable(schema, param):
            return schema, False
        self._left -= 1
        return sanitise(schema, param), True
