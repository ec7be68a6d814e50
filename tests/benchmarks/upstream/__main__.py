"""An upstream that costs little: `python -m tests.benchmarks.upstream PORT`.

One asyncio protocol on uvloop that looks for a request's end and no further, so that
one core beside the measured one is enough for it and the load. What the model is called
and whether a stream is asked for decides on how it answers.
"""

import asyncio
import random
import re
import sys
import time
from typing import Any

import uvloop

from tests.benchmarks.upstream import LIVE, LIVE_TOKENS, SMALL, TOKENS_A_SECOND
from tests.benchmarks.upstream.answers import STREAMED, WHOLE, live

PIECE_BYTES = 200
PIECE_SECONDS = 0.005
"""Between two pieces: shorter, and a slow gateway would read several at once."""

_LENGTH = re.compile(rb"content-length: *(\d+)", re.I)
_STREAM = re.compile(rb'"stream" *: *true')
_MODEL = re.compile(rb'"model" *: *"([^"]*)"')


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


_LAST = b"0\r\n\r\n"
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\n"
_STREAM_HEAD = _HEAD % b"text/event-stream" + b"Transfer-Encoding: chunked\r\n\r\n"
_ABSENT = b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}"
_WHOLE = {
    path.encode(): _HEAD % b"application/json"
    + b"Content-Length: %d\r\n\r\n%b" % (len(body.encode()), body.encode())
    for path, body in WHOLE.items()
}
_AT_ONCE = {
    path.encode(): _STREAM_HEAD + _chunk(text.encode()) + _LAST
    for path, text in STREAMED.items()
}
_SMALL = {
    path.encode(): [
        _chunk(text.encode()[at : at + PIECE_BYTES])
        for at in range(0, len(text.encode()), PIECE_BYTES)
    ]
    for path, text in STREAMED.items()
}
_LIVE = {path.encode(): live(path) for path in STREAMED}


class Upstream(asyncio.Protocol):
    """One connection; requests come one after the other."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._received = bytearray()
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what to answer on."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer once a request is there in full."""
        self._received += data
        end = self._received.find(b"\r\n\r\n") + 4
        if end < 4:
            return
        length = _LENGTH.search(self._received, 0, end)
        whole = end + int(length.group(1)) if length else end
        if len(self._received) < whole:
            return
        request, self._received = self._received, self._received[whole:]
        self._answer(bytes(request.split(b" ", 2)[1]), request)

    def _answer(self, path: bytes, request: bytearray) -> None:
        if not _STREAM.search(request):
            self._transport.write(_WHOLE.get(path, _ABSENT))
            return
        found = _MODEL.search(request)
        model = found.group(1) if found else b""
        if model.endswith(SMALL.encode()):
            self._transport.write(_STREAM_HEAD)
            self._send_small(_SMALL[path], 0)
        elif model.endswith(LIVE.encode()):
            self._begin_live(path)
        else:
            self._transport.write(_AT_ONCE[path])

    def _send_small(self, pieces: list[bytes], place: int) -> None:
        if self._transport.is_closing():
            return
        if place == len(pieces):
            self._transport.write(_LAST)
            return
        self._transport.write(pieces[place])
        self._loop.call_later(PIECE_SECONDS, self._send_small, pieces, place + 1)

    def _begin_live(self, path: bytes) -> None:
        self._transport.write(_STREAM_HEAD + _chunk(_LIVE[path][0].encode()))
        # Streams are spread over the time between two tokens, as they are in life.
        first = self._loop.time() + random.random() / TOKENS_A_SECOND
        self._loop.call_at(first, self._send_live, path, first, 0)

    def _send_live(self, path: bytes, due: float, sent: int) -> None:
        if self._transport.is_closing():
            return
        if sent == LIVE_TOKENS:
            self._transport.write(_chunk(_LIVE[path][2].encode()) + _LAST)
            return
        event = _LIVE[path][1](f"t={time.monotonic_ns()} ")
        self._transport.write(_chunk(event.encode()))
        due += 1 / TOKENS_A_SECOND
        self._loop.call_at(due, self._send_live, path, due, sent + 1)


async def serve(port: int) -> None:
    """Serve until the process is ended."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Upstream, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
