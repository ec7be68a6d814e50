"""Events of a streamed response, numbered without a gap.

``type`` stands in the event's name and in its data: some clients read the one, some the
other. https://platform.openai.com/docs/api-reference/responses-streaming
"""

from functools import lru_cache
from operator import add

from gateway.hub.answers.plain.numbers import numbered
from gateway.hub.protocol import JSON
from gateway.wire import jsontext

DONE = b"data: [DONE]\n\n"


class Frames:
    """Writes the events of one stream, from a `number` on."""

    def __init__(self, number: int = 0) -> None:
        self._out: list[bytes] = []
        self._number = number

    def add(self, type: str, fields: JSON) -> None:
        """Write an event with these fields."""
        rest = b"," + jsontext.encode(fields)[1:] if fields else b"}"
        self.add_encoded(opening(type), rest)

    def add_encoded(self, opening: bytes, rest: bytes) -> None:
        """Write an event from its `opening` and its fields as JSON, from a comma on.

        Nearly every event is a piece of text: all but the piece is encoded once.
        """
        self._out.append(b"%b%d%b\n\n" % (opening, self._number, rest))
        self._number += 1

    def add_each(
        self, opening: bytes, before: bytes, values: list[bytes], after: bytes
    ) -> None:
        """Write an event for each of `values`, with what stands around them in it.

        As `add_encoded` would, but that all are made at once.
        """
        if len(values) == 1:
            self.add_encoded(opening, b"".join((before, values[0], after)))
            return
        end, begin = after + b"\n\n", b"%b%d" % (opening, self._number)
        between = numbered(end + opening, self._number + 1, len(values) - 1)
        # Put together by C alone: a format for each took a tenth of a stream.
        pieces = [begin, *map(add, values, between), values[-1] + end]
        self._out.append(before.join(pieces))
        self._number += len(values)

    def take(self) -> bytes:
        """Return what was written since the last call."""
        out, self._out = self._out, []
        return b"".join(out)


@lru_cache(maxsize=64)
def opening(type: str) -> bytes:
    """Return the beginning of an event of a type, up to its number."""
    name = type.encode()
    return b'event: %b\ndata: {"type":"%b","sequence_number":' % (name, name)
