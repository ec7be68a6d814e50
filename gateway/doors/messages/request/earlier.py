"""What tools of the provider's own did in earlier turns, told in words.

Another model cannot call them, but must know what was found:
https://platform.claude.com/docs/en/agents-and-tools/tool-use/server-tools
"""

from typing import Any

from gateway.wire.jsontext import JSON, dumps

_CALLS = frozenset({"server_tool_use", "mcp_tool_use"})
_SECRET = frozenset({"encrypted_content", "encrypted_index", "encrypted_stdout"})
_MOST = 20_000


def in_words(kind: str, block: JSON) -> str | None:
    """Return what a block of a provider's tool says; None where it is none."""
    if kind in _CALLS:
        return f"[called {block.get('name')}({dumps(block.get('input') or {})})]"
    if kind == "compaction":
        summary = block.get("content")
        return summary if isinstance(summary, str) else ""
    if kind.endswith("_tool_result"):
        name = kind.removesuffix("_tool_result")
        return f"[result of {name}: {_told(block.get('content'))}]"
    if kind.startswith("mcp_"):
        return ""
    return None


def _told(content: Any) -> str:
    """Return a result as text, without what only the provider can read."""
    match content:
        case str():
            return content[:_MOST]
        case list():
            return "; ".join(filter(None, map(_told, content)))[:_MOST]
        case {"title": str(title), "url": str(url)}:
            return f"{title} ({url})"
        case {"type": "text", "text": str(text)}:
            return text
        case {"content": inner} if not isinstance(inner, str):
            return _told(inner)
        case dict():
            shown = {key: content[key] for key in content if key not in _SECRET}
            return dumps(shown)[:_MOST]
    return ""
