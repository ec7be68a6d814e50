"""Tools of a Messages request as Bedrock takes them.

https://platform.claude.com/docs/en/agents-and-tools/tool-use/tool-reference
"""

from collections.abc import Iterator
from typing import Any

from gateway.errors import invalid_request, unsupported
from gateway.hub.protocol import JSON
from gateway.hub.requests.losses import Losses
from gateway.translators.anthropic.requests.betas import betas_of
from gateway.translators.anthropic.requests.dialect import BEDROCK
from gateway.translators.bedrock.messages.body import betas
from gateway.translators.bedrock.messages.body.model import HostedClaude

_RUN_BY_THE_SERVER = (
    "web_search_",
    "web_fetch_",
    "code_execution_",
    "advisor_",
    "mcp_toolset",
    "browser_toolset_",
    "computer_toolset_",
)
_SEARCH = "tool_search_tool_"
_PLACEHOLDER = "DeferredToolPlaceholder"
"""By which Claude Code says that there are tools it has not named yet."""

_EXPECTED = "'bash_20250124', 'custom', 'memory_20250818', 'text_editor_20250728'"


def fit_tools(body: JSON, model: HostedClaude, losses: Losses) -> tuple[str, ...]:
    """Fit `tools` to the model, in place; return the betas that they need.

    Raises a 400 for tools that only Anthropic runs.
    """
    tools = body.get("tools")
    if not isinstance(tools, list):
        return ()
    needed: list[str] = []
    for position, tool in enumerate(tools):
        if isinstance(tool, dict):
            _refuse(tool, position)
            needed += _fit(tool, position, model, losses)
    if not model.searches_tools:
        tools = body["tools"] = _offered(tools, body, losses)
    if not tools:
        del body["tools"]
        body.pop("tool_choice", None)
    known = betas_of((tool for tool in tools if isinstance(tool, dict)), BEDROCK)
    return (*needed, *known)


def _refuse(tool: JSON, position: int) -> None:
    """Raise a 400 in the words on which clients ask again without the tool."""
    kind = tool.get("type")
    if isinstance(kind, str) and kind.startswith(_RUN_BY_THE_SERVER):
        raise unsupported(
            f"tools.{position}: Input tag '{kind}' found using 'type' does not match "
            f"any of the expected tags: {_EXPECTED} on Amazon Bedrock",
            param=f"tools.{position}",
        )
    callers = tool.get("allowed_callers")
    if callers is not None and callers != ["direct"]:
        raise unsupported(
            f"tools.{position}.allowed_callers: only 'direct' is supported on Amazon "
            "Bedrock",
            param=f"tools.{position}.allowed_callers",
        )
    if kind in (None, "custom") and not tool.get("name"):
        raise invalid_request(
            f"tools.{position}.name: Field required", param=f"tools.{position}.name"
        )


def _fit(
    tool: JSON, position: int, model: HostedClaude, losses: Losses
) -> Iterator[str]:
    """Leave out what Bedrock refuses of one tool; yield the betas that replace it."""
    custom = tool.pop("custom", None)
    if isinstance(custom, dict) and "defer_loading" in custom:
        tool.setdefault("defer_loading", custom["defer_loading"])
    tool.pop("allowed_callers", None)
    if tool.pop("input_examples", None):
        losses.drop("tools.input_examples")
    if tool.pop("eager_input_streaming", False) is True:
        yield betas.FINE_GRAINED
    if "strict" in tool and not model.claude.structured:
        del tool["strict"]
        losses.drop("tools.strict")
    if tool.get("defer_loading") and model.searches_tools:
        yield betas.TOOL_SEARCH
    schema = tool.get("input_schema")
    if isinstance(schema, dict) and schema.get("type") != "object":
        tool["input_schema"] = {**schema, "type": "object"}


def _offered(tools: list[Any], body: JSON, losses: Losses) -> list[Any]:
    """Return the tools that a model without search is shown.

    Where the server would search, all of them; where the client does it by itself,
    those that it has found. https://platform.claude.com/docs/en/agents-and-tools/tool-use/tool-search-tool
    """
    named = [tool for tool in tools if isinstance(tool, dict)]
    others = [tool for tool in named if not _type(tool).startswith(_SEARCH)]
    searches = len(others) < len(named)
    if searches:
        losses.downgrade("tools")
    found = set() if searches else set(_found(body.get("messages")))
    offered = []
    for tool in others:
        is_deferred = tool.pop("defer_loading", False) is True
        if tool.get("name") == _PLACEHOLDER:
            continue
        if not is_deferred or searches or tool.get("name") in found:
            offered.append(tool)
    return offered


def _type(tool: JSON) -> str:
    kind = tool.get("type")
    return kind if isinstance(kind, str) else ""


def _found(value: Any) -> Iterator[str]:
    """Yield the tools that were called or found in the messages."""
    waiting = [value]
    while waiting:
        match waiting.pop():
            case {"type": "tool_use", "name": str(name)}:
                yield name
            case {"type": "tool_reference", "tool_name": str(name)}:
                yield name
            case {"content": list(inner)} | [*inner]:
                waiting += inner
