"""Tools whose definitions a client holds back until they are searched for.

https://platform.claude.com/docs/en/agents-and-tools/tool-use/tool-search-tool
"""

from collections.abc import Iterator
from typing import Any

from gateway.wire.jsontext import JSON

PLACEHOLDER = "DeferredToolPlaceholder"
"""What Claude Code offers so that there is a deferred tool at all; nobody calls it."""


class Deferral:
    """Which of the tools with `defer_loading` are offered.

    A client that searches itself names what it found by a `tool_reference` in the
    messages; where the provider should search, who cannot offers all.
    """

    def __init__(self, body: JSON, *, offers_all: bool) -> None:
        self._offers_all = offers_all
        tools = body.get("tools") or ()
        has_any = any(_is_deferred(tool) for tool in tools if isinstance(tool, dict))
        self._named = set(_names_in(body.get("messages"))) if has_any else set()

    def offers(self, tool: JSON) -> bool:
        """Tell whether `tool` is offered."""
        if tool.get("name") == PLACEHOLDER:
            return False
        if self._offers_all or not _is_deferred(tool):
            return True
        return tool.get("name") in self._named


def _is_deferred(tool: JSON) -> bool:
    return tool.get("defer_loading") is True


def _names_in(value: Any) -> Iterator[str]:
    """Yield the tools that messages refer to, add, or call."""
    waiting = [value]
    while waiting:
        match waiting.pop():
            case {"type": "tool_reference", "tool_name": str(name)}:
                yield name
            case {"type": "tool_use", "name": str(name)}:
                yield name
            case {"type": "tool_addition", "tool": {"name": str(name)}}:
                yield name
            case {"content": list(inner)} | list(inner):
                waiting += inner
