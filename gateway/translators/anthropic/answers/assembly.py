"""A streamed message put together again, as it would have come whole.

https://platform.claude.com/docs/en/build-with-claude/streaming
"""

from gateway.hub.protocol import JSON
from gateway.wire.jsontext import JSONError, decode

# Type of a delta -> its field, which is also the one that it adds to in the block.
_PIECES = {
    "text_delta": "text",
    "thinking_delta": "thinking",
    "signature_delta": "signature",
    "input_json_delta": "partial_json",
}


class _Parts:
    """The parts of one content block: how it began, and what was added since."""

    __slots__ = ("citations", "pieces", "start")

    def __init__(self, start: JSON) -> None:
        self.start = start
        self.pieces: dict[str, list[str]] = {}
        self.citations: list[JSON] = []

    def add(self, delta: JSON) -> None:
        kind, citation = delta.get("type"), delta.get("citation")
        field = _PIECES.get(kind) if isinstance(kind, str) else None
        piece = delta.get(field) if field else None
        if field and isinstance(piece, str):
            self.pieces.setdefault(field, []).append(piece)
        elif kind == "citations_delta" and isinstance(citation, dict):
            self.citations.append(citation)

    def whole(self) -> JSON:
        """Return the block; raises JSONError for an input that is none."""
        block = dict(self.start)
        for field, pieces in self.pieces.items():
            text = "".join(pieces)
            if field != "partial_json":
                block[field] = f"{block.get(field) or ''}{text}"
            elif text:
                block["input"] = decode(text)
        if self.citations:
            known = block.get("citations")
            known = known if isinstance(known, list) else []
            block["citations"] = [*known, *self.citations]
        return block


class Assembly:
    """The content of one message, fed with the events that also make the chunks.

    It holds every kind of block, those of the server's own tools included, so that it
    can be sent back. Events must make sense: `MessageEvents` has looked at them.
    """

    def __init__(self) -> None:
        self._blocks: dict[int, _Parts] = {}

    def receive(self, event: JSON) -> None:
        """Take one event of the stream."""
        match event:
            case {"type": "content_block_start", "content_block": dict(start)}:
                self._blocks[event["index"]] = _Parts(start)
            case {"type": "content_block_delta", "delta": dict(delta)}:
                self._blocks[event["index"]].add(delta)

    def content(self) -> list[JSON] | None:
        """Return the blocks in their order; None where an input is no JSON."""
        try:
            return [self._blocks[index].whole() for index in sorted(self._blocks)]
        except JSONError:
            return None
