"""Events that carry a piece of an answer, and nearly all are such.

https://platform.claude.com/docs/en/build-with-claude/streaming
"""

import re

from gateway.hub.answers.relay import Said
from gateway.hub.protocol import JSON

HEAD = b"event: content_block_delta\ndata: "
PIECES = re.compile(rb"(?:event: content_block_delta\ndata: [^\n]*+\n\n)++")
"""Such events behind each other, by how they begin."""

TEXT = re.compile(
    rb'"delta": ?\{"type": ?"[a-z_]++", ?"[a-z_]++": ?"((?:[^"\\\n]++|\\.)*+)"'
)
"""The piece in one."""


def said_in(event: JSON) -> Said | None:
    """Return the text in another event: none, or None where it may have one."""
    if event.get("type") != "content_block_start":
        return {}
    block = event.get("content_block")
    begins_empty = isinstance(block, dict) and not (
        block.get("text") or block.get("thinking") or block.get("content")
    )
    return {} if begins_empty else None
