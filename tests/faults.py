"""An upstream that misbehaves on demand, and counts what it saw.

    with FaultServer() as upstream:
        ...call upstream.url + "/reset"...
        assert len(upstream.requests) == 1

The fault is named by the request header ``x-fault`` or else by the last part of the
path; `FAULTS` lists them. Anything else is answered with `upstream.answer`, or with
what `upstream.answers` holds for its path. It runs in a thread of its own, so that
ordinary and asynchronous tests and other processes can call it.
"""

import asyncio
import contextlib
import gzip
import json
import socket
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from types import TracebackType
from typing import Any

from tests import loopback
from tests.loopback import LoopThread

CHUNK = {
    "id": "chatcmpl-fault",
    "object": "chat.completion.chunk",
    "created": 1700000000,
    "model": "gpt-4o-mini",
    "choices": [{"index": 0, "delta": {"content": "word "}, "finish_reason": None}],
}
EVENT = b"data: " + json.dumps(CHUNK).encode() + b"\n\n"
COMPLETION = {
    "id": "chatcmpl-fault",
    "object": "chat.completion",
    "created": 1700000000,
    "model": "gpt-4o-mini",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hello."},
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7},
}


@dataclass(kw_only=True)
class Received(loopback.Received):
    """One request, and the number of the connection on which it came."""

    connection: int


@dataclass
class Answer:
    """A well-formed answer."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)


def json_answer(value: Any, status: int = 200, **headers: str) -> Answer:
    """Return an answer with a JSON body; underscores in header names become hyphens."""
    named = {k.replace("_", "-"): v for k, v in headers.items()}
    return Answer(
        status,
        json.dumps(value).encode(),
        {"content-type": "application/json", **named},
    )


Fault = Callable[["FaultServer", Received, asyncio.StreamWriter], Awaitable[None]]


class FaultServer:
    """One upstream on a port of its own; enter it to start, leave it to stop.

    `mute` accepts connections, reads slowly and never answers. `delay` holds back every
    answer by so many seconds. `tls` is an ssl.SSLContext for an https upstream.
    """

    def __init__(
        self, *, mute: bool = False, delay: float = 0, tls: Any = None
    ) -> None:
        self.mute = mute
        self.delay = delay
        self.tls = tls
        self.requests: list[Received] = []
        self.connections = 0
        self.open = 0
        self.answer: Answer | Callable[[Received], Answer] = json_answer(COMPLETION)
        self.answers: dict[str, Answer | Callable[[Received], Answer]] = {}
        self.port = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self._thread = LoopThread(self._serve)

    @property
    def url(self) -> str:
        """The server's origin."""
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> "FaultServer":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._thread.stop()

    def wait_until(
        self, claim: Callable[[], bool], seconds: float = loopback.PATIENCE
    ) -> bool:
        """Wait until `claim` holds; tell whether it came to hold in time."""
        return loopback.wait_until(claim, seconds)

    async def closed(self, seconds: float = 30) -> bool:
        """Tell whether every connection is closed in time, letting the loop run."""
        return await asyncio.to_thread(self.wait_until, lambda: self.open == 0, seconds)

    async def _serve(
        self, is_ready: Callable[[], None], stopped: asyncio.Event
    ) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda loop, context: None)
        tasks: set[asyncio.Task[None]] = set()

        def accept(reader: _Reader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.ensure_future(self._connection(reader, writer))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        limit = 1 << 16 if self.mute else 1 << 26
        server = await loop.create_server(
            lambda: asyncio.StreamReaderProtocol(_Reader(limit, loop), accept),
            "127.0.0.1",
            0,
            ssl=self.tls,
            backlog=2048,
        )
        self.port = server.sockets[0].getsockname()[1]
        is_ready()
        await stopped.wait()
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # A close waits for a client to read what it will not read any more.
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.sleep(0)

    async def _connection(
        self, reader: "_Reader", writer: asyncio.StreamWriter
    ) -> None:
        self.connections += 1
        self.open += 1
        number = self.connections
        self._writers.add(writer)
        try:
            if self.mute:
                while await reader.read(1 << 17):
                    await asyncio.sleep(0.01)
                return
            while True:
                received = await _read_request(reader, number)
                if received is None:
                    return
                self.requests.append(received)
                if self.delay:
                    await asyncio.sleep(self.delay)
                # A client that leaves meanwhile ends the answer, as in a real server.
                answering = asyncio.ensure_future(self._respond(received, writer))
                leaving = asyncio.ensure_future(reader.left.wait())
                await asyncio.wait(
                    {answering, leaving}, return_when=asyncio.FIRST_COMPLETED
                )
                if not answering.done():
                    answering.cancel()
                    return
                leaving.cancel()
                await asyncio.gather(leaving, return_exceptions=True)
                if answering.exception() or writer.is_closing():
                    return
        except ConnectionError:
            return
        finally:
            self.open -= 1
            writer.close()
            if writer.transport.get_write_buffer_size() == 0:
                self._writers.discard(writer)

    async def _respond(self, request: Received, writer: asyncio.StreamWriter) -> None:
        path = request.target.partition("?")[0]
        name = request.header("x-fault") or path.rsplit("/", 1)[-1]
        fault = FAULTS.get(name)
        if fault is not None and path not in self.answers:
            await fault(self, request, writer)
            return
        chosen = self.answers.get(path, self.answer)
        answer = chosen if isinstance(chosen, Answer) else chosen(request)
        write(writer, answer)
        await writer.drain()


class _Reader(asyncio.StreamReader):
    """A reader that tells when the client has left, whatever is still unread."""

    def __init__(self, limit: int, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(limit, loop)
        self.left = asyncio.Event()

    def feed_eof(self) -> None:
        super().feed_eof()
        self.left.set()

    def set_exception(self, exc: BaseException) -> None:
        super().set_exception(exc)  # type: ignore[arg-type]
        self.left.set()


async def _read_request(reader: asyncio.StreamReader, number: int) -> Received | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.rstrip("\r\n").split("\r\n")
    method, target, _ = first.split(" ")
    headers = [
        (name.strip().lower(), value.strip())
        for name, _, value in (line.partition(":") for line in lines)
    ]
    length = int(dict(headers).get("content-length", "0"))
    body = await reader.readexactly(length)
    return Received(method, target, headers, body, connection=number)


def write(writer: asyncio.StreamWriter, answer: Answer) -> None:
    """Write a whole, well-formed answer."""
    headers = {"content-length": str(len(answer.body)), **answer.headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    writer.write(f"HTTP/1.1 {answer.status} X\r\n{lines}\r\n".encode() + answer.body)


def _start_stream(writer: asyncio.StreamWriter) -> None:
    writer.write(
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
        b"transfer-encoding: chunked\r\n\r\n"
    )


def _chunk(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(b"%x\r\n%b\r\n" % (len(data), data))


async def _reset(
    server: FaultServer, request: Received, writer: asyncio.StreamWriter
) -> None:
    """Reset before any byte, or after ``x-after`` bytes of a body of 1,000."""
    after = request.header("x-after")
    if after is not None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
        writer.write(b"x" * int(after))
        await writer.drain()
        await asyncio.sleep(0.02)
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    writer.transport.abort()


async def _hang_up(
    server: FaultServer, request: Received, writer: asyncio.StreamWriter
) -> None:
    """Close without a word."""
    writer.close()


async def _stall(
    server: FaultServer, request: Received, writer: asyncio.StreamWriter
) -> None:
    """Take the request and never answer."""
    await asyncio.sleep(3600)


async def _silence(
    server: FaultServer, request: Received, writer: asyncio.StreamWriter
) -> None:
    """Start a stream, send two events and then nothing more."""
    _start_stream(writer)
    _chunk(writer, EVENT)
    _chunk(writer, EVENT)
    await writer.drain()
    await asyncio.sleep(3600)


async def _stream(
    server: FaultServer, request: Received, writer: asyncio.StreamWriter
) -> None:
    """A good stream: ``x-events`` events (3), one each ``x-interval`` seconds (0)."""
    interval = float(request.header("x-interval") or 0)
    _start_stream(writer)
    for _ in range(int(request.header("x-events") or 3)):
        _chunk(writer, EVENT)
        if interval:
            await writer.drain()
            await asyncio.sleep(interval)
    _chunk(writer, b"data: [DONE]\n\n")
    writer.write(b"0\r\n\r\n")
    await writer.drain()


async def _echo_in_stream(
    server: FaultServer, request: Received, writer: asyncio.StreamWriter
) -> None:
    """A stream that says our own credential letter by letter, in reads of 90 bytes."""
    words = ["word "] * 12
    whole = b""
    for text in [*words, *(request.header("authorization") or ""), *words]:
        choice = {**CHUNK["choices"][0], "delta": {"content": text}}
        whole += b"data: %b\n\n" % json.dumps({**CHUNK, "choices": [choice]}).encode()
    whole += b"data: [DONE]\n\n"
    _start_stream(writer)
    for at in range(0, len(whole), 90):
        _chunk(writer, whole[at : at + 90])
        await writer.drain()
        await asyncio.sleep(0.001)
    writer.write(b"0\r\n\r\n")
    await writer.drain()


async def _drip(
    server: FaultServer, request: Received, writer: asyncio.StreamWriter
) -> None:
    """A whole completion, one byte each ``x-interval`` seconds (0.001)."""
    interval = float(request.header("x-interval") or 0.001)
    body = json.dumps(COMPLETION).encode()
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n")
    writer.write(b"content-length: %d\r\n\r\n" % len(body))
    for byte in body:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(interval)


async def _drip_head(
    server: FaultServer, request: Received, writer: asyncio.StreamWriter
) -> None:
    """The head of an answer, one byte each ``x-interval`` seconds (0.001)."""
    for byte in b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}":
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(float(request.header("x-interval") or 0.001))


async def _cut(
    server: FaultServer, request: Received, writer: asyncio.StreamWriter
) -> None:
    """A stream that ends in the middle, without the last chunk."""
    _start_stream(writer)
    _chunk(writer, EVENT)
    await writer.drain()
    writer.close()


async def _no_end_marker(
    server: FaultServer, request: Received, writer: asyncio.StreamWriter
) -> None:
    """A stream whose HTTP framing is complete but whose last event is missing."""
    _start_stream(writer)
    _chunk(writer, EVENT)
    writer.write(b"0\r\n\r\n")
    await writer.drain()


async def _error_in_stream(
    server: FaultServer, request: Received, writer: asyncio.StreamWriter
) -> None:
    """One event, then an error object inside the 200 stream."""
    error = {"error": {"message": "The model is overloaded.", "type": "server_error"}}
    _start_stream(writer)
    _chunk(writer, EVENT)
    _chunk(writer, b"data: " + json.dumps(error).encode() + b"\n\n")
    writer.write(b"0\r\n\r\n")
    await writer.drain()


async def _short(
    server: FaultServer, request: Received, writer: asyncio.StreamWriter
) -> None:
    """Fewer bytes than announced."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{}")
    await writer.drain()
    writer.close()


async def _endless_headers(
    server: FaultServer, request: Received, writer: asyncio.StreamWriter
) -> None:
    """Header lines without end."""
    writer.write(b"HTTP/1.1 200 OK\r\n")
    for number in range(1_000_000):
        writer.write(b"x-%d: %b\r\n" % (number, b"y" * 1000))
        await writer.drain()


async def _long_line(
    server: FaultServer, request: Received, writer: asyncio.StreamWriter
) -> None:
    """One event of 10 MB."""
    _start_stream(writer)
    _chunk(writer, b"data: ")
    for _ in range(160):
        _chunk(writer, b"x" * 65536)
        await writer.drain()
    writer.write(b"0\r\n\r\n")


async def _huge(
    server: FaultServer, request: Received, writer: asyncio.StreamWriter
) -> None:
    """A body of 70 MiB."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n")
    writer.write(b"content-length: %d\r\n\r\n" % (70 << 20))
    for _ in range(1120):
        writer.write(b" " * 65536)
        await writer.drain()


def _raw(data: bytes, *, close: bool = True) -> Fault:
    async def fault(
        server: FaultServer, request: Received, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(data)
        await writer.drain()
        if close:
            writer.close()

    return fault


def _answering(make: Callable[["FaultServer", Received], Answer]) -> Fault:
    async def fault(
        server: FaultServer, request: Received, writer: asyncio.StreamWriter
    ) -> None:
        write(writer, make(server, request))
        await writer.drain()

    return fault


@cache
def _bomb() -> bytes:
    """Return 64 KiB that become 64 MiB; made once, which takes half a second."""
    return gzip.compress(b" " * (64 << 20))


def _unauthorized_once(server: FaultServer, request: Received) -> Answer:
    seen = sum(r.target == request.target for r in server.requests)
    if seen > 1:
        return json_answer(COMPLETION)
    return json_answer({"error": {"message": "Invalid token."}}, 401)


def _echo(server: FaultServer, request: Received) -> Answer:
    """Our own headers back, in a header, and in an error's text."""
    seen = ", ".join(f"{k}={v}" for k, v in request.headers)
    body = {"error": {"message": f"Incorrect key provided: {seen}"}}
    return json_answer(body, 401, x_echo=request.header("authorization") or "")


FAULTS: dict[str, Fault] = {
    "reset": _reset,
    "hang-up": _hang_up,
    "stall": _stall,
    "silence": _silence,
    "stream": _stream,
    "echo-in-stream": _echo_in_stream,
    "drip": _drip,
    "drip-head": _drip_head,
    "cut": _cut,
    "no-end-marker": _no_end_marker,
    "error-in-stream": _error_in_stream,
    "short": _short,
    "endless-headers": _endless_headers,
    "long-line": _long_line,
    "huge": _huge,
    "garbage": _raw(b"\x00\xffnot http at all\r\n\r\n" * 4),
    "garbage-chunk": _raw(
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
        b"4\r\ndata\r\nzz\r\nnot a chunk\r\n"
    ),
    "half-json": _answering(lambda s, r: Answer(200, b'{"id": "chatcmpl-1", "cho')),
    "html": _answering(
        lambda s, r: Answer(200, b"<html>Log in</html>", {"content-type": "text/html"})
    ),
    "empty": _answering(lambda s, r: Answer(200, b"")),
    "no-content": _raw(b"HTTP/1.1 204 No Content\r\n\r\n", close=False),
    "switch": _raw(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n"),
    "gzip-bomb": _answering(
        lambda s, r: Answer(200, _bomb(), {"content-encoding": "gzip"})
    ),
    "redirect": _answering(
        lambda s, r: Answer(302, b"", {"location": f"{s.url}/elsewhere"})
    ),
    "cookie": _answering(
        lambda s, r: Answer(200, b"{}", {"set-cookie": "session=abc; Path=/"})
    ),
    "skewed": _answering(
        lambda s, r: json_answer({}, date="Mon, 01 Jan 2024 00:00:00 GMT")
    ),
    "rate-limited": _answering(
        lambda s, r: json_answer(
            {"error": {"message": "Slow down."}}, 429, retry_after="7"
        )
    ),
    "unauthorized": _answering(
        lambda s, r: json_answer({"error": {"message": "Invalid key."}}, 401)
    ),
    "unauthorized-once": _answering(_unauthorized_once),
    "overloaded": _answering(
        lambda s, r: json_answer({"error": {"message": "Overloaded."}}, 503)
    ),
    "echo": _answering(_echo),
}


@contextlib.contextmanager
def refused_port() -> Iterator[int]:
    """A port of 127.0.0.1 that refuses connections while the context is open."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))  # bound but not listening
        yield holder.getsockname()[1]
