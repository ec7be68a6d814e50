"""The betas that Bedrock's Claude takes.

AWS refuses names that it does not know, so that this is a closed list; the provider's
option `bedrock_betas` corrects it as it ages.
https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages-request-response.html
https://platform.claude.com/docs/en/api/beta-headers
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

EFFORT = "effort-2025-11-24"
CONTEXT = "context-management-2025-06-27"
COMPACT = "compact-2026-01-12"
FINE_GRAINED = "fine-grained-tool-streaming-2025-05-14"
INTERLEAVED = "interleaved-thinking-2025-05-14"
TOOL_SEARCH = "tool-search-tool-2025-10-19"
ADVANCED_TOOLS = "advanced-tool-use-2025-11-20"
"""Anthropic's name for what is three betas elsewhere; Bedrock has one of them."""

_TAKEN = frozenset(
    {
        "computer-use-2025-01-24",
        "computer-use-2025-11-24",
        "context-1m-2025-08-07",
        CONTEXT,
        COMPACT,
        "compact-2026-09-04",
        EFFORT,
        FINE_GRAINED,
        INTERLEAVED,
        "thinking-binding-controls-2026-08-01",
        "thinking-display-updates-2026-08-18",
        TOOL_SEARCH,
        "mid-conversation-output-config-2026-07-01",
        "mid-conversation-tool-changes-2026-07-01",
        "dangerous-tool-use-2026-09-03",
    }
)


class Betas(NamedTuple):
    """The betas that are sent, and those of the client's that are not."""

    sent: tuple[str, ...]
    dropped: tuple[str, ...]


def taken(options: Mapping[str, Any]) -> frozenset[str]:
    """Return the betas that a provider's models take, as its options correct them."""
    corrections = options.get("bedrock_betas") or ()
    removed = {name[1:] for name in corrections if name.startswith("-")}
    added = {name for name in corrections if not name.startswith("-")}
    return (_TAKEN | added) - removed


def chosen(
    asked: Iterable[str],
    needed: Iterable[str],
    taken: frozenset[str],
    *,
    searches_tools: bool,
) -> Betas:
    """Return what becomes of the betas that a client `asked` for.

    `needed` are those of what its request holds. `searches_tools` tells whether the
    model looks for tools by itself.
    """
    sent: dict[str, None] = {}
    dropped: dict[str, None] = {}
    for name in asked:
        here = TOOL_SEARCH if name == ADVANCED_TOOLS and searches_tools else name
        if here in taken:
            sent[here] = None
        else:
            dropped[name] = None
    sent |= dict.fromkeys(name for name in needed if name in taken)
    return Betas(tuple(sent), tuple(dropped))
