"""A conversation as plain text, for models whose prompt is one string.

Tools and their results become words: such prompts have no other way to show them.
"""

from collections.abc import Iterable
from typing import NamedTuple

from gateway.errors import unsupported
from gateway.hub.requests.content.parsing import parse_content
from gateway.hub.requests.content.parts import (
    Document,
    Image,
    Part,
    SearchResult,
    Text,
)
from gateway.hub.requests.conversation import Message, check_silent
from gateway.hub.requests.turns import CONTINUED, GO_ON, nothing_said
from gateway.translators.bedrock.in_words import called, result_of


class Turn(NamedTuple):
    """What one side says; `role` is ``user`` or ``assistant``.

    `images` counts the images that belong before the text.
    """

    role: str
    text: str
    images: int = 0


class Conversation(NamedTuple):
    """A system text and turns that alternate, beginning and ending with the user's."""

    system: str
    turns: list[Turn]
    images: list[Image]


def conversation(
    messages: Iterable[Message], *, max_images: int = 0, opening: str = ""
) -> Conversation:
    """Return messages of a request as text.

    Where nobody says anything the user says `opening`. Raises a 400 where there is none
    either, and one naming the part that is neither text nor one of `max_images` images.
    """
    system: list[str] = []
    turns: list[Turn] = []
    images: list[Image] = []
    for message in messages:
        check_silent(message)
        seen = len(images)
        texts = _texts(message, images, max_images)
        match message.role:
            case "system":
                system += texts
            case "user":
                turns.append(Turn("user", "\n".join(texts), len(images) - seen))
            case "assistant":
                turns.append(Turn("assistant", "\n".join(texts + _said(message))))
            case "tool":
                result = result_of(message.call.name, "".join(texts))
                turns.append(Turn("user", result))
    merged = _alternating(turns, system, opening)
    return Conversation("\n\n".join(system), merged, images)


def _texts(message: Message, images: list[Image], max_images: int) -> list[str]:
    """Return the texts of a message; its images are added to `images`."""
    most = max_images if message.role == "user" else 0
    param = f"{message.param}.content"
    return [
        text
        for position, part in enumerate(parse_content(message.content, param))
        if (text := _text(part, f"{param}[{position}]", images, most))
    ]


def _text(part: Part, param: str, images: list[Image], max_images: int) -> str:
    match part:
        case Text(text) | SearchResult(text=text):
            return text if text.strip() else ""
        case Document() if part.is_text:
            return part.text
        case Image() if part.base64 and len(images) < max_images:
            images.append(part)
            return ""
    raise unsupported(
        f"This model reads text only: remove '{param}', or set the provider's Bedrock "
        "API to 'auto' or 'converse'.",
        param=param,
    )


def _said(message: Message) -> list[str]:
    """Return a refusal and tool calls in words."""
    said = [called(call.name, call.arguments) for call in message.calls]
    return [message.refusal, *said] if message.refusal else said


def _alternating(turns: list[Turn], system: list[str], opening: str) -> list[Turn]:
    """Merge what one side says in a row; the user begins and has the last word."""
    merged: list[Turn] = []
    for turn in turns:
        if not turn.text.strip() and not turn.images:
            continue
        if merged and merged[-1].role == turn.role:
            text = f"{merged[-1].text}\n\n{turn.text}"
            merged[-1] = Turn(turn.role, text, merged[-1].images + turn.images)
        else:
            merged.append(turn)
    if not merged:
        if not system and not opening:
            raise nothing_said()
        return [Turn("user", system.pop() if system else opening)]
    if merged[0].role == "assistant":
        merged.insert(0, Turn("user", CONTINUED))
    if merged[-1].role == "assistant":
        merged.append(Turn("user", GO_ON))
    return merged
