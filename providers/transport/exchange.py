"""One request and its answer over one connection: bytes out, bytes in, how it ends."""

import warnings
from collections.abc import AsyncIterator
from functools import lru_cache
from operator import itemgetter
from typing import Any

import httpx

from providers.transport import encodings
from providers.transport.answers import DONE, HEAD
from providers.transport.connection import Connection, Sink
from providers.transport.plans import Plan
from providers.transport.ways import proxies

# Of a body as the upstream sent it, not as it is read here.
_CODED = frozenset({b"content-encoding", b"content-length"})
_CODING = b"content-encoding"
_NAME = itemgetter(0)


class NoAnswer(httpx.ReadError):
    """The connection ended before one byte of an answer.

    `reused` tells whether it had served another exchange: then it was most likely
    closed as idle while the request was under way. `seconds` is how long it lasted.
    """

    def __init__(self, reused: bool, seconds: float) -> None:
        super().__init__("The upstream closed the connection without an answer.")
        self.reused = reused
        self.seconds = seconds


def answered(connection: Connection, plan: Plan, reusable: bool) -> "Answer":
    """Return the answer that `connection` has the head of.

    Raises httpx.TransportError where none came, `NoAnswer` among them; the connection
    is closed then. An answer that is all here gives its connection back.
    """
    answer = connection.answer
    if answer.state == HEAD:
        raise _unanswered(connection)
    if answer.status == 407 and plan.to.before and plan.to.asked is not None:
        connection.abort()
        raise proxies.refused(plan.to.asked, 407)
    headers = answer.headers
    if headers and _are_coded(tuple(map(_NAME, headers))):
        return _decoded(connection, plan, reusable)
    if answer.state != DONE:
        body = Body(connection, plan.silence, reusable)
        return Answer(answer.status, headers, body)
    return Answer(answer.status, headers, None, connection.whole(reusable))


def _decoded(connection: Connection, plan: Plan, reusable: bool) -> "Answer":
    """Return an answer whose body is coded, as it is read here."""
    status, headers = connection.answer.status, connection.answer.headers
    coding = next(value for name, value in headers if name.lower() == _CODING)
    body = encodings.decoded(
        Body(connection, plan.silence, reusable), coding.decode("latin-1")
    )
    rest = [each for each in headers if each[0].lower() not in _CODED]
    return Answer(status, rest if coding else headers, body)


def _unanswered(connection: Connection) -> httpx.TransportError:
    """Return why no head came."""
    failure = connection.failure or httpx.ReadError("Nothing was answered.")
    if isinstance(failure, httpx.ReadError) and not connection.heard:
        unanswered = NoAnswer(connection.served, connection.waited())
        unanswered.__cause__ = failure
        return unanswered
    return failure


@lru_cache(maxsize=256)
def _are_coded(names: tuple[bytes, ...]) -> bool:
    """Tell whether headers of these names say how a body is coded.

    A server's answers have the same, two dozen of them, and say nothing of it.
    """
    return any(name.lower() == _CODING for name in names)


def raw_headers(response: httpx.Response) -> list[tuple[bytes, bytes]]:
    """Return the headers of `response` as they came."""
    if isinstance(response, Answer):
        return response.raw_headers
    return response.headers.raw


async def pour(body: AsyncIterator[bytes], sink: Sink) -> None:
    """Give what arrives of a body to `sink`, where it is not coded; see `Body.pour`."""
    if isinstance(body, Body):
        await body.pour(sink)


def arrived(body: AsyncIterator[bytes]) -> bytes:
    """Return what of a body has arrived and nobody took, where it is not coded."""
    return body.arrived() if isinstance(body, Arriving) else b""


def is_over(body: AsyncIterator[bytes]) -> bool:
    """Tell whether surely nothing more is to be had of a body, or to be closed."""
    return isinstance(body, Arriving) and body.is_over


def whole_body(response: httpx.Response) -> bytes | None:
    """Return a body of which nothing was read, None where it is not all here."""
    if isinstance(response, Answer) and response.body is not None:
        return response.body
    stream = response.stream
    return stream.whole() if isinstance(stream, Body) else None


class Answer(httpx.Response):
    """A response of which the parts become httpx's that are asked for.

    To make its headers costs as much as to read them from the network, and a call looks
    at `raw_headers` alone. `body` is one that was all here with its head, as nearly
    every whole answer's is; others come by the `stream`.
    """

    # What httpx's own has; a test compares them.
    next_request = None
    is_closed = is_stream_consumed = False
    default_encoding = "utf-8"
    _request = None
    _num_bytes_downloaded = 0
    _known: httpx.Headers | None = None
    _stream: httpx.AsyncByteStream | None = None

    def __init__(
        self,
        status_code: int,
        raw_headers: list[tuple[bytes, bytes]],
        stream: httpx.AsyncByteStream | None,
        body: bytes | None = None,
    ) -> None:
        self.status_code = status_code
        self.extensions: dict[str, Any] = {}
        self.history = []
        self.raw_headers = raw_headers
        self.body = body
        if stream is not None:
            self._stream = stream

    @property
    def stream(self) -> httpx.AsyncByteStream:
        """The body, as it comes or came."""
        if self._stream is None:
            self._stream = Arrived(self.body or b"")
        return self._stream

    @stream.setter
    def stream(self, stream: httpx.AsyncByteStream) -> None:
        self._stream = stream

    @property
    def headers(self) -> httpx.Headers:
        """The headers, as httpx has them."""
        if self._known is None:
            self._known = httpx.Headers(self.raw_headers)
        return self._known

    @headers.setter
    def headers(self, headers: httpx.Headers) -> None:
        self._known = headers


class Arriving(httpx.AsyncByteStream):
    """A body that can be asked what of it is here."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        """Return what has arrived, waiting for something if need be."""
        raise NotImplementedError

    def arrived(self) -> bytes:
        """Return what has arrived and nobody took, without a wait; else nothing."""
        raise NotImplementedError

    @property
    def is_over(self) -> bool:
        """Whether nothing more is to be had of it, nor to be closed."""
        raise NotImplementedError


class Arrived(Arriving):
    """A body that was all here; it is read once."""

    def __init__(self, body: bytes) -> None:
        self._left = body

    async def __anext__(self) -> bytes:
        """Return all of it, the first time."""
        if not self._left:
            raise StopAsyncIteration
        return self.arrived()

    def arrived(self) -> bytes:
        """Return all of it, the first time."""
        body, self._left = self._left, b""
        return body

    @property
    def is_over(self) -> bool:
        """Whether it was read: no connection is held."""
        return not self._left


class Body(Arriving):
    """The body of one answer, in whatever pieces the network delivered.

    It may stop for `silence` seconds.
    """

    def __init__(
        self, connection: Connection, silence: float | None, reusable: bool
    ) -> None:
        connection.limit = silence
        self._connection: Connection | None = connection
        self._reusable = reusable
        self._ended = False

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
        if not connection.answer.pieces:
            try:
                await connection.more()
            except httpx.TransportError:
                self._finish()
                raise
        piece = self._taken(connection)
        if not piece:
            raise StopAsyncIteration
        return piece

    def arrived(self) -> bytes:
        """Return what has arrived, as `__anext__` does where it need not wait."""
        connection = self._connection
        if connection is None or not connection.answer.pieces:
            return b""
        return self._taken(connection)

    @property
    def is_over(self) -> bool:
        """Whether its connection was given back or closed."""
        return self._connection is None

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

    def _taken(self, connection: Connection) -> bytes:
        piece = connection.take()
        if connection.answer.state == DONE:
            self._ended = True
            self._finish()
        return piece

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
