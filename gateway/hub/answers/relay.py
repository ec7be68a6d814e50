"""From an upstream's bytes to the client's, for a stream that is well under way."""

from typing import NamedTuple, Protocol, runtime_checkable

from gateway.hub.protocol import JSON, StreamParser
from gateway.wire import sse

__all__ = ["Relayed", "RelayingParser", "encoded", "joined", "relay"]


class Relayed(NamedTuple):
    """Frames ready to send, and what the ledger wants to know of them.

    `characters` are those of the answer's text, about: an estimate of tokens is made of
    them where the upstream gave no usage. `finish_reason` is empty before the end.
    `says` tells whether there is more in them than the assistant's role.
    """

    data: bytes
    characters: int = 0
    finish_reason: str = ""
    says: bool = False


@runtime_checkable
class RelayingParser(Protocol):
    """A stream parser that has a shorter way than by `feed`."""

    def relay(self, data: bytes) -> Relayed:
        """Return what `feed` would give, encoded."""
        ...


def relay(parser: StreamParser, data: bytes) -> Relayed:
    """Return the frames for what the network delivered; instead of `feed`."""
    if isinstance(parser, RelayingParser):
        return parser.relay(data)
    return encoded(parser.feed(data))


def encoded(chunks: list[JSON]) -> Relayed:
    """Return chunks as frames."""
    characters, finish_reason, says = 0, "", False
    for chunk in chunks:
        says = says or _says_something(chunk)
        for choice in chunk["choices"]:
            if isinstance(text := choice["delta"].get("content"), str):
                characters += len(text)
            finish_reason = choice.get("finish_reason") or finish_reason
    return Relayed(sse.encode(chunks), characters, finish_reason, says)


def joined(pieces: list[Relayed]) -> Relayed:
    """Return what `pieces` are together."""
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
