"""Whole numbers as they are written, for streams that number their events from 0."""

_WRITTEN = [b"%d" % number for number in range(1024)]


def written(first: int, count: int) -> list[bytes]:
    """Return so many numbers from the `first` on, as bytes."""
    end = first + count
    if end <= len(_WRITTEN):
        return _WRITTEN[first:end]
    return [b"%d" % number for number in range(first, end)]
