"""A plain request, and the answer to it: gunicorn's part of nearly every call.

gunicorn is made for any request and any application, and takes 2,900 steps of Python's
interpreter for one exchange, where all of the gateway takes 4,500; with what is here
it takes 800. Whatever is not plain (parser.py) goes through gunicorn's own code, and
so does all that is rare: refusals, interim answers, the end of a connection. What an
answer may be, and when its connection is kept, is as gunicorn has it; a test holds both
to the same bytes.
"""

import asyncio
import re
from collections.abc import Awaitable, Mapping
from itertools import chain
from typing import Any

from gunicorn.asgi import protocol
from gunicorn.asgi.parser import CallbackRequest

from gateway.entry.request import AT_ONCE, BODY, FOUND, TASK, WRITE, Request
from gateway.values import Record
from runagents.serving.plain import whole
from runagents.serving.plain.heads import Head

Message = dict[str, Any]
Headers = list[tuple[bytes, bytes]]
Addresses = tuple[Any, Any]
"""The server's and the client's, each a host and a port, or None."""

# All headers at once, two lines for each: RFC 9110, sections 5.1 and 5.5.
_FIELDS = re.compile(
    rb"(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]++\n[\t -~\x80-\xff]*+(?:\n(?!\Z)|\Z))++"
)

_VERSION = (1, 1)
_LARGE = protocol._NO_COPY_BODY_SIZE
"""Bytes of a part that is not copied to stand between its framing."""
_BODILESS = frozenset({204, 304})


class PlainRequest(CallbackRequest):  # type: ignore[misc]
    """A request in HTTP/1.1 that asks nothing of the server but to be answered."""

    # What is so of each of them; gunicorn's own has a place in itself for it.
    fragment = ""
    version = _VERSION
    chunked = must_close = False
    proxy_protocol_info = _headers = _connection = None
    _expect_100_continue = _has_upgrade = False

    def __init__(self, head: Head, scheme: str) -> None:
        self.head = head
        self.scheme = scheme

    @property
    def headers_bytes(self) -> Headers:
        """The names and values of its headers."""
        return self.head.fields

    @property
    def content_length(self) -> int:
        """How many bytes its body has."""
        return self.head.length or 0

    @property
    def method(self) -> str:
        """The method, in capitals."""
        return self.head.method_name

    @property
    def uri(self) -> str:
        """The request's target as it came."""
        return self.head.uri

    @property
    def path(self) -> str:
        """The path with its percent-encoding undone."""
        return self.head.path

    @property
    def raw_path(self) -> bytes:
        """The path as it came."""
        return self.head.raw_path

    @property
    def query(self) -> str:
        """What stands behind the path's question mark."""
        return self.head.query.decode("ascii")

    def scope(
        self, connection: Any, addresses: Addresses, answering: "Answering"
    ) -> Message:
        """Return what an ASGI application is told of it."""
        head = self.head
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": head.method_name,
            "scheme": self.scheme,
            "path": head.path,
            "raw_path": head.raw_path,
            "query_string": head.query,
            "root_path": connection._root_path,
            "headers": self.headers_bytes,
            "server": addresses[0],
            "client": addresses[1],
            "state": connection.worker.state.copy(),
            "extensions": {
                FOUND: head.found,
                WRITE: answering.write,
                AT_ONCE: answering.send_whole,
                BODY: connection._body_receiver.take_whole,
                TASK: connection._task,
            },
        }

    def asked(
        self, connection: Any, addresses: Addresses, answering: "Answering"
    ) -> Request:
        """Return what the gateway makes of `scope`, without making that.

        With all that it tells of, and what the gateway asks of it again, that takes 170
        steps of the interpreter, this way 80.
        """
        head, (_, client) = self.head, addresses
        return Request(
            head.path,
            head.method_name,
            client[0] if client else "",
            head.lists(),
            query=head.query.decode("latin-1") if head.query else "",
            write=answering.write,
            send_whole=answering.send_whole,
            take_whole=connection._body_receiver.take_whole,
            task=connection._task,
            found=head.found,
        )


class Answering(Record):
    """The answer to a plain request: what an ASGI application sends, written.

    `has_begun` once its status is known, `is_whole` once its last byte is written.
    """

    _connection: Any
    _flows: bool = False
    _is_chunked: bool = False
    _left: int | None = None
    _omits_body: bool = False
    has_begun: bool = False
    is_whole: bool = False
    will_close: bool = False

    def keeps(self) -> bool:
        """Tell whether another request may follow, as far as this answer goes.

        Who counts answers (turns.py) knows whether the worker takes one.
        """
        # The client waits for what was announced and not sent.
        return self.is_whole and not self._left and not self.will_close

    async def send(self, message: Message) -> None:
        """Take one of the application's messages; raises RuntimeError out of order.

        Returns once the client takes more. What it no longer hears is left out.
        """
        connection = self._connection
        if connection._closed:
            return
        kind = message["type"]
        if kind == "http.response.body":
            self._take(message.get("body", b""), message.get("more_body", False))
            flow = connection._flow_control
            if flow.write_paused:
                await flow.drain()
        elif kind == "http.response.start":
            self._begin(message["status"], message.get("headers", []))
        else:
            raise RuntimeError(f"a message that is not expected: {kind}")

    def write(self, part: bytes) -> bool:
        """Take a part of the body, and more to come; tell whether the client takes it.

        Where it does not, `send` returns once it does.
        """
        connection = self._connection
        if connection._closed:
            return False
        # One amid a stream, as most are, asks for a third of the steps.
        if self._flows and 0 < len(part) < _LARGE:
            framed = b"%x\r\n%b\r\n" % (len(part), part)
            try:
                connection.transport.write(framed)
            except (OSError, RuntimeError, AttributeError):
                connection._safe_write(framed)
        else:
            self._take(part, True)
        return not connection._flow_control.write_paused

    def send_whole(
        self,
        status: int,
        headers: Mapping[str, str],
        body: bytes,
        *,
        in_chunks: bool = False,
    ) -> Awaitable[None] | bool:
        """Take an answer at once; what is returned is to be awaited if it can be.

        The client takes more then. `headers` by their names, whose case does not count.
        It goes `in_chunks` where its length is not to be told, as that of a stream.
        False where it has to come by `send`, message by message; nothing has been done
        then. Raises RuntimeError out of order.
        """
        if self.has_begun:
            raise RuntimeError("the answer has begun already")
        head = whole.head(status, headers, None if in_chunks else len(body))
        if head is None:
            return False
        if in_chunks:
            body = whole.in_chunks(body)
        connection = self._connection
        if connection._closed:
            return True
        self.has_begun = self.is_whole = True
        self.will_close = self._is_last()
        end = b"Connection: close\r\n\r\n" if self.will_close else b"\r\n"
        if len(body) < _LARGE:
            connection._safe_write(head + end + body)
        else:
            connection._response_buffer = head + end
            connection._send_body(body, False, True, len(body))
        flow = connection._flow_control
        return flow.drain() if flow.write_paused else True

    def _is_last(self) -> bool:
        """Tell whether the connection ends behind this answer, as far as is known."""
        worker = self._connection.worker
        return (
            not (worker.alive and self._connection._keepalive)
            or worker.nr + 1 >= worker.max_requests
        )

    def _begin(self, status: int, headers: Headers) -> None:
        """Hold back the head until the body begins: both go out in one write."""
        if self.has_begun:
            raise RuntimeError("the answer has begun already")
        fields = _checked(headers)
        connection = self._connection
        if status in _BODILESS or status < 200:
            self._omits_body = True
            headers = connection._strip_body_framing_headers(headers, status)
        elif b"content-length" in fields:
            self._left = int(fields[b"content-length"])
        else:
            self._is_chunked = True
            headers = [*headers, (b"transfer-encoding", b"chunked")]
        self.has_begun = True
        # The client gets no 100 behind a final status.
        connection._body_receiver.expect_continue = False
        self.will_close = self._is_last()
        lines = [b"%b: %b\r\n" % pair for pair in headers]
        if b"server" not in fields:
            lines.append(protocol._CACHED_SERVER_HEADER)
        if b"date" not in fields:
            lines.append(protocol._get_cached_date_header())
        if self.will_close and b"connection" not in fields:
            lines.append(b"Connection: close\r\n")
        lines.append(b"\r\n")
        first = protocol._get_cached_status_line(_VERSION, status)
        connection._response_buffer = first + b"".join(lines)

    def _take(self, body: bytes, more: bool) -> None:
        if not self.has_begun or self.is_whole:
            raise RuntimeError("the answer has not begun, or is over")
        if self._omits_body:
            body = b""
        elif type(body) is not bytes:
            # It may be used again once this returns.
            body = bytes(body)
        if self._left is not None:
            # More would be taken for the next answer.
            body = body[: self._left]
            self._left -= len(body)
        connection = self._connection
        if body:
            connection._send_body(body, self._is_chunked, not more, len(body))
            self._flows = self._is_chunked
        elif not more:
            rest = connection._response_buffer or b""
            connection._response_buffer = None
            if self._is_chunked:
                rest += b"0\r\n\r\n"
            if rest:
                connection._safe_write(rest)
        self.is_whole = not more
        self._flows = self._flows and more


async def answer(connection: Any, request: PlainRequest, addresses: Addresses) -> bool:
    """Have the application answer; tell whether the connection is kept.

    What the application raises is gunicorn's to log, which closes the connection then.
    """
    answering = Answering(connection)
    connection._response_buffer = None
    receive, app = connection._body_receiver.receive, connection.app
    try:
        if _is_owned(request.head, app):
            asked = request.asked(connection, addresses, answering)
            await app.answer(asked, receive, answering.send)
        else:
            scope = request.scope(connection, addresses, answering)
            await app(scope, receive, answering.send)
    except asyncio.CancelledError:
        return False
    finally:
        if not answering.has_begun and not connection._closed:
            connection._send_error_response(500, "Internal Server Error")
    if not answering.is_whole and not connection._closed:
        connection.log.error("The application did not complete its answer.")
    return answering.keeps()


def _is_owned(head: Head, app: Any) -> bool:
    """Tell whether an application answers a path past ASGI, as ours does the gateway's.

    It is asked once for all that share a head.
    """
    if head.is_owned is None:
        owns = getattr(app, "owns", None)
        head.is_owned = owns is not None and owns(head.path, head.method_name)
    return head.is_owned


def _checked(headers: Headers) -> dict[bytes, bytes]:
    """Return an answer's headers by their names in lower case.

    Raises ValueError where one would break the answer's framing.
    """
    if not headers:
        return {}
    text = b"\n".join(chain.from_iterable(headers))
    if _FIELDS.fullmatch(text) is None or text.count(b"\n") != 2 * len(headers) - 1:
        # Not their values, which may be secrets.
        names = b", ".join([name for name, _ in headers])
        raise ValueError(f"An answer has a header that cannot be sent: {names!r}")
    fields = {name.lower(): value for name, value in headers}
    if b"transfer-encoding" in fields:
        raise ValueError("An answer's framing is the server's.")
    return fields
