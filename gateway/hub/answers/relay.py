"""What a network read of a stream comes to: chunks, or frames made of them."""

from collections.abc import Callable
from typing import Generic, NamedTuple, Protocol, TypeVar

from gateway.hub.protocol import JSON
from gateway.wire import sse

__all__ = [
    "Relayed",
    "Said",
    "Text",
    "TextRenderer",
    "Texts",
    "encoded",
    "joined",
    "relayed",
]

T = TypeVar("T")

Said = dict[object, str]
"""The text that came for each field of an answer; a client adds it to what it has."""


class Relayed(NamedTuple, Generic[T]):
    """What a network read came to, and what the ledger wants to know of it.

    `data` are frames ready to send, or chunks. `characters` are those of the answer's
    text, about: an estimate of tokens is made of them where the upstream gave no usage.
    `finish_reason` is empty before the end. `says` tells whether there is more in it
    than the assistant's role. `said` is the answer's text in it; None where it is not
    known.
    """

    data: T
    characters: int = 0
    finish_reason: str = ""
    says: bool = False
    said: Said | None = None


class Texts(NamedTuple):
    """Pieces of text that came one behind the other, in chunks that are else the same.

    `strings` are the pieces as JSON, encoded as `gateway.wire.jsontext` does it, empty
    ones left out; `text` is what they come to. `chunk` is one that was like them.
    """

    strings: list[bytes]
    text: str
    chunk: JSON


class Text(NamedTuple, Generic[T]):
    """What a read came to that brought text, in frames as there were before.

    `aside` is what differs in these besides, and `like` the same object where all else
    is the same. `name` is the field of the answer that the text belongs to.
    """

    data: T
    text: str
    aside: str
    like: object
    name: object

    def relayed(self) -> Relayed[T]:
        """Return it as it comes with all else."""
        said: Said = {self.name: self.text} if self.text else {}
        return Relayed(self.data, len(self.text), "", bool(self.text), said)


class TextRenderer(Protocol):
    """Writes pieces of text straight into frames of its own.

    They are byte for byte those that it renders for the same text in chunks.
    """

    def render(self, chunks: list[JSON]) -> bytes:
        """Return the frames for what was said."""
        ...

    def render_texts(self, texts: Texts) -> bytes | None:
        """Return the frames for pieces of text.

        None, and nothing has changed, where there is more to be told than these.
        """
        ...


def relayed(chunks: list[JSON], render: Callable[[list[JSON]], T]) -> Relayed[T]:
    """Return `chunks` as `render` makes them."""
    finish_reason, says, text = "", False, ""
    others: list[JSON] = []
    for chunk in chunks:
        choices = chunk["choices"]
        if not choices:
            says = True
        for choice in choices:
            delta = choice["delta"]
            # Nearly all are a piece of the first choice's text and nothing else.
            content = delta.get("content")
            is_text = not choice["index"] and isinstance(content, str)
            if is_text:
                text += content
            if delta and (not is_text or len(delta) > 1):
                others.append(choice)
            finish_reason = choice.get("finish_reason") or finish_reason
    said: Said = {"content": text} if text else {}
    characters = len(text)
    for choice in others:
        characters += _note(choice, said)
    says = says or bool(said or finish_reason)
    return Relayed(render(chunks), characters, finish_reason, says, said)


def encoded(chunks: list[JSON]) -> Relayed[bytes]:
    """Return chunks as OpenAI's frames."""
    return relayed(chunks, sse.encode)


def joined(pieces: list[Relayed[bytes]]) -> Relayed[bytes]:
    """Return what `pieces` are together."""
    if len(pieces) == 1:
        return pieces[0]
    frames: list[bytes] = []
    characters, finish_reason, says, is_known = 0, "", False, True
    said: Said = {}
    for piece in pieces:
        frames.append(piece.data)
        characters += piece.characters
        finish_reason = piece.finish_reason or finish_reason
        says = says or piece.says
        if piece.said is None:
            is_known = False
            continue
        for name, text in piece.said.items():
            said[name] = said.get(name, "") + text
    told = said if is_known else None
    return Relayed(b"".join(frames), characters, finish_reason, says, told)


def _note(choice: JSON, said: Said) -> int:
    """Add what a choice says but for the first one's text; return its characters."""
    index, delta = choice["index"], choice["delta"]
    for key, value in delta.items():
        if value and key != "role" and (index or key != "content"):
            _add(said, (index, key), value)
    text = delta.get("content")
    return len(text) if index and isinstance(text, str) else 0


def _add(said: Said, name: object, value: object) -> None:
    """Add the strings of a field; arguments of calls stand further in."""
    if isinstance(value, str):
        said[name] = said.get(name, "") + value
    elif isinstance(value, list):
        for each in value:
            _add(said, name, each)
    elif isinstance(value, dict):
        for key, inner in value.items():
            _add(said, (name, value.get("index"), key), inner)
    elif value:
        said.setdefault(name, "")
