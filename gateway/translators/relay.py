"""From an upstream's bytes to the client's, for a stream that is well under way."""

from typing import NamedTuple, Protocol, runtime_checkable

from gateway.translators.protocol import JSON, StreamParser
from gateway.wire import sse

__all__ = ["Relayed", "RelayingParser", "encoded", "joined", "relay"]


class Relayed(NamedTuple):
    """Frames ready to send, and what the ledger wants to know of them.

    `characters` are those of the answer's text, about: an estimate of tokens is made of
    them where the upstream gave no usage. `finish_reason` is empty before the end.
    """

    data: bytes
    characters: int = 0
    finish_reason: str = ""


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
    characters, finish_reason = 0, ""
    for chunk in chunks:
        for choice in chunk["choices"]:
            if isinstance(text := choice["delta"].get("content"), str):
                characters += len(text)
            finish_reason = choice.get("finish_reason") or finish_reason
    return Relayed(sse.encode(chunks), characters, finish_reason)


def joined(pieces: list[Relayed]) -> Relayed:
    """Return what `pieces` are together."""
    reasons = [piece.finish_reason for piece in pieces if piece.finish_reason]
    return Relayed(
        b"".join([piece.data for piece in pieces]),
        sum(piece.characters for piece in pieces),
        reasons[-1] if reasons else "",
    )
