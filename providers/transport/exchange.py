"""One request and its answer over one connection: bytes out, bytes in, how it ends.

Written against aiohttp's connection and response parser, without the session above
them. What is relied on beyond aiohttp's documented interface: `set_response_params`,
`start_timeout`, `read_timeout` and `read` of its client protocol, that it calls
`_reschedule_timeout`, `_drop_timeout` and `_on_read_timeout` (`deadline`), that a
connector makes its protocols by `_factory`, and that a `StreamReader` keeps what has
arrived in `_buffer`.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from time import monotonic

import aiohttp
import httpx
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import RawResponseMessage
from aiohttp.streams import EMPTY_PAYLOAD, StreamReader

from providers.transport import encodings
from providers.transport.deadline import Deadlines, Overdue, Timed

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


async def perform(
    connection: Connection,
    method: str,
    lines: bytes,
    body: bytes,
    limits: Mapping[str, float | None],
    deadlines: Deadlines,
    ends_at: float,
    keep_alive: bool,
) -> httpx.Response:
    """Send one request over `connection` and return its answer, the body unread.

    `lines` is the request's head, as `head` makes it. `limits` are seconds by
    ``first_byte`` and ``silence``, with ``read`` for either; at `ends_at` (monotonic)
    all of it ends, the body's reading included. Raises httpx.TransportError, `NoAnswer`
    among them; the connection is closed then, as it is on cancellation.
    """
    protocol = connection.protocol
    wire = protocol.transport if protocol is not None else None
    if protocol is None or wire is None:
        connection.close()
        raise httpx.ConnectError("The connection was lost before it was used.")
    assert isinstance(protocol, Timed)  # noqa: S101
    reused, protocol.heard = protocol.heard, False
    sent_at = monotonic()
    read = limits.get("read")
    silence = limits.get("silence", read)
    deadlines.watch(protocol, ends_at)
    try:
        _send(protocol, wire, method, lines, body, limits.get("first_byte", read))
        message, payload = await protocol.read()
        if message.code < 200:
            message, payload = await _final(protocol, message)
        if not payload.is_eof():
            protocol.read_timeout = silence
            protocol.start_timeout()
    except (aiohttp.ClientError, HttpProcessingError, OSError) as error:
        deadlines.discard(protocol)
        _abort(connection)
        failure = _after_sending(error, protocol)
        if isinstance(failure, httpx.ReadError) and not protocol.heard:
            failure = NoAnswer(reused, monotonic() - sent_at)
        raise failure from error
    except BaseException:
        deadlines.discard(protocol)
        _abort(connection)
        raise
    answer: httpx.AsyncByteStream = Body(
        connection, protocol, payload, deadlines, keep_alive
    )
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


async def _final(
    protocol: ResponseHandler, interim: RawResponseMessage
) -> tuple[RawResponseMessage, StreamReader]:
    """Return the head and the body of the answer behind those that only announce it.

    `interim` is the first of these. Raises httpx.RemoteProtocolError where no answer
    follows.
    """
    for _ in range(MAX_INTERIM_RESPONSES - 1):
        if interim.code == 101:
            raise httpx.RemoteProtocolError("The upstream switched protocols.")
        interim, payload = await protocol.read()
        if interim.code >= 200:
            return interim, payload
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
        protocol: Timed,
        payload: StreamReader,
        deadlines: Deadlines,
        reusable: bool,
    ) -> None:
        self._connection: Connection | None = connection
        # Kept because the connection forgets it when the upstream hangs up.
        self._protocol = protocol
        self._payload = payload
        self._deadlines = deadlines
        self._reusable = reusable
        self._ended = False

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
            raise _after_sending(error, self._protocol) from error
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
        connection, self._connection = self._connection, None
        if connection is None:
            return
        self._deadlines.discard(self._protocol)
        if self._reusable:
            connection.release()
        else:
            _abort(connection)

    def _abort(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self._deadlines.discard(self._protocol)
            _abort(connection)


def _after_sending(error: Exception, protocol: Timed) -> httpx.TransportError:
    """Return the httpx exception for an exchange that broke."""
    if protocol.is_overdue:
        return Overdue("The upstream took too long.")
    if isinstance(error, TimeoutError):
        return httpx.ReadTimeout("The upstream was silent for too long.")
    garbled = protocol.exception()
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
