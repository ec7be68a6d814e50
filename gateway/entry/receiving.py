"""What comes in: headers, and a body that is counted while it arrives."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from gateway.entry.request import AT_ONCE, BODY, FOUND, TASK, WRITE, Found, Request
from gateway.errors import GatewayError
from gateway.worker.call_settings import call_settings
from gateway.worker.capacity import Held, capacity

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

Headers = Sequence[tuple[bytes, bytes]]

BODY_SECONDS = 30.0
MAX_LENGTH_DIGITS = 18
BODY_BYTES_PER_SECOND = 64 * 1024
# Of a body that nobody wants: more is not waited for, nor longer.
UNWANTED_BYTES = 64 * 1024
UNWANTED_SECONDS = 2.0

_LENGTH = b"content-length"
_NO_EXTENSIONS: Mapping[str, Any] = {}


def request_of(scope: Mapping[str, Any]) -> Request:
    """Return the request that an ASGI scope describes, its body still to come."""
    client, query = scope.get("client"), scope.get("query_string")
    extensions = scope.get("extensions") or _NO_EXTENSIONS
    found = extensions.get(FOUND)
    return Request(
        scope["path"],
        scope["method"],
        client[0] if client else "",
        header_lists(scope["headers"], found),
        query=query.decode("latin-1") if query else "",
        write=extensions.get(WRITE),
        send_whole=extensions.get(AT_ONCE),
        take_whole=extensions.get(BODY),
        task=extensions.get(TASK),
        found=found,
    )


def header_lists(headers: Headers, found: Found | None) -> dict[str, list[str]]:
    """Return all values of each header by its lower-case name."""
    if found is None:
        return _read_lists(headers)
    if found.header_lists is None:
        names = [name for name, _ in headers]
        found.length_at = names.index(_LENGTH) if _LENGTH in names else None
        found.header_lists = _read_lists(headers)
        return found.header_lists
    if found.length_at is None:
        return found.header_lists
    lists = found.header_lists.copy()
    lists["content-length"] = [headers[found.length_at][1].decode("latin-1")]
    return lists


def _read_lists(headers: Headers) -> dict[str, list[str]]:
    lists = {
        name.decode("latin-1").lower(): [value.decode("latin-1")]
        for name, value in headers
    }
    return lists if len(lists) == len(headers) else _in_lists(headers)


def _in_lists(headers: Headers) -> dict[str, list[str]]:
    """Return the values of headers of which some stand more than once."""
    lists: dict[str, list[str]] = {}
    for name, value in headers:
        key = name.decode("latin-1").lower()
        if key in lists:
            lists[key].append(value.decode("latin-1"))
        else:
            lists[key] = [value.decode("latin-1")]
    return lists


def check_media_type(request: Request, *, may_lack: bool = False) -> None:
    """Refuse what is not plain JSON (415); a form post from a browser is among it.

    It must be labelled, unless it `may_lack` that.
    """
    found = request.found
    media_type = request.header("content-type").partition(";")[0].strip().lower()
    if media_type != "application/json" and (media_type or not may_lack):
        raise _unsupported(
            "Send the body as JSON, with the header `Content-Type: application/json`."
        )
    check_framing(request)
    if request.header("content-encoding").lower() not in {"", "identity"}:
        raise _unsupported("Send the body without a Content-Encoding.")
    if found is not None:
        found.is_json = True


def check_framing(request: Request) -> None:
    """Refuse a body (415) that comes neither as it is nor in plain chunks.

    What else is named, on whatever line, would be read as a part of the body.
    """
    codings = request.header_lists.get("transfer-encoding")
    if codings and ",".join(codings).strip().lower() != "chunked":
        raise _unsupported("Send the body without a transfer coding but chunked.")


class Body:
    """A request's body, counted and timed while it arrives, for who reads it all.

    Called as the server's `receive` is. Raises GatewayError: 413 above `limit` bytes or
    for more than that announced, 408 when it ends early or comes too slowly, 503 when
    the worker holds too much already. What comes behind the body is let through.
    """

    def __init__(self, receive: Receive, limit: int, held: Held) -> None:
        self._receive = receive
        self._limit = limit
        self._held = held
        self._size = 0
        self._started = 0.0
        self._is_whole = False

    async def __call__(self) -> Message:
        if self._is_whole:
            return await self._receive()
        # The server gives up on a body of which nothing comes; most are here already,
        # and a timer would cost them something.
        message = await (self._in_time() if self._started else self._receive())
        self.take(message)
        return message

    def take(self, message: Message) -> None:
        """Count what a message brings."""
        if message["type"] != "http.request":
            raise _incomplete()
        self._started = self._started or asyncio.get_running_loop().time()
        size = len(message.get("body", b""))
        self._size += size
        if self._size > self._limit:
            raise _too_large(self._limit)
        capacity.hold(self._held, size)
        self._is_whole = not message.get("more_body")

    async def _in_time(self) -> Message:
        seconds = BODY_SECONDS + self._size / BODY_BYTES_PER_SECOND
        try:
            async with asyncio.timeout_at(self._started + seconds):
                return await self._receive()
        except TimeoutError:
            raise _incomplete() from None


def check_announced(length: str, limit: int) -> None:
    """Refuse a Content-Length above `limit`: it is believed where it is too much."""
    if length.isdecimal() and (len(length) > MAX_LENGTH_DIGITS or int(length) > limit):
        raise _too_large(limit)


def whole_body(request: Request) -> bytes | None:
    """Return a body that is all here, as nearly every one; None of any other.

    Raises 413 or 503, as `read_body` does.
    """
    take = request.take_whole
    body = None if take is None else take()
    return None if body is None else _held(request, body)


def _held(request: Request, body: bytes) -> bytes:
    """Return a whole body, which takes its place in the worker; raises 413 or 503."""
    limit = call_settings.REQUEST_BODY_LIMIT
    if len(body) > limit:
        raise _too_large(limit)
    capacity.hold(request.held, len(body))
    return body


async def read_body(request: Request, receive: Receive) -> bytes:
    """Return the body; raises 413, 408 or 503."""
    limit = call_settings.REQUEST_BODY_LIMIT
    check_announced(request.header("content-length"), limit)
    message = await receive()
    part: bytes = message.get("body", b"")
    if message["type"] == "http.request" and not message.get("more_body"):
        return _held(request, part)
    body = Body(receive, limit, request.held)
    body.take(message)
    parts = [part]
    while message.get("more_body"):
        message = await body()
        parts.append(message.get("body", b""))
    return b"".join(parts)


def is_worth_skipping(request: Request) -> bool:
    """Tell whether a body is so small that its connection is kept for the next request.

    It is on its way: the client wrote it behind the headers and asked for no leave.
    """
    length = request.header("content-length") or "0"
    return (
        "transfer-encoding" not in request.header_lists
        and "expect" not in request.header_lists
        and length.isdecimal()
        and len(length) <= MAX_LENGTH_DIGITS
        and int(length) <= UNWANTED_BYTES
    )


async def skip_body(receive: Receive) -> None:
    """Take what is left of a body that was refused unread, to throw it away.

    The server closes a connection on which a body is still to come. The client, who was
    told nothing of that, would find it broken amid this body or its next request.
    https://www.rfc-editor.org/rfc/rfc9112#section-9.3
    """
    try:
        async with asyncio.timeout(UNWANTED_SECONDS):
            while (await receive()).get("more_body"):
                pass
    except TimeoutError:
        return


def _unsupported(message: str) -> GatewayError:
    return GatewayError(
        415, "invalid_request_error", message, code="unsupported_media_type"
    )


def _too_large(limit: int) -> GatewayError:
    return GatewayError(
        413,
        "invalid_request_error",
        f"The request body is larger than {limit} bytes.",
        code="request_too_large",
        headers={"connection": "close"},
    )


def _incomplete() -> GatewayError:
    return GatewayError(
        408,
        "invalid_request_error",
        "The request body did not arrive in time.",
        code="request_timeout",
        headers={"connection": "close"},
    )
