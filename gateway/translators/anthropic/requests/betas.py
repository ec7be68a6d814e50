"""The betas that Anthropic's own tools need to be switched on.

https://platform.claude.com/docs/en/agents-and-tools/tool-use/tool-reference
"""

import re
from collections.abc import Iterable

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
    tools: Iterable[JSON], dialect: Dialect, *, has_servers: bool = False
) -> tuple[str, ...]:
    """Return the betas for rendered `tools`, each once, in the order of the tools.

    `has_servers` tells of MCP servers, of which the tools may be a part.
    """
    types = [tool["type"] for tool in tools if "type" in tool]
    if not (types or has_servers):  # Tools of the client's own have none.
        return ()
    types = [type for type in types if isinstance(type, str)]
    betas = [dialect.betas.get(type) or _BETAS.get(type) for type in types]
    if has_servers and "mcp_toolset" not in types:
        betas.append(_SERVERS_ALONE)
    return tuple(dict.fromkeys(beta for beta in betas if beta))
