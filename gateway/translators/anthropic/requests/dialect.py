"""Where the hosts of Claude differ in the body they take."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.translators.anthropic.requests.claude_models import ClaudeModel


@dataclass(frozen=True)
class Dialect:
    """What a host of Claude understands of the Messages API.

    `default_output` bounds `max_tokens` where the client gives no limit.
    `remote_images` and `uploaded_files` tell whether the host fetches by itself.
    `disable_parallel` tells whether it knows `disable_parallel_tool_use`; where it does
    not, only the first call of an answer is kept. `effort_beside_budget` allows
    ``output_config.effort`` next to a manual budget. `refused_tools` are prefixes of
    server-run tools that it lacks, `refused_tool_fields` fields of tools that it
    rejects, `betas` those that types of tools need here and not everywhere.
    `mcp_servers` tells whether the host calls such servers by itself.
    """

    default_output: int = 32_000
    remote_images: bool = True
    uploaded_files: bool = True
    user_id: bool = True
    service_tier: bool = True
    automatic_cache: bool = True
    web_search: bool = True
    disable_parallel: bool = True
    effort_beside_budget: bool = True
    refused_tools: tuple[str, ...] = ()
    refused_tool_fields: frozenset[str] = frozenset()
    betas: Mapping[str, str] = field(default_factory=dict)
    mcp_servers: bool = True


ANTHROPIC = Dialect()

BEDROCK = Dialect(
    # Bedrock reserves max_tokens against the account's tokens per minute.
    default_output=8192,
    remote_images=False,
    uploaded_files=False,
    user_id=False,
    service_tier=False,
    automatic_cache=False,
    web_search=False,
    effort_beside_budget=False,
    refused_tools=("web_search_", "web_fetch_", "mcp_toolset"),
    refused_tool_fields=frozenset({"custom", "eager_input_streaming", "defer_loading"}),
    betas={
        "memory_20250818": "context-management-2025-06-27",
        "tool_search_tool_regex_20251119": "tool-search-tool-2025-10-19",
        "tool_search_tool_bm25_20251119": "tool-search-tool-2025-10-19",
        "tool_search_tool_regex": "tool-search-tool-2025-10-19",
        "tool_search_tool_bm25": "tool-search-tool-2025-10-19",
    },
    mcp_servers=False,
)
"""InvokeModel's Claude body:
https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html
"""


class Claude(NamedTuple):
    """A model of Claude where it is hosted: what it accepts, and in which dialect."""

    model: ClaudeModel
    dialect: Dialect = ANTHROPIC
