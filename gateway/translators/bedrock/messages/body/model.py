"""What a Claude on Bedrock takes of a Messages request, beyond the common table."""

from typing import NamedTuple

from gateway.hub.protocol import Route
from gateway.translators.anthropic.requests.claude_models import ClaudeModel, base_id
from gateway.translators.bedrock.families.claude import model_of
from gateway.translators.bedrock.messages.body import betas

_WITHOUT_SEARCH = (
    "claude-3",
    "claude-haiku",
    "claude-opus-4-1",
)
_FIRST_OF_FOUR = frozenset({"claude-opus-4", "claude-sonnet-4"})

# https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-extended-thinking.html
_INTERLEAVING = ("claude-opus-4", "claude-sonnet-4", "claude-haiku-4")


class HostedClaude(NamedTuple):
    """A model as Bedrock hosts it.

    `searches_tools` tells whether it finds deferred tools by itself, `betas` are those
    that it takes.
    """

    claude: ClaudeModel
    searches_tools: bool
    betas: frozenset[str]


def hosted(route: Route) -> HostedClaude:
    """Return what the model of `route` takes; `base_model` says which one it is."""
    name = base_id(route.base_model)
    taken = betas.taken(route.options)
    if not name.startswith(_INTERLEAVING):
        taken -= {betas.INTERLEAVED}
    claude = model_of(route)
    if not claude.efforts:
        taken -= {betas.EFFORT}
    is_older = name in _FIRST_OF_FOUR or name.startswith(_WITHOUT_SEARCH)
    if is_older:
        taken -= {betas.TOOL_SEARCH}
    return HostedClaude(claude, not is_older, taken)
