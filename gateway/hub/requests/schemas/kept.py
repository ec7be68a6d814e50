"""What was made of a schema, kept: agents offer the same tools with every turn."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from gateway.hub.protocol import JSON
from gateway.wire.jsontext import encode

_LONGEST = 16_384
"""Bytes of a schema up to which it is."""

_MOST = 512 * 1024
_ENTRY = 1024
"""What an entry takes beside its text, about."""

Made = TypeVar("Made")


class Keep(Generic[Made]):
    """What was made of texts, by these and whatever else it depends on.

    It holds `most` bytes of texts, none of them above `longest`: who sends another one
    each time pushes out what came first, and makes it no larger.
    """

    def __init__(self, most: int, longest: int) -> None:
        self._most = most
        self._longest = longest
        self._made: dict[tuple[Any, ...], Made] = {}
        self._size = 0

    def find(self, key: tuple[Any, ...]) -> Made | None:
        """Return what is kept for `key`, which begins with a text."""
        return self._made.get(key)

    def add(self, key: tuple[Any, ...], made: Made) -> None:
        """Keep what was made; nobody may change it from now on."""
        if len(key[0]) > self._longest or key in self._made:
            return
        self._made[key] = made
        self._size += len(key[0]) + _ENTRY
        while self._size > self._most:
            oldest = next(iter(self._made))
            del self._made[oldest]
            self._size -= len(oldest[0]) + _ENTRY


def kept(make: Callable[[JSON, str], Made]) -> Callable[[JSON, str], Made]:
    """Return `make` (of a schema and its `param`), which keeps what it returned.

    Nobody may change that.
    """
    keep: Keep[Made] = Keep(_MOST, _LONGEST)

    def look_up(schema: JSON, param: str) -> Made:
        key = (encode(schema), param)
        made = keep.find(key)
        if made is None:
            made = make(schema, param)
            keep.add(key, made)
        return made

    return look_up
