"""The turns of a conversation, for formats in which users and assistants alternate."""

from collections.abc import Mapping

from gateway.errors import invalid_request, unsupported
from gateway.hub.protocol import JSON

CONTINUED = "(continue)"
"""Stands first where a conversation begins with the assistant's turn."""


def add_turn(turns: list[JSON], role: str, blocks: list[JSON]) -> None:
    """Append `blocks` to the last turn if it is `role`'s, else as a new turn."""
    if not blocks:
        return
    if turns and turns[-1]["role"] == role:
        turns[-1]["content"].extend(blocks)
    else:
        turns.append({"role": role, "content": blocks})


def add_results(turns: list[JSON], answers: dict[tuple[int, int], list[JSON]]) -> None:
    """Add pending tool results in the order of their calls; none are pending then."""
    for call in sorted(answers):
        add_turn(turns, "user", answers[call])
    answers.clear()


def begin_with_user(turns: list[JSON], system: list[JSON], opening: JSON) -> None:
    """Make the first turn a user's.

    Where there is none, the last of the system's blocks is asked; before an assistant's
    comes `opening`. Raises a 400 where there is nothing at all.
    """
    if not turns:
        if not system:
            raise invalid_request(
                "'messages' has no content: at least one message needs text, an image "
                "or a file.",
                param="messages",
                code="invalid_value",
            )
        add_turn(turns, "user", [system.pop()])
    if turns[0]["role"] == "assistant":
        turns.insert(0, {"role": "user", "content": [opening]})


def check_text_only(message: Mapping[str, object], param: str) -> None:
    """Raise a 400 for a message with parts other than text."""
    content = message.get("content")
    for position, part in enumerate(content if isinstance(content, list) else ()):
        if part["type"] not in ("text", "refusal"):
            path = f"{param}.content[{position}]"
            raise unsupported(
                f"Messages of role '{message['role']}' hold text only: move '{path}' "
                "to a user message.",
                param=path,
            )


def check_silent(message: Mapping[str, object], param: str) -> None:
    """Raise a 400 for an assistant's message that was spoken."""
    if message.get("audio"):
        raise unsupported(
            f"This model takes no audio: replace '{param}.audio' by its transcript.",
            param=f"{param}.audio",
        )


def refusal_of(message: Mapping[str, object]) -> str:
    """Return what an assistant's message refused with; empty where it did not."""
    refusal = message.get("refusal")
    return refusal if isinstance(refusal, str) and refusal.strip() else ""
