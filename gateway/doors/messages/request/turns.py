"""The turns of a conversation: messages, and the blocks of each.

https://platform.claude.com/docs/en/api/messages
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from gateway.doors.messages.request.checks import (
    invalid,
    missing,
    unknown_tag,
    wrong_type,
)
from gateway.wire.jsontext import JSON

MOST_MESSAGES = 100_000

ROLES = ("user", "assistant", "system")

Placed = tuple[str, JSON]
"""A block, and the path of it in the request."""


@dataclass
class Turn:
    """What one side says until the other does; `path` is where it begins."""

    role: str
    path: str
    blocks: list[Placed] = field(default_factory=list)

    def of_type(self, type: str) -> Iterator[Placed]:
        """Yield the blocks of a type."""
        return (placed for placed in self.blocks if placed[1]["type"] == type)


def turns_of(body: JSON) -> list[Turn]:
    """Return the turns of a request; messages of one side in a row are one turn.

    Instructions amid the conversation are turns of their own. Raises a 400 for what is
    no conversation.
    """
    messages = _messages(body)
    turns: list[Turn] = []
    for position, message in enumerate(messages):
        turn = _turn(message, f"messages.{position}", position == len(messages) - 1)
        if turns and turns[-1].role == turn.role != "system":
            turns[-1].blocks += turn.blocks
        else:
            turns.append(turn)
    return turns


def _messages(body: JSON) -> list[Any]:
    messages = body.get("messages")
    if messages is None:
        raise missing("messages")
    if not isinstance(messages, list):
        raise wrong_type("messages", "list")
    if not messages:
        raise invalid("messages", "at least one message is required")
    if len(messages) > MOST_MESSAGES:
        raise invalid("messages", f"at most {MOST_MESSAGES} messages are allowed")
    return messages


def _turn(message: Any, path: str, is_last: bool) -> Turn:
    if not isinstance(message, dict):
        raise wrong_type(path, "dictionary")
    role = message.get("role")
    if role is None:
        raise missing(f"{path}.role")
    if role not in ROLES:
        raise invalid(f"{path}.role", "Input should be 'user', 'assistant' or 'system'")
    blocks = blocks_in(message, "content", path)
    if not blocks and not (is_last and role == "assistant"):
        raise invalid(
            path,
            "all messages must have non-empty content except for the optional final "
            "assistant message",
        )
    return Turn(role, path, blocks)


def blocks_in(holder: JSON, name: str, path: str) -> list[Placed]:
    """Return the blocks of a field; a text is one block. `path` is the holder's."""
    content, at = holder.get(name), f"{path}.{name}" if path else name
    if content is None:
        raise missing(at)
    if isinstance(content, str):
        return [(at, {"type": "text", "text": content})] if content else []
    if not isinstance(content, list):
        raise wrong_type(at, "list")
    return [_checked(block, f"{at}.{place}") for place, block in enumerate(content)]


def _checked(block: Any, path: str) -> Placed:
    if not isinstance(block, dict):
        raise wrong_type(path, "dictionary")
    kind = block.get("type")
    if not isinstance(kind, str):
        raise missing(f"{path}.type") if kind is None else unknown_tag(path, kind, ())
    return path, block
