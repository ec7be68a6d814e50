"""Results of tools, as the hub's messages of the role `tool`.

https://platform.claude.com/docs/en/agents-and-tools/tool-use/implement-tool-use
"""

from typing import Any, NamedTuple

from gateway.doors.messages.calls import upstream_id
from gateway.doors.messages.request.blocks import parts_of
from gateway.doors.messages.request.checks import optional
from gateway.doors.messages.request.profile import Profile
from gateway.doors.messages.request.turns import blocks_in
from gateway.wire.jsontext import JSON

NO_OUTPUT = "(no output)"

_FAILED = ("error", "<tool_use_error>")
"""What a result begins with that says by itself that the tool failed."""


class Result(NamedTuple):
    """A tool's message, and the parts that must stand behind all results."""

    message: JSON
    beside: list[JSON]


def result_of(block: JSON, path: str, tool: str, profile: Profile) -> Result:
    """Return the result of a call of `tool`; raises a 400 naming the place."""
    parts = _parts(block, path, profile)
    beside: list[JSON] = []
    if not profile.shows_results:
        parts, beside = _apart(parts, tool)
    failed = optional(block, "is_error", bool, "boolean", path) is True
    message: JSON = {"role": "tool", "tool_call_id": upstream_id(block["tool_use_id"])}
    content: Any = parts
    if all(part["type"] == "text" for part in parts):
        content = "\n".join(part["text"] for part in parts) or NO_OUTPUT
    if failed and profile.is_translated:
        message["is_error"] = True
    elif failed:
        content = _as_failure(content)
    message["content"] = content
    mark = block.get("cache_control")
    if profile.is_translated and isinstance(mark, dict):
        message["cache_control"] = mark
    elif profile.keeps_marks and isinstance(mark, dict):
        message["content"] = _marked(content, mark, profile)
    return Result(message, beside)


def _marked(content: Any, mark: JSON, profile: Profile) -> list[JSON]:
    """Return a content whose last part has a mark: beside it nobody knows one."""
    parts = (
        content if isinstance(content, list) else [{"type": "text", "text": content}]
    )
    return [*parts[:-1], {**parts[-1], **profile.mark(mark)}]


def _parts(block: JSON, path: str, profile: Profile) -> list[JSON]:
    if block.get("content") is None:
        return []
    return [
        part
        for at, inner in blocks_in(block, "content", path)
        for part in parts_of(inner, at, profile)
    ]


def _apart(parts: list[JSON], tool: str) -> tuple[list[JSON], list[JSON]]:
    """Return parts with a label for each image or file, and these with theirs.

    Upstreams that know text alone in results would lose them:
    https://github.com/vercel/ai/issues/18982
    """
    kept: list[JSON] = []
    beside: list[JSON] = []
    for part in parts:
        if part["type"] == "text":
            kept.append(part)
            continue
        kind = "image" if part["type"] == "image_url" else "file"
        label = f"{kind} {len(beside) // 2 + 1} of {tool}"
        kept.append({"type": "text", "text": f"[{label}, see below]"})
        beside += [{"type": "text", "text": f"[{label}]"}, part]
    return kept, beside


def _as_failure(content: Any) -> Any:
    """Return what a tool that failed said, so that the model sees that it did."""
    if isinstance(content, list):
        return [{"type": "text", "text": "Error:"}, *content]
    if content.lower().startswith(_FAILED):
        return content
    return f"Error: {content}"
