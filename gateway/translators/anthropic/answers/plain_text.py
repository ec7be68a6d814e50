"""How Claude's streams write plain text: a `PlainFormat`.

https://platform.claude.com/docs/en/build-with-claude/streaming#text-delta
"""

from collections.abc import Sequence

from gateway.hub.protocol import JSON

HEAD = b"event: content_block_delta\ndata: "
MARKS: Sequence[bytes] = (b'"text_delta"',)
NAMES: Sequence[str] = ("text",)
TELLS_EMPTY = False


def part_of(payload: JSON, chunk: JSON) -> int | None:
    """Return the content block that a plain payload adds to, else None."""
    match payload:
        case {
            "type": "content_block_delta",
            "index": int(index),
            "delta": {"type": "text_delta", "text": str(), **more},
            **others,
        } if not more and not others:
            return index
    return None


def filled(payload: JSON, strings: Sequence[str]) -> JSON:
    """Return a plain payload with another text."""
    return {**payload, "delta": {**payload["delta"], "text": strings[0]}}
