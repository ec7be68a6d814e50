"""What a network read of a stream comes to: chunks, or frames made of them."""

from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

from gateway.hub.protocol import JSON
from gateway.wire import sse

__all__ = ["Relayed", "encoded", "joined", "relayed"]

T = TypeVar("T")


class Relayed(NamedTuple, Generic[T]):
    """What a network read came to, and what the ledger wants to know of it.

    `data` are frames ready to send, or chunks. `characters` are those of the answer's
    text, about: an estimate of tokens is made of them where the upstream gave no usage.
    `finish_reason` is empty before the end. `says` tells whether there is more in it
    than the assistant's role.
    """

    data: T
    characters: int = 0
    finish_reason: str = ""
    says: bool = False


def relayed(chunks: list[JSON], render: Callable[[list[JSON]], T]) -> Relayed[T]:
    """Return `chunks` as `render` makes them."""
    characters, finish_reason, says = 0, "", False
    for chunk in chunks:
        says = says or _says_something(chunk)
        for choice in chunk["choices"]:
            if isinstance(text := choice["delta"].get("content"), str):
                characters += len(text)
            finish_reason = choice.get("finish_reason") or finish_reason
    return Relayed(render(chunks), characters, finish_reason, says)


def encoded(chunks: list[JSON]) -> Relayed[bytes]:
    """Return chunks as OpenAI's frames."""
    return relayed(chunks, sse.encode)


def joined(pieces: list[Relayed[bytes]]) -> Relayed[bytes]:
    """Return what `pieces` are together."""
    if len(pieces) == 1:
        return pieces[0]
    reasons = [piece.finish_reason for piece in pieces if piece.finish_reason]
    return Relayed(
        b"".join([piece.data for piece in pieces]),
        sum(piece.characters for piece in pieces),
        reasons[-1] if reasons else "",
        any(piece.says for piece in pieces),
    )


def _says_something(chunk: JSON) -> bool:
    for choice in chunk["choices"]:
        delta = choice["delta"]
        if choice.get("finish_reason") or any(
            delta[key] for key in delta if key != "role"
        ):
            return True
    return not chunk["choices"]
