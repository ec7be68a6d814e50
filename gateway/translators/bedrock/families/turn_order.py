"""The order of turns that Mistral's chat models insist on, in OpenAI's body.

After a tool's result only the assistant speaks, the user has the last word, no answer
is empty, and the system speaks first or after the user.
https://github.com/mistralai/mistral-common/blob/main/src/mistral_common/protocol/instruct/validator.py
"""

from collections.abc import Iterable

from gateway.hub.protocol import JSON
from gateway.hub.requests.losses import Losses
from gateway.hub.requests.turns import GO_ON, PAUSE, reminder

_BEFORE_SYSTEM = ("", "system", "user")


def in_mistrals_order(messages: Iterable[JSON], losses: Losses) -> list[JSON]:
    """Return rendered `messages`, which say something, in an order that is accepted.

    What is in the way is not lost: a system's message amid a conversation becomes the
    user's, told as downgraded.
    """
    ordered: list[JSON] = []
    for message in messages:
        if not _is_empty(message):
            _add(ordered, message, losses)
    roles = {message["role"] for message in ordered}
    if roles == {"system"}:
        ordered[-1] = {**ordered[-1], "role": "user"}
    elif ordered[-1]["role"] not in ("user", "tool"):
        ordered.append({"role": "user", "content": GO_ON})
    return ordered


def _is_empty(message: JSON) -> bool:
    return (
        message["role"] == "assistant"
        and not message["content"]
        and not message.get("tool_calls")
    )


def _add(ordered: list[JSON], message: JSON, losses: Losses) -> None:
    before = ordered[-1]["role"] if ordered else ""
    if message["role"] == "system" and before not in _BEFORE_SYSTEM:
        losses.downgrade("messages")
        message = {"role": "user", "content": reminder(message["content"])}
    if message["role"] == "user" and before == "tool":
        ordered.append({"role": "assistant", "content": PAUSE})
    elif message["role"] == "user" == before:
        # An empty answer stood between them.
        ordered[-1] = _together(ordered[-1], message)
        return
    ordered.append(message)


def _together(one: JSON, other: JSON) -> JSON:
    first, second = one["content"], other["content"]
    if isinstance(first, str) and isinstance(second, str):
        return {"role": "user", "content": f"{first}\n\n{second}"}
    return {"role": "user", "content": [*_parts(first), *_parts(second)]}


def _parts(content: str | list[JSON]) -> list[JSON]:
    if isinstance(content, list):
        return content
    return [{"type": "text", "text": content}] if content else []
