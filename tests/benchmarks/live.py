"""What a gateway adds to each token of many live streams.

The upstream stamps every token with the monotonic clock; what stands between the stamp
and its arrival here is the delay. The same straight to the upstream says how much of it
is this side's own.
"""

import asyncio
import re
import time
from typing import Any, NamedTuple

import uvloop

from tests.benchmarks.rows import Row
from tests.benchmarks.targets import Target

SECONDS = 60.0
_STAMP = re.compile(rb"t=(\d+) ")
_ENDS = (b"[DONE]", b"message_stop")
_LONGEST = 40


class Live(NamedTuple):
    """Delays of tokens in milliseconds, and how many streams ended as they should."""

    p50: float
    p99: float
    most: float
    ended: int
    streams: int

    def __str__(self) -> str:
        failed = self.streams - self.ended
        lost = f" ({failed} failed)" if failed else ""
        return f"{self.p50:.1f} / {self.p99:.1f}{lost}"


def measure(target: Target, row: Row, streams: int) -> Live:
    """Open streams at once and read them to their end."""
    delays, ended = uvloop.run(_streams(target.port, target.request(row), streams))
    delays.sort()
    if not delays:
        return Live(0, 0, 0, ended, streams)
    at = [delays[min(int(s * len(delays)), len(delays) - 1)] for s in (0.5, 0.99, 1)]
    return Live(at[0] / 1e6, at[1] / 1e6, at[2] / 1e6, ended, streams)


async def _streams(port: int, request: bytes, count: int) -> tuple[list[int], int]:
    loop = asyncio.get_running_loop()
    delays: list[int] = []
    streams = [_Stream(request, delays) for _ in range(count)]
    opening = [
        loop.create_connection(lambda stream=stream: stream, "127.0.0.1", port)  # type: ignore[misc]
        for stream in streams
    ]
    await asyncio.gather(*opening, return_exceptions=True)
    done = [stream.done for stream in streams]
    await asyncio.wait(done, timeout=SECONDS)
    return delays, sum(each.done() and each.result() for each in done)


class _Stream(asyncio.Protocol):
    """One stream; `done` tells whether it came to its end."""

    def __init__(self, request: bytes, delays: list[int]) -> None:
        self.done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._request = request
        self._delays = delays
        self._rest = b""
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask."""
        self._transport = transport
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Note when each token came."""
        now = time.monotonic_ns()
        text = self._rest + data
        end = 0
        for stamp in _STAMP.finditer(text):
            self._delays.append(now - int(stamp.group(1)))
            end = stamp.end()
        self._rest = text[end:][-_LONGEST:]
        if any(mark in text[end:] for mark in _ENDS):
            self._finish(True)

    def connection_lost(self, exc: Exception | None) -> None:
        """Count what breaks off as failed."""
        self._finish(False)

    def _finish(self, well: bool) -> None:
        if not self.done.done():
            self.done.set_result(well)
            self._transport.close()
