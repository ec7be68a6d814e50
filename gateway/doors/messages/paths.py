"""From places in the hub's request to those in the client's, for whoever is told."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_FIELDS = {
    "max_completion_tokens": "max_tokens",
    "parallel_tool_calls": "tool_choice.disable_parallel_tool_use",
    "reasoning_effort": "output_config.effort",
    "response_format": "output_config.format",
    "safety_identifier": "metadata.user_id",
    "stop": "stop_sequences",
    "user": "metadata.user_id",
}

_PLACE = re.compile(r"(messages|tools)\[(\d{1,6})\](.*)", re.DOTALL)
_SCHEMA = ".function.parameters"


@dataclass(frozen=True)
class ClientPath:
    """Leads back: `messages` and `tools` say where each of the hub's came from.

    A message of the hub may be made of several blocks; what is told is the turn.
    """

    messages: Sequence[str]
    tools: Sequence[str]

    def __call__(self, path: str) -> str:
        """Return the client's path for one of the hub's."""
        if not (found := _PLACE.fullmatch(path)):
            return _FIELDS.get(path.partition(".")[0], path)
        is_tool, place = found[1] == "tools", int(found[2])
        known = self.tools if is_tool else self.messages
        if place >= len(known):
            return found[1]
        is_schema = is_tool and found[3].startswith(_SCHEMA)
        return f"{known[place]}.input_schema" if is_schema else known[place]
