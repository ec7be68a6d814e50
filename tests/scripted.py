"""An upstream that says exactly the bytes it was told, and counts what it saw.

    async with Scripted([b"HTTP/1.1 204 No Content\\r\\n\\r\\n"]) as upstream:
        ...call upstream.url...
        assert upstream.connections == 1

It runs in the event loop of the test.
"""

import asyncio
import socket
import ssl
from collections.abc import Sequence
from types import TracebackType
from typing import Literal

PAUSE = 0.002
RESET = b"\1\0\0\0\0\0\0\0"  # SO_LINGER: on, for no time

End = Literal["stay", "close", "reset", "half", "unannounced"]

Said = bytes | Sequence[bytes]
"""Bytes, or several pieces of them with a pause in between."""


class Scripted:
    """Each connection answers its first request with the first of `answers`, and so on.

    When they are used up it does as `end` says: waits for the client to leave, closes,
    resets, closes its own direction alone, or that without a word of TLS.
    """

    def __init__(
        self,
        answers: Sequence[Said],
        end: End = "stay",
        *,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.requests = 0
        self.connections = 0
        self.open = 0
        self.port = 0
        self._answers = answers
        self._end = end
        self._tls = tls
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """The address of everything."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}/"

    async def __aenter__(self) -> "Scripted":
        self._server = await asyncio.start_server(
            self._accept, "127.0.0.1", 0, ssl=self._tls
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def closed(self, seconds: float = 30) -> bool:
        """Tell whether every connection is closed in time."""
        for _ in range(int(seconds / PAUSE)):
            if not self.open:
                return True
            await asyncio.sleep(PAUSE)
        return False

    async def _accept(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        self.open += 1
        try:
            await self._serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.open -= 1
            writer.transport.abort()
            self._tasks.discard(task)

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        for answer in self._answers:
            await _take_request(reader)
            self.requests += 1
            for piece in [answer] if isinstance(answer, bytes) else answer:
                writer.write(piece)
                await writer.drain()
                if not isinstance(answer, bytes):
                    await asyncio.sleep(PAUSE)
        await self._leave(reader, writer)

    async def _leave(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        match self._end:
            case "close":
                writer.close()
                await writer.wait_closed()
            case "reset":
                sock = writer.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            case "half":
                writer.write_eof()
                await reader.read()
            case "unannounced":
                writer.get_extra_info("socket").shutdown(socket.SHUT_WR)
                await reader.read()
            case "stay":
                while await reader.read(1 << 16):
                    pass


async def _take_request(reader: asyncio.StreamReader) -> None:
    """Read one request, its body included; raises asyncio.IncompleteReadError."""
    head = await reader.readuntil(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            await reader.readexactly(int(line.partition(b":")[2]))
