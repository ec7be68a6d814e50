"""What comes in: headers, and a body that is counted while it arrives."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from gateway.entry.request import Request
from gateway.errors import GatewayError
from gateway.worker.call_settings import call_settings

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]

BODY_SECONDS = 30.0
MAX_LENGTH_DIGITS = 18
BODY_BYTES_PER_SECOND = 64 * 1024


def request_of(scope: Mapping[str, Any]) -> Request:
    """Return the request that an ASGI scope describes, its body still to come."""
    client = scope.get("client")
    address = client[0] if client else ""
    return Request(scope["path"], scope["method"], address, _header_lists(scope))


def _header_lists(scope: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return all values of each header by its lower-case name."""
    lists: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        key = name.decode("latin-1").lower()
        if key in lists:
            lists[key].append(value.decode("latin-1"))
        else:
            lists[key] = [value.decode("latin-1")]
    return lists


def check_media_type(request: Request) -> None:
    """Refuse what is not plain JSON (415); a form post from a browser is among it."""
    media_type = request.header("content-type").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise _unsupported(
            "Send the body as JSON, with the header `Content-Type: application/json`."
        )
    if request.header("content-encoding").lower() not in {"", "identity"}:
        raise _unsupported("Send the body without a Content-Encoding.")


async def read_body(request: Request, receive: Receive) -> bytes:
    """Return the body; raises 413, 408 or 400."""
    limit = call_settings.REQUEST_BODY_LIMIT
    length = request.header("content-length")
    announced = limit
    if length.isdecimal():
        if len(length) > MAX_LENGTH_DIGITS or int(length) > limit:
            raise _too_large(limit)
        announced = int(length)
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body"):
        body: bytes = message.get("body", b"")
        if len(body) > limit:
            raise _too_large(limit)
        return body
    seconds = BODY_SECONDS + announced / BODY_BYTES_PER_SECOND
    try:
        async with asyncio.timeout(seconds):
            return await _read_rest(message, receive, limit)
    except TimeoutError:
        raise _incomplete() from None


async def _read_rest(message: Message, receive: Receive, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        if message["type"] != "http.request":
            raise _incomplete()
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise _too_large(limit)
        parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts)
        message = await receive()


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
