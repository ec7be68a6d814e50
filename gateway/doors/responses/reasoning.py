"""Reasoning that a client keeps for us: the `encrypted_content` of its items.

What a model thought must come back byte for byte, or it is of no use to it. OpenAI
gives it out sealed; here it is packed, not encrypted: a client may write what it likes
as the assistant's anyway, and a signature within is checked by who made it.

``g1.<zlib-deflated JSON in base64url>.<8 hex digits of the middle's sha256>``; the hash
tells a blob that was cut from a whole one.
https://platform.openai.com/docs/guides/reasoning#encrypted-reasoning-items
"""

import binascii
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import Any

from gateway.doors.responses.ids import OWN
from gateway.hub.protocol import JSON
from gateway.wire import jsontext

LARGEST = 1024 * 1024
"""Bytes of a blob's content; more is taken for foreign."""

MOST = 256
"""Blobs of a request that are read; later ones are taken for foreign."""

_CHECK_DIGITS = 8

SIGNED, REDACTED, TEXT = "signed", "redacted", "text"
"""Kinds: thinking with its signature, thinking in secret, and plain reasoning."""

SUMMARY = "summary"
"""One more: what a conversation was about, in the place of it."""


def blob_of_text(text: str) -> str:
    """Return the blob of reasoning that nobody signed."""
    return _packed({"k": TEXT, "t": text})


def blob_of_summary(text: str) -> str:
    """Return the blob of a conversation's summary."""
    return _packed({"k": SUMMARY, "t": text})


def summary_in(blob: Any) -> str | None:
    """Return the summary in a blob, None where there is none of ours."""
    match _content(blob) if isinstance(blob, str) else None:
        case {"k": "summary", "t": str(text)}:
            return f"Summary of the conversation so far:\n{text}"
    return None


def blob_of_block(block: JSON) -> str:
    """Return the blob of a thinking block, as the hub's `thinking_blocks` have it."""
    if block.get("type") == "redacted_thinking":
        return _packed({"k": REDACTED, "d": block.get("data", "")})
    text, signature = block.get("thinking", ""), block.get("signature", "")
    return _packed({"k": SIGNED, "t": text, "s": signature})


def unpacked(blob: Any) -> JSON | None:
    """Return the thinking block in a blob, or ``{"type": "text", "text": ...}``.

    None for what is not ours, was cut, or inflates beyond all measure.
    """
    content = _content(blob) if isinstance(blob, str) else None
    match content:
        case {"k": "signed", "t": str(text), "s": str(signature)}:
            return {"type": "thinking", "thinking": text, "signature": signature}
        case {"k": "redacted", "d": str(data)}:
            return {"type": "redacted_thinking", "data": data}
        case {"k": "text", "t": str(text)}:
            return {"type": "text", "text": text}
        case _:
            return None


def _packed(content: JSON) -> str:
    deflated = zlib.compress(jsontext.encode(content), 6)
    middle = urlsafe_b64encode(deflated).rstrip(b"=").decode()
    return f"{OWN}.{middle}.{_check(middle)}"


def _check(middle: str) -> str:
    return sha256(middle.encode()).hexdigest()[:_CHECK_DIGITS]


def _content(blob: str) -> Any:
    """Return what was packed, None where that cannot be told."""
    own, _, rest = blob.partition(".")
    middle, _, check = rest.rpartition(".")
    if own != OWN or not middle.isascii() or check != _check(middle):
        return None
    try:
        deflated = urlsafe_b64decode(middle + "=" * (-len(middle) % 4))
        inflate = zlib.decompressobj()
        content = inflate.decompress(deflated, LARGEST)
        if inflate.unconsumed_tail or not inflate.eof:
            return None
        return jsontext.decode(content)
    except (binascii.Error, zlib.error, *jsontext.JSONError):
        return None
