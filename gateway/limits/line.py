"""One connection to Redis, with many questions under way at once.

redis-py takes a connection for each question and waits for its answer: 95 µs of CPU,
half of what a whole call takes. Here a question is one write and a line to read. What
a URL says (TLS, a password, a database, a socket file) stays redis-py's: it connects,
and what it has connected is used. https://redis.io/docs/latest/develop/reference/protocol-spec/
"""

import asyncio
from collections import deque
from contextlib import suppress
from typing import Any

from redis.asyncio import ConnectionPool
from redis.exceptions import ConnectionError as Broken
from redis.exceptions import NoScriptError, ReadOnlyError, RedisError, ResponseError

READ_BYTES = 65536
_NO_SCRIPT = b"-NOSCRIPT"
_READ_ONLY = b"-READONLY"


class Line:
    """Asks Redis what is answered in a line: a number, or OK.

    `seconds` is how long connecting may take.
    """

    def __init__(self, url: str, seconds: float) -> None:
        # RESP2 has no messages between the answers.
        self._pool: Any = ConnectionPool.from_url(
            url, protocol=2, socket_timeout=seconds, socket_connect_timeout=seconds
        )
        self._connection: Any = None
        self._writer: asyncio.StreamWriter | None = None
        self._waiting: deque[asyncio.Future[bytes]] = deque()
        self._reading: asyncio.Task[None] | None = None
        self._opening = asyncio.Lock()

    async def ask(self, *words: bytes) -> bytes:
        """Return Redis's answer; raises RedisError or OSError.

        A connection that broke meanwhile, as when Redis was restarted, is made anew,
        and so is one to a server that another has taken over from.
        """
        was_open = self._writer is not None
        try:
            return await self._ask(words)
        except (Broken, ReadOnlyError):
            if not was_open:
                raise
        return await self._ask(words)

    def drop(self) -> None:
        """Let go of a connection that does not answer; the next question makes one."""
        if self._reading is not None:
            self._reading.cancel()
        self._lose()

    async def aclose(self) -> None:
        """Close the connection."""
        reading, self._reading = self._reading, None
        self.drop()
        if reading is not None:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
        await self._pool.disconnect()

    async def _ask(self, words: tuple[bytes, ...]) -> bytes:
        writer = self._writer or await self._open()
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting.append(answer)
        writer.write(_encoded(words))
        return await answer

    async def _open(self) -> asyncio.StreamWriter:
        async with self._opening:
            writer = self._writer
            if writer is None:
                connection: Any = self._pool.make_connection()
                try:
                    await connection.connect()
                except BaseException:
                    connection._close()
                    raise
                self._connection = connection
                writer = self._writer = connection._writer
                self._reading = asyncio.create_task(self._read(connection._reader))
            return writer

    async def _read(self, reader: asyncio.StreamReader) -> None:
        """Hand each answer to whoever asked, in the order of the questions."""
        rest = b""
        with suppress(OSError):
            while data := await reader.read(READ_BYTES):
                *lines, rest = (rest + data).split(b"\r\n")
                for line in lines:
                    if line.startswith(_READ_ONLY):
                        return self._lose(ReadOnlyError, _text(line))
                    _answer(self._waiting.popleft(), line)
        self._lose()

    def _lose(
        self, why: type[RedisError] = Broken, text: str = "the connection was lost"
    ) -> None:
        """Tell all who wait that nobody answers any more."""
        self._reading = None
        if self._connection is not None:
            self._connection._close()
        self._connection = self._writer = None
        waiting, self._waiting = self._waiting, deque()
        for each in waiting:
            if not each.done():
                each.set_exception(why(text))


def _text(refusal: bytes) -> str:
    return refusal[1:].decode("latin-1")


def _encoded(words: tuple[bytes, ...]) -> bytes:
    told = b"".join([b"$%d\r\n%b\r\n" % (len(word), word) for word in words])
    return b"*%d\r\n%b" % (len(words), told)


def _answer(asked: asyncio.Future[bytes], line: bytes) -> None:
    """Give an answer to who waits for it, if they still do."""
    if asked.done():
        return
    if line[:1] != b"-":
        asked.set_result(line[1:])
    elif line.startswith(_NO_SCRIPT):
        asked.set_exception(NoScriptError(_text(line)))
    else:
        asked.set_exception(ResponseError(_text(line)))
