"""Asks a server as fast as it answers, and sees every call to its end.

Some connections of one process, each with one call at a time. Calls that are open when
the time is over are waited for and counted: cut off, as load generators do it, they
would be work that nobody is charged with.
"""

import asyncio
import itertools
import re
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import uvloop

PATIENCE_SECONDS = 60.0
"""How long is waited for calls that are open when the time is over."""

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.I)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.I)
_LAST = b"\r\n0\r\n\r\n"


class Asked(NamedTuple):
    """What came of it: calls that were answered, those of them that failed, times.

    `p50` and `p99` are milliseconds.
    """

    calls: int
    errors: int
    seconds: float
    p50: float
    p99: float


def request(path: str, body: bytes, headers: dict[str, str]) -> bytes:
    """Return a POST as it goes over the wire."""
    told = {**headers, "Content-Length": str(len(body))}
    lines = [f"POST {path} HTTP/1.1", *(f"{k}: {v}" for k, v in told.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


def ask(
    port: int,
    requests: Sequence[bytes],
    connections: int,
    *,
    seconds: float = float("inf"),
    calls: float = float("inf"),
) -> Asked:
    """Send requests in turn until the time is over or so many are sent."""
    return uvloop.run(_asked(_Load(port, requests, seconds, calls), connections))


async def _asked(load: "_Load", connections: int) -> Asked:
    began = time.monotonic()
    load.is_done = asyncio.get_running_loop().create_future()
    load.ends_at = began + load.seconds
    for _ in range(connections):
        load.connect()
    limit = None if load.seconds == float("inf") else load.seconds + PATIENCE_SECONDS
    await asyncio.wait([load.is_done], timeout=limit)
    errors = load.errors + len(load.open)
    times = sorted(load.times) or [0.0]
    p50, p99 = (times[int(share * (len(times) - 1))] * 1000 for share in (0.5, 0.99))
    return Asked(len(load.times), errors, time.monotonic() - began, p50, p99)


class _Load:
    """What all connections share: what to send, until when, and what came back."""

    def __init__(
        self, port: int, requests: Sequence[bytes], seconds: float, calls: float
    ) -> None:
        self.seconds = seconds
        self.ends_at = 0.0
        self.errors = 0
        self.times: list[float] = []
        self.open: set[_Connection] = set()
        self.is_done: asyncio.Future[None]
        self._port = port
        self._requests = itertools.cycle(requests)
        self._left = calls

    @property
    def is_over(self) -> bool:
        """Whether nothing more is to be sent."""
        return self._left <= 0 or time.monotonic() >= self.ends_at

    def connect(self) -> None:
        """Open one more connection, which asks at once."""
        connection = _Connection(self)
        self.open.add(connection)
        asyncio.get_running_loop().create_task(self._connect(connection))

    async def _connect(self, connection: "_Connection") -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(lambda: connection, "127.0.0.1", self._port)
        except OSError:
            self.errors += 1
            self._forget(connection)

    def next(self) -> bytes:
        """Return the next request."""
        self._left -= 1
        return next(self._requests)

    def lost(self, connection: "_Connection", *, is_asking: bool) -> None:
        """Count what broke off as failed, and go on with another connection."""
        self.errors += is_asking
        if not self.is_over:
            self.connect()
        self._forget(connection)

    def _forget(self, connection: "_Connection") -> None:
        self.open.discard(connection)
        if not self.open and not self.is_done.done():
            self.is_done.set_result(None)


class _Connection(asyncio.Protocol):
    """Asks, reads the answer to its end, and asks again."""

    def __init__(self, load: _Load) -> None:
        self._load = load
        self._transport: Any = None
        self._began = 0.0
        self._is_asking = False
        self._received = b""
        self._left: int | None = None
        self._is_chunked = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask."""
        self._transport = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        """Count an answer once it is there in full."""
        if self._left is not None:
            self._left -= len(data)
        elif self._is_chunked:
            self._received = (self._received + data)[-len(_LAST) :]
        else:
            self._received += data
            self._read_head()
        if self._left == 0 or (self._is_chunked and self._received.endswith(_LAST)):
            self._load.times.append(time.monotonic() - self._began)
            self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell what became of it."""
        self._load.lost(self, is_asking=self._is_asking)

    def _ask(self) -> None:
        self._received, self._left, self._is_chunked = b"", None, False
        self._is_asking = not self._load.is_over
        if not self._is_asking:
            self._transport.close()
            return
        self._began = time.monotonic()
        self._transport.write(self._load.next())

    def _read_head(self) -> None:
        end = self._received.find(b"\r\n\r\n") + 2
        if end < 2:
            return
        head, rest = self._received[:end], self._received[end + 2 :]
        if not head.startswith(b"HTTP/1.1 200"):
            self._load.errors += 1
        self._is_chunked = _CHUNKED.search(head) is not None
        length = _LENGTH.search(head)
        if self._is_chunked:
            self._received = b"\r\n" + rest
        elif length:
            self._left = int(length.group(1)) - len(rest)
