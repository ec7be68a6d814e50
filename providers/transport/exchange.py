"""One request and its answer over one connection: bytes out, bytes in, how it ends.

Written against aiohttp's connection and response parser, without the session above
them. What is relied on beyond aiohttp's documented interface: `set_response_params`,
`start_timeout`, `read_timeout`, `read` and `_on_read_timeout` of its client protocol,
that a connector makes its protocols by `_factory`, and that a `StreamReader` keeps what
has arrived in `_buffer`.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping

import aiohttp
import httpx
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import RawResponseMessage
from aiohttp.streams import EMPTY_PAYLOAD, StreamReader

from providers.transport import encodings
from providers.transport.deadline import Deadline, Overdue

READ_BUFFER = 1 << 16
MAX_INTERIM_RESPONSES = 8
# Proxies put cookies and policies of many kilobytes into their answers.
LONGEST_HEADER = 32 * 1024
# Below this size, one write of head and body is cheaper than two.
JOINED_WRITE = 1 << 16

# Of a body as the upstream sent it, not as it is read here.
_CODED = frozenset({b"content-encoding", b"content-length"})

# The head writes these itself: they frame the message, name the destination, or
# would make the upstream answer in a form that needs decoding.
OWN_HEADERS = frozenset(
    {
        b"host",
        b"content-length",
        b"transfer-encoding",
        b"connection",
        b"keep-alive",
        b"te",
        b"trailer",
        b"upgrade",
        b"expect",
        b"accept-encoding",
        b"cookie",
        b"proxy-authorization",
        b"proxy-connection",
    }
)


class NoAnswer(httpx.ReadError):
    """The connection ended before one byte of an answer.

    `reused` tells whether it had served another exchange: then it was most likely
    closed as idle while the request was under way. `seconds` is how long it lasted.
    """

    def __init__(self, reused: bool, seconds: float) -> None:
        super().__init__("The upstream closed the connection without an answer.")
        self.reused = reused
        self.seconds = seconds


class Listening(ResponseHandler):
    """aiohttp's protocol, which also tells whether anything has arrived."""

    heard = False

    def data_received(self, data: bytes) -> None:
        """Take in what the network delivered."""
        self.heard = True
        super().data_received(data)


async def perform(
    connection: Connection,
    method: str,
    lines: bytes,
    body: bytes,
    limits: Mapping[str, float | None],
    deadline: Deadline,
    keep_alive: bool,
) -> httpx.Response:
    """Send one request over `connection` and return its answer, the body unread.

    `lines` is the request's head, as `head` makes it. `limits` are seconds by
    ``first_byte`` and ``silence``, with ``read`` for either; `deadline` ends the whole,
    the body's reading included. Raises httpx.TransportError, `NoAnswer` among them; the
    connection is closed then, as it is on cancellation.
    """
    protocol = connection.protocol
    wire = protocol.transport if protocol is not None else None
    if protocol is None or wire is None:
        connection.close()
        raise httpx.ConnectError("The connection was lost before it was used.")
    assert isinstance(protocol, Listening)  # noqa: S101
    reused, protocol.heard = protocol.heard, False
    sent_at = time.monotonic()
    read = limits.get("read")
    silence = limits.get("silence", read)
    deadline.watch(protocol)
    try:
        _send(protocol, wire, method, lines, body, limits.get("first_byte", read))
        message, payload = await _final(protocol)
        if not payload.is_eof():
            protocol.read_timeout = silence
            protocol.start_timeout()
    except (aiohttp.ClientError, HttpProcessingError, OSError) as error:
        deadline.stop()
        _abort(connection)
        failure = _after_sending(error, protocol, deadline)
        if isinstance(failure, httpx.ReadError) and not protocol.heard:
            failure = NoAnswer(reused, time.monotonic() - sent_at)
        raise failure from error
    except BaseException:
        deadline.stop()
        _abort(connection)
        raise
    answer: httpx.AsyncByteStream = Body(connection, payload, deadline, keep_alive)
    headers = message.raw_headers
    if coding := message.headers.get("Content-Encoding"):
        answer = encodings.decoded(answer, coding)
        headers = tuple(each for each in headers if each[0].lower() not in _CODED)
    return httpx.Response(message.code, headers=headers, stream=answer)


def _send(
    protocol: ResponseHandler,
    wire: asyncio.Transport,
    method: str,
    lines: bytes,
    body: bytes,
    first_byte: float | None,
) -> None:
    """Write a request, and have the protocol expect its answer."""
    protocol.set_response_params(
        skip_payload=method == "HEAD",
        read_until_eof=True,
        auto_decompress=False,
        read_timeout=first_byte,
        read_bufsize=READ_BUFFER,
        max_line_size=LONGEST_HEADER,
        max_field_size=LONGEST_HEADER,
    )
    if len(body) < JOINED_WRITE:
        wire.write(lines + body)
    else:
        wire.write(lines)
        wire.write(body)
    # From here on, so that an upstream which does not read times out as well.
    protocol.start_timeout()


async def _final(protocol: ResponseHandler) -> tuple[RawResponseMessage, StreamReader]:
    """Return the head and the body of the answer behind those that only announce it.

    Raises httpx.RemoteProtocolError where none of them is an answer.
    """
    for _ in range(MAX_INTERIM_RESPONSES):
        message, payload = await protocol.read()
        if message.code >= 200:
            return message, payload
        if message.code == 101:
            raise httpx.RemoteProtocolError("The upstream switched protocols.")
    raise httpx.RemoteProtocolError("The upstream sent no final response.")


def head(
    request: httpx.Request, path: bytes, lines: bytes, length: int, keep_alive: bool
) -> bytes:
    """Return the request's head; raises httpx.LocalProtocolError.

    A header that held a line break would smuggle further headers or a second request.
    """
    parts = [
        b"%b %b%b%d" % (request.method.encode("ascii"), path, lines, length),
        *(
            b"%b: %b" % pair
            for pair in request.headers.raw
            if pair[0].lower() not in OWN_HEADERS
        ),
    ]
    if not keep_alive:
        parts.append(b"connection: close")
    head = b"\r\n".join(parts)
    breaks = len(parts) + 2
    if head.count(b"\n") != breaks or head.count(b"\r") != breaks or b"\0" in head:
        raise httpx.LocalProtocolError(
            "A header to the upstream holds a line break or a NUL character."
        )
    return head + b"\r\n\r\n"


class Body(httpx.AsyncByteStream):
    """The body of one answer, in whatever pieces the network delivered."""

    def __init__(
        self,
        connection: Connection,
        payload: StreamReader,
        deadline: Deadline,
        reusable: bool,
    ) -> None:
        self._connection: Connection | None = connection
        self._payload = payload
        self._deadline = deadline
        self._reusable = reusable
        self._ended = False
        # Kept because the connection forgets it when the upstream hangs up.
        self._protocol = connection.protocol

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        """Return what has arrived, waiting for something if need be.

        Cancelling the wait loses nothing: whoever waits with a time limit asks again,
        and whoever gives up calls `aclose`.

        Raises httpx.ReadTimeout, httpx.ReadError when the upstream hung up before the
        end, httpx.RemoteProtocolError for bytes that are not HTTP.
        """
        if self._ended:
            raise StopAsyncIteration
        if self._connection is None:
            raise httpx.ReadError("The response was closed before its end.")
        try:
            found = await _available(self._payload)
        except (aiohttp.ClientError, OSError) as error:
            self._abort()
            raise _after_sending(error, self._protocol, self._deadline) from error
        if self._payload.at_eof():
            self._ended = True
            self._finish()
        if not found:
            raise StopAsyncIteration
        return found

    async def aclose(self) -> None:
        """Give the connection back if the answer is complete, else close it."""
        if self._connection is None:
            return
        if self._payload.is_eof() and self._payload.exception() is None:
            self._finish()
        else:
            self._abort()

    def _finish(self) -> None:
        self._deadline.stop()
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if self._reusable:
            connection.release()
        else:
            _abort(connection)

    def _abort(self) -> None:
        self._deadline.stop()
        connection, self._connection = self._connection, None
        if connection is not None:
            _abort(connection)


def _after_sending(
    error: Exception, protocol: ResponseHandler | None, deadline: Deadline
) -> httpx.TransportError:
    """Return the httpx exception for an exchange that broke."""
    if deadline.has_passed:
        return Overdue("The upstream took too long.")
    if isinstance(error, TimeoutError):
        return httpx.ReadTimeout("The upstream was silent for too long.")
    garbled = error if protocol is None else protocol.exception()
    if isinstance(error, HttpProcessingError) or isinstance(
        garbled, HttpProcessingError
    ):
        return httpx.RemoteProtocolError("The upstream's answer is not valid HTTP.")
    return httpx.ReadError(
        "The upstream closed the connection before its answer ended."
    )


async def _available(payload: StreamReader) -> bytes:
    """Return all that has arrived; waits for something, empty at the end.

    `StreamReader.readany` takes the pieces of the HTTP framing one by one and resumes
    the connection after each, which costs a stream of small chunks more than parsing
    it. Here it finds them joined to one.
    """
    if payload is EMPTY_PAYLOAD:
        return b""
    pieces = payload._buffer
    while not pieces and not payload.is_eof() and payload.exception() is None:
        await payload._wait("readany")
    if len(pieces) > 1:
        joined = b"".join(pieces)
        pieces.clear()
        pieces.append(joined)
    return await payload.readany()


def _abort(connection: Connection) -> None:
    """Close the socket at once, without flushing and without waiting for TLS."""
    protocol = connection.protocol
    if protocol is not None:
        protocol.abort()
    connection.close()
