"""One request and its answer over one connection: bytes out, bytes in, how it ends."""

import warnings
from collections.abc import AsyncIterator, Mapping
from time import monotonic
from typing import Any

import httpx

from providers.transport import encodings
from providers.transport.answers import DONE
from providers.transport.connection import Connection, Sink
from providers.transport.outgoing import Outgoing, sent_lines

# Of a body as the upstream sent it, not as it is read here.
_CODED = frozenset({b"content-encoding", b"content-length"})
_CODING = b"content-encoding"
_CODING_LENGTH = len(_CODING)


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
    ends_at: float,
    keep_alive: bool,
) -> httpx.Response:
    """Send one request over `connection` and return its answer, the body unread.

    `lines` is the request's head, as `head` makes it. `limits` are seconds by
    ``first_byte`` and ``silence``, with ``read`` for either; at `ends_at` (monotonic)
    all of it ends, the body's reading included. Raises httpx.TransportError, `NoAnswer`
    among them; the connection is closed then, as it is on cancellation.
    """
    if connection.transport is None:
        connection.abort()
        lost = httpx.ConnectError("The connection was lost before it was used.")
        raise connection.failure or lost
    sent_at = monotonic()
    read = limits.get("read")
    connection.ends_at = ends_at
    try:
        connection.send(method, lines, body, limits.get("first_byte", read))
        await connection.head(limits.get("silence", read))
    except httpx.ReadError as failure:
        if connection.heard:
            raise
        raise NoAnswer(connection.served, monotonic() - sent_at) from failure
    except BaseException:
        connection.abort()
        raise
    answer = connection.answer
    headers = answer.headers
    stream: httpx.AsyncByteStream = Body(connection, keep_alive)
    if coding := _coding(headers):
        stream = encodings.decoded(stream, coding)
        headers = [each for each in headers if each[0].lower() not in _CODED]
    return Answer(answer.status, headers, stream)


def _coding(headers: list[tuple[bytes, bytes]]) -> str:
    """Return how a body is coded; empty where nothing is said of it."""
    for name, value in headers:
        if len(name) == _CODING_LENGTH and name.lower() == _CODING:
            return value.decode("latin-1")
    return ""


def head(
    request: httpx.Request, path: bytes, lines: bytes, length: int, keep_alive: bool
) -> bytes:
    """Return the request's head; raises httpx.LocalProtocolError.

    A header that held a line break would smuggle further headers or a second request.
    """
    method = request.method.encode("ascii")
    if not isinstance(request, Outgoing) or request.put_besides is None:
        fields = sent_lines(request.headers)
        before, after = _around(method, path, lines, fields, keep_alive)
    else:
        # Made anew it costs a short call more than its parsing.
        kind = (method, path, lines, request.put_besides, keep_alive)
        known, around = request.outline.head
        if known != kind:
            around = _around(method, path, lines, request.sent_lines(), keep_alive)
            request.outline.head = kind, around
        before, after = around
    return b"%b%d%b" % (before, length, after)


def _around(
    method: bytes, path: bytes, lines: bytes, fields: list[bytes], keep_alive: bool
) -> tuple[bytes, bytes]:
    """Return what of a head stands before the body's length and behind it."""
    parts = [b"", *fields] if keep_alive else [b"", *fields, b"connection: close"]
    before, after = b"%b %b%b" % (method, path, lines), b"\r\n".join(parts)
    head = before + after
    breaks = len(parts) - 1 + lines.count(b"\n")
    if head.count(b"\n") != breaks or head.count(b"\r") != breaks or b"\0" in head:
        raise httpx.LocalProtocolError(
            "A header to the upstream holds a line break or a NUL character."
        )
    return before, after + b"\r\n\r\n"


def raw_headers(response: httpx.Response) -> list[tuple[bytes, bytes]]:
    """Return the headers of `response` as they came."""
    if isinstance(response, Answer):
        return response.raw_headers
    return response.headers.raw


async def pour(body: AsyncIterator[bytes], sink: Sink) -> None:
    """Give what arrives of a body to `sink`, where it is not coded; see `Body.pour`."""
    if isinstance(body, Body):
        await body.pour(sink)


def whole_body(response: httpx.Response) -> bytes | None:
    """Return a body of which nothing was read, None where it is not all here."""
    stream = response.stream
    return stream.whole() if isinstance(stream, Body) else None


class Answer(httpx.Response):
    """A response whose headers become httpx's when they are asked for.

    To make them costs as much as to read them from the network, and a call looks at
    `raw_headers` alone.
    """

    def __init__(
        self,
        status_code: int,
        raw_headers: list[tuple[bytes, bytes]],
        stream: httpx.AsyncByteStream,
    ) -> None:
        # What httpx's own has; a test compares them.
        self.status_code = status_code
        self.stream = stream
        self.extensions: dict[str, Any] = {}
        self.history = []
        self.next_request = self._request = None
        self.is_closed = self.is_stream_consumed = False
        self.default_encoding = "utf-8"
        self._num_bytes_downloaded = 0
        self.raw_headers = raw_headers
        self._known: httpx.Headers | None = None

    @property
    def headers(self) -> httpx.Headers:
        """The headers, as httpx has them."""
        if self._known is None:
            self._known = httpx.Headers(self.raw_headers)
        return self._known

    @headers.setter
    def headers(self, headers: httpx.Headers) -> None:
        self._known = headers


class Body(httpx.AsyncByteStream):
    """The body of one answer, in whatever pieces the network delivered."""

    def __init__(self, connection: Connection, reusable: bool) -> None:
        self._connection: Connection | None = connection
        self._reusable = reusable
        self._ended = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    def whole(self) -> bytes | None:
        """Return the body that nothing was read of, None where it is not all here.

        Nearly every answer comes as one piece with its head.
        """
        connection = self._connection
        if connection is None or connection.answer.state != DONE:
            return None
        body = connection.take()
        self._ended = True
        self._finish()
        return body

    async def __anext__(self) -> bytes:
        """Return what has arrived, waiting for something if need be.

        Cancelling the wait loses nothing: whoever waits with a time limit asks again,
        and whoever gives up calls `aclose`.

        Raises httpx.ReadTimeout, httpx.ReadError when the upstream hung up before the
        end, httpx.RemoteProtocolError for bytes that are not HTTP.
        """
        connection = self._connection
        if connection is None:
            if self._ended:
                raise StopAsyncIteration
            raise httpx.ReadError("The response was closed before its end.")
        answer = connection.answer
        if not answer.pieces:
            try:
                await connection.more()
            except httpx.TransportError:
                self._finish()
                raise
        piece = connection.take()
        if answer.state == DONE:
            self._ended = True
            self._finish()
        if not piece:
            raise StopAsyncIteration
        return piece

    async def pour(self, sink: Sink) -> None:
        """Give what arrives to `sink`, as soon as it does, until that wants no more.

        Or until who called has to look, by asking for the next piece. It may be
        cancelled as that may.
        """
        if self._connection is not None:
            await self._connection.pour(sink)

    async def aclose(self) -> None:
        """Give the connection back if the answer is complete, else close it."""
        self._finish()

    def __del__(self) -> None:
        """Close the connection of an answer that was forgotten, from any thread."""
        if self._connection is not None:
            told = "nobody closed a response"
            warnings.warn(told, ResourceWarning, stacklevel=1, source=self)
            self._connection.abandon()

    def _finish(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if self._reusable:
            connection.release()
        else:
            connection.abort()
