"""The betas that Anthropic's own tools need to be switched on.

https://platform.claude.com/docs/en/agents-and-tools/tool-use/tool-reference
"""

from collections.abc import Iterable

from gateway.hub.protocol import JSON
from gateway.translators.anthropic.requests.dialect import Dialect

_BETAS = {
    "computer_20241022": "computer-use-2024-10-22",
    "bash_20241022": "computer-use-2024-10-22",
    "text_editor_20241022": "computer-use-2024-10-22",
    "computer_20250124": "computer-use-2025-01-24",
    "computer_20251124": "computer-use-2025-11-24",
    "code_execution_20250522": "code-execution-2025-05-22",
    "advisor_20260301": "advisor-tool-2026-03-01",
}
"""By the tool's type; those that are missing need none any more."""


def betas_of(tools: Iterable[JSON], dialect: Dialect) -> list[str]:
    """Return the betas for rendered `tools`, each once, in the order of the tools."""
    types = [tool["type"] for tool in tools if isinstance(tool.get("type"), str)]
    betas = [dialect.betas.get(type) or _BETAS.get(type) for type in types]
    return list(dict.fromkeys(beta for beta in betas if beta))
