"""How Claude's streams write plain text: a `PlainFormat`.

https://platform.claude.com/docs/en/build-with-claude/streaming#text-delta
"""

from collections.abc import Sequence

from gateway.hub.protocol import JSON

HEAD = b"event: content_block_delta\ndata: "
MARKS: Sequence[bytes] = (b'"text_delta"',)
NAMES: Sequence[str] = ("text",)
TELLS_EMPTY = False

_EVENT, _DELTA = ("type", "index", "delta"), ("type", "text")
"""The fields of a plain event, and of what it brings."""


def part_of(payload: JSON, chunk: JSON) -> int | None:
    """Return the content block that a plain payload adds to, else None."""
    delta, index = payload.get("delta"), payload.get("index")
    if payload.get("type") != "content_block_delta" or len(payload) != len(_EVENT):
        return None
    if type(delta) is not dict or len(delta) != len(_DELTA) or type(index) is not int:
        return None
    is_text = delta.get("type") == "text_delta" and type(delta.get("text")) is str
    return index if is_text else None


def filled(payload: JSON, strings: Sequence[str]) -> JSON:
    """Return a plain payload with another text."""
    return {**payload, "delta": {**payload["delta"], "text": strings[0]}}
