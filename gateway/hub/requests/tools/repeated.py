"""Tools as they were rendered before: agents offer the same ones with every turn.

To write a list of tools out as text costs a tenth of rendering them, so that is what
what was made of it is found by.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from gateway.hub.protocol import JSON
from gateway.hub.requests.rendering import Rendering
from gateway.hub.requests.schemas.kept import Keep
from gateway.hub.requests.tools.ids import ToolNames
from gateway.hub.requests.tools.offered import Tool
from gateway.hub.requests.tools.strict import StrictSchemas
from gateway.wire.jsontext import encode


class _Rendered(NamedTuple):
    """Rendered tools, what they are called, and whether some are not strict."""

    tools: list[JSON]
    names: ToolNames
    is_loosened: bool


_KEPT: Keep[_Rendered] = Keep(most=1024 * 1024, longest=128 * 1024)


def rendered_tools(
    offered: list[Tool],
    rendering: Rendering,
    render: Callable[[Tool, ToolNames], JSON],
    way: tuple[Any, ...],
    schemas: StrictSchemas | None = None,
    *,
    text: bytes = b"",
) -> list[JSON]:
    """Return each of the `offered` tools as `render` makes it, or made it before.

    `text` is that of all of them, where it is known.

    `way` names the format and all that the result depends on beside the tools and what
    `schemas`, where `render` uses them, still take. Of what is returned the tools may
    be changed, but nothing within them. Raises what `render` raises.
    """
    if not offered:
        return []
    text = text or encode([tool.source for tool in offered])
    left = schemas.left if schemas is not None else ()
    key = (text, "functions" in rendering.body, way, left)
    known = _KEPT.find(key)
    if known is None:
        names = ToolNames()
        tools = [render(tool, names) for tool in offered]
        known = _Rendered(tools, names, schemas is not None and schemas.is_loosened)
        _KEPT.add(key, known)
    rendering.names.learn(known.names)
    if known.is_loosened:
        rendering.losses.downgrade("tools")
    return [*map(dict, known.tools)]
