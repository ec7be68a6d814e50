"""A forward proxy that works, or fails as it is told, and notes what it was asked for.

    with ForwardProxy() as proxy:
        ...call through proxy.url...
        assert proxy.asked == ["CONNECT model.test:443"]

It connects to 127.0.0.1 whatever the name, at the port that was asked for.
"""

import asyncio
import base64
import contextlib
from collections.abc import Callable
from types import TracebackType

from tests.loopback import LoopThread


class ForwardProxy:
    """One proxy on a port of its own; enter it to start, leave it to stop.

    `refusal` is a status that everybody is answered, `says` bytes in place of any
    answer; a `mute` one says nothing. With `user` it wants name and password.
    """

    def __init__(
        self,
        *,
        user: str = "",
        refusal: int = 0,
        says: bytes = b"",
        mute: bool = False,
    ) -> None:
        self.asked: list[str] = []
        self.heads: list[bytes] = []
        self.port = 0
        self._user = user
        self._refusal = refusal
        self._says = says
        self._mute = mute
        self._thread = LoopThread(self._serve)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> "ForwardProxy":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._thread.stop()

    async def _serve(
        self, is_ready: Callable[[], None], stopped: asyncio.Event
    ) -> None:
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        is_ready()
        await stopped.wait()
        server.close()

    async def _accept(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await self._answer(reader, writer)
        writer.close()

    async def _answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        method, target, _ = head.partition(b"\r\n")[0].decode().split(" ")
        self.asked.append(f"{method} {target}")
        self.heads.append(head)
        if self._mute:
            await reader.read()
            return
        status = self._refusal or self._refused(head)
        if self._says or status:
            writer.write(self._says or _status(status))
            await writer.drain()
            return
        is_tunnel = method == "CONNECT"
        port = target.rpartition(":")[2].partition("/")[0]
        there = await asyncio.open_connection("127.0.0.1", int(port))
        if is_tunnel:
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            path = "/" + target.partition("://")[2].partition("/")[2]
            there[1].write(head.replace(target.encode(), path.encode(), 1))
        await asyncio.gather(_copy(reader, there[1]), _copy(there[0], writer))

    def _refused(self, head: bytes) -> int:
        if not self._user:
            return 0
        word = base64.b64encode(self._user.encode())
        return 0 if b"proxy-authorization: Basic " + word + b"\r\n" in head else 407


def _status(status: int) -> bytes:
    return b"HTTP/1.1 %d No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n" % status


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
