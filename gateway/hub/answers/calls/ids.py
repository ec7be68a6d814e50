"""Ids of tool calls."""

import re
from typing import Any

from gateway.hub.protocol import Reply
from gateway.hub.requests.tools.ids import made_up_id

# Ids that count from nought in every answer collide in the next turn.
_is_positional = re.compile(
    r"|(call_?|tool_?|functions\.[^:]*:)?\d{1,3}|functions\.[^:]+"
).fullmatch


def call_id(id: Any, reply: Reply, ordinal: int) -> str:
    """Return `id`, or one made up for the call at `ordinal` where that is none."""
    if isinstance(id, str) and id:
        return id
    return made_up_id(reply.completion_id, ordinal)


class CallIds:
    """The ids of an answer's tool calls, unique over the conversation.

    An id that is missing, positional (``call_0``) or repeated is replaced by one made
    of the completion's id, which no other answer has.
    """

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self._given: set[str] = set()

    def take(self, id: Any) -> str:
        """Return the id to give to the client for the upstream's `id`."""
        text = id if isinstance(id, str) else ""
        if _is_positional(text) or text in self._given:
            text = call_id("", self._reply, len(self._given))
        self._given.add(text)
        return text
