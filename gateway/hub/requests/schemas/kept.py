"""What was made of a schema, kept: agents offer the same tools with every turn."""

from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

from gateway.hub.protocol import JSON
from gateway.wire.jsontext import decode, encode

_LONGEST = 16_384
"""Bytes of a schema up to which it is."""

Made = TypeVar("Made")


def kept(make: Callable[[JSON, str], Made]) -> Callable[[JSON, str], Made]:
    """Return `make` (of a schema and its `param`), which keeps what it returned.

    Nobody may change that.
    """

    @lru_cache(maxsize=512)
    def made(text: bytes, param: str) -> Made:
        return make(decode(text), param)

    def look_up(schema: JSON, param: str) -> Made:
        text = encode(schema)
        return make(schema, param) if len(text) > _LONGEST else made(text, param)

    return look_up
