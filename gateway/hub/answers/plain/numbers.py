"""Numbered events: what stands between two texts of them, made once for all streams."""

from collections.abc import Iterator
from functools import lru_cache

_KEPT, _LONGEST = 1024, 256
"""Up to here numbers are kept behind a text, and texts: 0.3 MB, eight times at most.

Nearly all streams number their events from 0.
"""


def written(first: int, count: int) -> list[bytes]:
    """Return so many numbers from the `first` on, as bytes."""
    return numbered(b"", first, count)


def numbered(text: bytes, first: int, count: int) -> list[bytes]:
    """Return `text` with a number behind it, for so many numbers from the `first` on.

    Of one stream's events it is mostly the same as of the last one's.
    """
    end = first + count
    if end > _KEPT or len(text) > _LONGEST:
        return [b"%b%d" % (text, number) for number in range(first, end)]
    known = _known(text)
    if len(known) < end:
        known += [b"%b%d" % (text, number) for number in range(len(known), end)]
    return known[first:end]


def as_long(first: int, count: int) -> Iterator[tuple[int, int]]:
    """Yield how many digits so many numbers have, and how many of them that many.

    >>> list(as_long(8, 4))
    [(1, 2), (2, 2)]
    """
    while count > 0:
        digits = len(str(first))
        many = min(count, 10**digits - first)
        yield digits, many
        first, count = first + many, count - many


@lru_cache(maxsize=8)
def _known(text: bytes) -> list[bytes]:
    return []
