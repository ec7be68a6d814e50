"""The betas that Anthropic's own tools need to be switched on.

https://platform.claude.com/docs/en/agents-and-tools/tool-use/tool-reference
"""

import re
from collections.abc import Iterable, Set

from gateway.hub.protocol import JSON, Feature
from gateway.translators.anthropic.requests.dialect import Dialect

_BETAS = {
    "computer_20241022": "computer-use-2024-10-22",
    "bash_20241022": "computer-use-2024-10-22",
    "text_editor_20241022": "computer-use-2024-10-22",
    "computer_20250124": "computer-use-2025-01-24",
    "computer_20251124": "computer-use-2025-11-24",
    "code_execution_20250522": "code-execution-2025-05-22",
    "advisor_20260301": "advisor-tool-2026-03-01",
    "mcp_toolset": "mcp-client-2025-11-20",
}
"""By the tool's type; those that are missing need none any more."""

_EARLIER_BETAS = {
    "code_execution_20250825": "code-execution-2025-08-25",
    "memory_20250818": "context-management-2025-06-27",
    "tool_search_tool_bm25_20251119": "advanced-tool-use-2025-11-20",
    "tool_search_tool_regex_20251119": "advanced-tool-use-2025-11-20",
    "tool_search_tool_bm25": "advanced-tool-use-2025-11-20",
    "tool_search_tool_regex": "advanced-tool-use-2025-11-20",
    "web_fetch_20250910": "web-fetch-2025-09-10",
    "web_search_20250305": "web-search-2025-03-05",
}
"""What tools needed that need none any more; some hosts are behind."""

PLAIN_TOOLS = Feature(
    "plain_tools",
    ("tools",),
    re.compile(r"does not match any of the expected tags", re.IGNORECASE),
    lasts=True,
)
"""A tool whose type is unknown without its beta: asked for with it.

https://github.com/anthropics/anthropic-sdk-go/issues/235 and
https://github.com/ax-llm/ax/pull/457
"""

_SERVERS_ALONE = "mcp-client-2025-04-04"
"""What servers need whose tools are set up beside their address.

https://platform.claude.com/docs/en/agents-and-tools/mcp-connector#migration-guide
"""

BETAS = Feature(
    "betas",
    ("anthropic_beta",),
    re.compile(r"anthropic[-_]beta|invalid beta|beta flag", re.IGNORECASE),
    anywhere=True,
    lasts=True,
    header="anthropic-beta",
)
"""Betas that a host does not know, or that are over: asked for without.

https://github.com/anthropics/claude-code/issues/53855 and
https://github.com/quarkiverse/quarkus-langchain4j/issues/2132
"""


def betas_of(
    tools: Iterable[JSON],
    dialect: Dialect,
    avoid: Set[str] = frozenset(),
    *,
    has_servers: bool = False,
) -> tuple[str, ...]:
    """Return the betas for rendered `tools`, each once, in the order of the tools.

    `avoid` names what the host refused before; `has_servers` tells of MCP servers, of
    which the tools may be a part.
    """
    types = [tool["type"] for tool in tools if "type" in tool]
    if not (types or has_servers):  # Tools of the client's own have none.
        return ()
    types = [type for type in types if isinstance(type, str)]
    known = {**_EARLIER_BETAS, **_BETAS} if PLAIN_TOOLS.name in avoid else _BETAS
    betas = [dialect.betas.get(type) or known.get(type) for type in types]
    if has_servers and "mcp_toolset" not in types:
        betas.append(_SERVERS_ALONE)
    return tuple(dict.fromkeys(beta for beta in betas if beta))
