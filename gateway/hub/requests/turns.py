"""A conversation in formats whose turns hold blocks and alternate between two sides."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from gateway.errors import GatewayError, invalid_request
from gateway.hub.protocol import JSON
from gateway.hub.requests.caching import MARK, MARKS, cache_mark
from gateway.hub.requests.content.parsing import parse_part
from gateway.hub.requests.content.parts import Part
from gateway.hub.requests.conversation import Message, check_silent, check_text_only
from gateway.hub.requests.tools.calls import Place, ToolCall

CONTINUED = "(continue)"
"""Stands first where a conversation begins with the assistant's turn."""

GO_ON = "Continue."
"""Stands last where a model does not go on with the assistant's turn by itself."""

_SPEAKERS = ("user", "assistant")

PAUSE = "."
"""An assistant's turn where a format wants one between a tool's result and the user."""


def reminder(text: str) -> str:
    """Return a system's text as the user's side carries it amid a conversation.

    Claude and the models trained beside it know the tag from coding agents.
    """
    return f"<system-reminder>\n{text}\n</system-reminder>"


@dataclass
class Conversation:
    """Rendered system blocks and turns; `has_marks` tells of any cache mark in them."""

    system: list[JSON] = field(default_factory=list)
    turns: list[JSON] = field(default_factory=list)
    has_marks: bool = False

    @property
    def last_role(self) -> str:
        """The role of the last turn; empty while there is none."""
        return self.turns[-1]["role"] if self.turns else ""

    def add(self, role: str, blocks: list[JSON]) -> None:
        """Append `blocks` to the last turn if it is `role`'s, else as a new turn."""
        if not blocks:
            return
        if self.turns and self.turns[-1]["role"] == role:
            self.turns[-1]["content"].extend(blocks)
        else:
            self.turns.append({"role": role, "content": blocks})

    def mark(self, block: JSON, holder: JSON) -> None:
        """Mark `block` where the part or message that it was made of is marked."""
        if not MARKS.isdisjoint(holder) and (mark := cache_mark(holder)):
            block[MARK] = mark
            self.has_marks = True


class BlockWriter(Protocol):
    """How a format writes what is said into `conversation`."""

    conversation: Conversation

    def text(self, text: str) -> JSON:
        """Return the block of a text that says something."""
        ...

    def part(self, part: Part, param: str) -> JSON | None:
        """Return the block of a part, None where it says nothing.

        Raises a 400 naming `param` for what the format cannot say.
        """
        ...

    def call(self, call: ToolCall) -> JSON:
        """Return the block of an assistant's call."""
        ...

    def result(self, message: Message) -> list[JSON]:
        """Return the blocks of a tool's message."""
        ...

    def spoken(self, message: Message, blocks: list[JSON]) -> list[JSON]:
        """Return an assistant's blocks with what only this format adds to them."""
        ...

    def add_system(self, message: Message, blocks: list[JSON]) -> None:
        """Put the blocks of a system's message where the format has them."""
        ...


def add_messages(messages: Iterable[Message], writer: BlockWriter) -> None:
    """Add messages to the writer's conversation, results in the order of calls."""
    conversation = writer.conversation
    answers: dict[Place, list[JSON]] = {}
    for message in messages:
        if answers and message.role != "tool":
            _add_results(conversation, answers)
        if _is_bare(message):
            conversation.add(message.role, blocks_of(message, writer))
            continue
        match message.role:
            case "system":
                writer.add_system(message, _text_blocks(message, writer))
            case "user":
                conversation.add("user", _marked_blocks(message, writer))
            case "assistant":
                said = _assistant_blocks(message, writer)
                conversation.add("assistant", writer.spoken(message, said))
            case "tool":
                answers[message.place] = writer.result(message)
    _add_results(conversation, answers)


def _is_bare(message: Message) -> bool:
    """Tell whether somebody says a text and nothing else, as in nearly all of a chat.

    The two fields of such a message have no room for a mark, a call or thinking. To ask
    for all of them costs three quarters of rendering a long history.
    """
    return (
        len(message.source) == 2
        and isinstance(message.content, str)
        and message.role in _SPEAKERS
    )


def _add_results(conversation: Conversation, answers: dict[Place, list[JSON]]) -> None:
    for call in sorted(answers):
        conversation.add("user", answers[call])
    answers.clear()


def blocks_of(message: Message, writer: BlockWriter) -> list[JSON]:
    """Return the content of a message, each block marked as its part is."""
    content = message.content
    if content is None:
        return []
    if isinstance(content, str):
        return [writer.text(content)] if content.strip() else []
    written = []
    for position, part in enumerate(content):
        path = f"{message.param}.content[{position}]"
        block = writer.part(parse_part(part, path), path)
        if block is not None:
            writer.conversation.mark(block, part)
            written.append(block)
    return written


def _marked_blocks(message: Message, writer: BlockWriter) -> list[JSON]:
    written = blocks_of(message, writer)
    if written:
        writer.conversation.mark(written[-1], message.source)
    return written


def _text_blocks(message: Message, writer: BlockWriter) -> list[JSON]:
    check_text_only(message)
    return _marked_blocks(message, writer)


def _assistant_blocks(message: Message, writer: BlockWriter) -> list[JSON]:
    check_silent(message)
    written = _text_blocks(message, writer)
    if message.refusal and message.refusal.strip():
        written.append(writer.text(message.refusal))
    written += [writer.call(call) for call in message.calls]
    if written:
        writer.conversation.mark(written[-1], message.source)
    return written


def nothing_said() -> GatewayError:
    """Return a 400 for a conversation of blank messages, which upstreams refuse."""
    return invalid_request(
        "'messages' has no content: at least one message needs text, an image or a "
        "file.",
        param="messages",
        code="invalid_value",
    )


def begin_with_user(conversation: Conversation, opening: JSON) -> None:
    """Make the first turn a user's.

    Where there is none, the last of the system's blocks is asked; before an assistant's
    comes `opening`. Raises a 400 where there is nothing at all.
    """
    if not conversation.turns:
        if not conversation.system:
            raise nothing_said()
        conversation.add("user", [conversation.system.pop()])
    if conversation.turns[0]["role"] == "assistant":
        conversation.turns.insert(0, {"role": "user", "content": [opening]})
