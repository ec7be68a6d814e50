"""Events of a streamed message as they stand in the stream."""

from collections.abc import Iterable

from gateway.wire.jsontext import JSON, encode

PING: JSON = {"type": "ping"}


def framed(events: Iterable[JSON]) -> bytes:
    """Return events as frames: who reads them goes by the line that names them."""
    return b"".join(
        [
            b"event: %b\ndata: %b\n\n" % (event["type"].encode(), encode(event))
            for event in events
        ]
    )


KEEP_ALIVE = framed([PING])
