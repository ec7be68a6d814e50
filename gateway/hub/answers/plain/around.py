"""What the plain events of one stream have in common."""

from typing import NamedTuple

from gateway.hub.protocol import JSON

BLANK = b"\n\n"
"""What ends an event."""


class Around(NamedTuple):
    """What is around the strings of one stream's plain events.

    In the `payload` that came behind `begin`, and in the `frame` that leaves. `chunk`
    is what one of them was translated to, and `name` the field that their text adds to.
    A piece without text is told as well where the stream `tells_empty`.
    """

    begin: bytes
    payload: list[bytes]
    frame: list[bytes]
    chunk: JSON
    name: object
    tells_empty: bool

    def quoted_event(self) -> list[bytes]:
        """Return what is around the letters of a string in a whole event."""
        first, *between, last = self.payload
        return with_quotes([self.begin + first, *between, last + BLANK])


def with_quotes(around: list[bytes]) -> list[bytes]:
    """Return what is around some strings, with the quotes that these have."""
    first, *between, last = around
    return [first + b'"', *(b'"%b"' % each for each in between), b'"' + last]
