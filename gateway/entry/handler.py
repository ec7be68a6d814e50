"""The lean way in: from an ASGI scope to a view of the gateway and back.

No middleware, no thread, no session. The caller is known before the body is read, the
body is counted while it arrives, and every failure leaves as OpenAI's error envelope.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Any

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import Resolver404, get_resolver

from gateway.calls.streams import ChatStreamResponse
from gateway.entry import callers
from gateway.entry.answer import JSONResponse
from gateway.entry.request import GatewayRequest
from gateway.errors import GatewayError
from gateway.identifiers import ordered_token
from gateway.wire import jsontext
from gateway.worker.call_settings import call_settings
from gateway.worker.capacity import capacity
from gateway.worker.draining import STALLED, draining, shutting_down
from gateway.worker.registry import Caller, registry
from providers import attempts

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
View = Callable[..., Any]
"""An asynchronous view; `Any`, because Django's types know synchronous ones only."""

URLCONF = "gateway.entry.urls"
PREFIXES = ("/v1/", "/chat/", "/sandbox/", "/tools/")
"""Paths under these are the gateway's, known or not."""

BODY_SECONDS = 30.0
MAX_LENGTH_DIGITS = 18
BODY_BYTES_PER_SECOND = 64 * 1024
PIECE_BYTES = 256 * 1024

# A path is matched against patterns and remembered: neither for any length.
LONGEST_PATH = 2048

_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")

logger = logging.getLogger(__name__)


def endpoint(*methods: str, public: bool = False) -> Callable[[View], View]:
    """Mark a view with the methods it answers and whether it needs no caller."""

    def mark(view: View) -> View:
        view.methods = methods  # type: ignore[attr-defined]
        view.is_public = public  # type: ignore[attr-defined]
        return view

    return mark


def owns(path: str) -> bool:
    """Tell whether a path belongs to the gateway rather than to the console."""
    return path.startswith(PREFIXES) or _match(path) is not None


async def handle(scope: Message, receive: Receive, send: Send) -> None:
    """Answer one HTTP request to the gateway."""
    headers = _header_lists(scope)
    request = GatewayRequest(scope, headers)
    request.request_id = _request_id(request)
    call = asyncio.current_task()
    assert call is not None  # noqa: S101
    draining.calls.add(call)
    try:
        response = await _answer(request, receive)
        response.headers["x-request-id"] = request.request_id
        await _send(response, send, is_head=request.method == "HEAD")
    finally:
        draining.calls.discard(call)
        capacity.leave(request.held)


def error_response(error: GatewayError) -> JSONResponse:
    """Return the response that tells `error`."""
    headers = dict(error.headers)
    if error.status in {429, 503}:
        headers.setdefault("retry-after", "2")
    return JSONResponse(error.body(), error.status, headers)


async def _answer(request: GatewayRequest, receive: Receive) -> HttpResponseBase:
    """Return the response to a request, whatever comes of it."""
    try:
        return await _respond(request, receive)
    except GatewayError as error:
        return error_response(error)
    except asyncio.CancelledError:
        if not _ends_with_the_worker():
            raise
        return error_response(shutting_down())
    except Exception:
        logger.exception("A request failed unexpectedly.")
        return error_response(_internal_error())


def _ends_with_the_worker() -> bool:
    """Tell whether the worker cancelled this call, which then has a last word."""
    call = asyncio.current_task()
    if not draining.is_over or call is None:
        return False
    call.uncancel()
    return True


def _match(path: str) -> tuple[View, dict[str, Any]] | None:
    """Return the view for a path and its arguments, None where there is none."""
    return _resolve(path) if len(path) <= LONGEST_PATH else None


@lru_cache(maxsize=1024)
def _resolve(path: str) -> tuple[View, dict[str, Any]] | None:
    try:
        found = get_resolver(URLCONF).resolve(path)
    except Resolver404:
        return None
    return found.func, found.kwargs


async def _respond(request: GatewayRequest, receive: Receive) -> HttpResponseBase:
    matched = _match(request.path)
    if matched is None:
        raise GatewayError(
            404,
            "not_found_error",
            f"Unknown path {ascii(request.path[:200])[1:-1]}. Chat completions are at "
            "/v1/chat/completions.",
            code="unknown_url",
        )
    view, kwargs = matched
    method = "GET" if request.method == "HEAD" else request.method
    if method not in view.methods:  # type: ignore[attr-defined]
        allowed = ", ".join(view.methods)  # type: ignore[attr-defined]
        raise GatewayError(
            405,
            "invalid_request_error",
            f"Use {allowed} for this path.",
            code="method_not_allowed",
            headers={"allow": allowed},
        )
    if not view.is_public:  # type: ignore[attr-defined]
        request.caller = await _identify(request)
    if request.method == "POST":
        _check_media_type(request)
        request.body = await _read_body(request, receive)
    response: HttpResponseBase = await view(request, **kwargs)
    return response


async def _identify(request: GatewayRequest) -> Caller:
    """Return who calls; raises GatewayError, a 429 after too many wrong keys.

    A key that could be ours and is unknown may be newer than the snapshot.
    """
    if not registry.is_loaded:
        raise callers.unreadable()
    headers, address = request.header_lists, request.address
    try:
        return callers.identify(registry.snapshot, headers, address)
    except GatewayError as error:
        if error.status != 401:
            raise
        forwarded = ",".join(headers.get("x-forwarded-for", ()))
        wait = attempts.wrong_keys.add(attempts.client_address(address, forwarded))
        if not wait and not callers.holds_unknown_key(registry.snapshot, headers):
            raise
    if wait:
        raise _too_many_wrong_keys(max(1, round(wait)))
    if not await registry.catch_up():
        raise callers.unreadable()
    return callers.identify(registry.snapshot, headers, address)


def _too_many_wrong_keys(seconds: int) -> GatewayError:
    return GatewayError(
        429,
        "rate_limit_error",
        f"Too many requests without a valid API key. Try again in {seconds} s, or with "
        "a valid key at once.",
        code="rate_limit_exceeded",
        headers={"retry-after": str(seconds)},
    )


def _header_lists(scope: Message) -> dict[str, list[str]]:
    lists: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        key = name.decode("latin-1").lower()
        if key in lists:
            lists[key].append(value.decode("latin-1"))
        else:
            lists[key] = [value.decode("latin-1")]
    return lists


def _request_id(request: GatewayRequest) -> str:
    given = request.header("x-request-id")
    if given and _REQUEST_ID.fullmatch(given):
        return given
    return f"req_{ordered_token(24)}"


def _check_media_type(request: GatewayRequest) -> None:
    """Refuse what is not plain JSON; a form post from a browser is among it."""
    media_type = request.header("content-type").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise _unsupported(
            "Send the body as JSON, with the header `Content-Type: application/json`."
        )
    if request.header("content-encoding").lower() not in {"", "identity"}:
        raise _unsupported("Send the body without a Content-Encoding.")


def _unsupported(message: str) -> GatewayError:
    return GatewayError(
        415, "invalid_request_error", message, code="unsupported_media_type"
    )


async def _read_body(request: GatewayRequest, receive: Receive) -> bytes:
    """Return the body, counted while it arrives; raises 413, 408 or 400."""
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


def _internal_error() -> GatewayError:
    return GatewayError(
        500, "server_error", "The gateway failed. The log says why.", "internal_error"
    )


async def _send(response: HttpResponseBase, send: Send, is_head: bool) -> None:
    """Send a response; a stream is closed whatever happens to the client."""
    headers = [
        (name.lower().encode("latin-1"), value.encode("latin-1"))
        for name, value in response.items()
    ]
    start = {
        "type": "http.response.start",
        "status": response.status_code,
        "headers": headers,
    }
    if not isinstance(response, StreamingHttpResponse):
        body = response.content  # type: ignore[attr-defined]
        headers.append((b"content-length", b"%d" % len(body)))
        await send(start)
        await _send_whole(b"" if is_head else body, send)
        return
    try:
        await send(start)
        await _send_stream(response, send)
    finally:
        aclose = getattr(response, "aclose", None)
        if aclose is not None:
            await aclose()


async def _send_whole(body: bytes, send: Send) -> None:
    """Send a body; in pieces, so that a slow client is told from one that stalls."""
    start = 0
    while len(body) - start > PIECE_BYTES:
        await send(_body(body[start : start + PIECE_BYTES], more=True))
        start += PIECE_BYTES
    await send(_body(body[start:], more=False))


async def _send_stream(response: StreamingHttpResponse, send: Send) -> None:
    try:
        async for part in response:
            await send(_body(part, more=True))
    except asyncio.CancelledError as end:
        if STALLED in end.args and isinstance(response, ChatStreamResponse):
            response.stall()
        if not _ends_with_the_worker():
            raise
        await send(_last_frame(shutting_down()))
    except Exception:
        logger.exception("A stream failed unexpectedly.")
        await send(_last_frame(_internal_error()))
    await send(_body(b"", more=False))


def _body(part: bytes, more: bool) -> Message:
    return {"type": "http.response.body", "body": part, "more_body": more}


def _last_frame(error: GatewayError) -> Message:
    """Return the message that tells the failure of a stream."""
    return _body(b"data: " + jsontext.encode(error.body()) + b"\n\n", more=True)
