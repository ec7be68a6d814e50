"""The lean way in: from an ASGI scope to a view of the gateway and back.

No middleware, no thread, no session. The caller is known before the body is read, and
every failure leaves in the words of the door that the path belongs to.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Coroutine
from typing import Any

from gateway.doors.protocol import NOTHING_SENT, Envelope
from gateway.entry import callers, routes
from gateway.entry.receiving import (
    Message,
    Receive,
    Send,
    check_media_type,
    is_worth_skipping,
    read_body,
    request_of,
    skip_body,
    whole_body,
)
from gateway.entry.request import Request
from gateway.entry.response import (
    Response,
    body_message,
    error_response,
    labelled,
    start_message,
)
from gateway.entry.routes import Endpoint
from gateway.entry.streamed import StreamedResponse
from gateway.entry.views import calls
from gateway.errors import GatewayError
from gateway.identifiers import ordered_token
from gateway.ledger.spool import Entry
from gateway.tracing import current
from gateway.worker.capacity import capacity
from gateway.worker.draining import STALLED, draining, shutting_down
from gateway.worker.registry import registry
from gateway.worker.runtime import runtime
from gateway.worker.snapshot import LOCAL, Caller, Snapshot
from providers import attempts

PIECE_BYTES = 256 * 1024

_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")

logger = logging.getLogger(__name__)


def handle(scope: Message, receive: Receive, send: Send) -> Coroutine[Any, Any, None]:
    """Answer one HTTP request to the gateway that an ASGI server describes."""
    return answer(request_of(scope), receive, send)


async def answer(request: Request, receive: Receive, send: Send) -> None:
    """Answer one HTTP request to the gateway."""
    request.request_id, request.send = _request_id(request), send
    current.begin(request.request_id)
    call = request.task or asyncio.current_task()
    assert call is not None  # noqa: S101
    draining.calls.add(call)
    response: Response | StreamedResponse
    try:
        try:
            response = await _respond(request, receive)
        except (Exception, asyncio.CancelledError) as end:  # noqa: BLE001 - told there
            response = await _failed(request, end)
        response.headers["x-request-id"] = request.request_id
        if isinstance(response, Response):
            waits = _sent_at_once(response, request)
            if waits is False:
                await _send_whole(response, request, send)
            elif waits is not True:
                await waits
            if response.skips_body:
                await skip_body(receive)
        else:
            await _send_stream(response, request, send)
    finally:
        if request.waiting is not None:
            request.waiting.drop()
        draining.calls.discard(call)
        capacity.leave(request.held)


async def refuse_websocket(scope: Message, receive: Receive, send: Send) -> None:
    """Refuse a handshake, with a reason where the server can pass one on.

    https://asgi.readthedocs.io/en/latest/extensions.html#websocket-denial-response
    """
    await receive()
    if "websocket.http.response" not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close", "code": 1000})
        return
    response = error_response(
        _no_websockets(), routes.door_of(scope["path"], {}), NOTHING_SENT
    )
    start = start_message(response.status, response.headers)
    await send({**start, "type": "websocket.http.response.start"})
    body = body_message(response.body, more=False)
    await send({**body, "type": "websocket.http.response.body"})


async def _failed(request: Request, end: BaseException) -> Response:
    """Return the response to a request that `end` cut short; raises what is no error.

    That is the cancellation of a request whose client has left.
    """
    if isinstance(end, GatewayError):
        failure = end
        _book(request, failure, _about(request))
    elif isinstance(end, asyncio.CancelledError):
        if not _ends_with_the_worker():
            raise end
        failure = shutting_down()
    else:
        logger.error("A request failed unexpectedly.", exc_info=end)
        failure = _internal_error()
        # Of what broke nothing is asked again.
        _book(request, failure, {})
    waiting = request.waiting
    if waiting is not None and await waiting.stop():
        return Response(200, {}, waiting.fail(failure))
    response = error_response(failure, _door_of(request), request.sent())
    if request.is_unread and is_worth_skipping(request):
        response.skips_body = True
    elif request.is_unread:
        response.headers["connection"] = "close"
    return response


async def _has_begun(request: Request) -> bool:
    """End the wait for an answer; tell whether the client has got headers by then."""
    return request.waiting is not None and await request.waiting.stop()


def _door_of(request: Request) -> Envelope:
    return routes.door_of(request.path, request.header_lists)


def _about(request: Request) -> dict[str, str]:
    return calls.about(request, _door_of(request), request.sent())


def _book(request: Request, error: GatewayError, about: dict[str, str]) -> None:
    """Keep a refusal for the ledger; those of the sandbox are an upstream's.

    `about` are further columns, for a request that was no call yet.
    """
    if request.path.startswith(routes.SANDBOX):
        return
    caller = request.caller
    entry = request.entry or Entry(
        runtime.spool,
        None,
        request_id=request.request_id,
        caller=caller.name,
        caller_kind=caller.kind,
        key_hint=caller.hint,
        **about,
    )
    runtime.refusals.note(entry, error)


def _ends_with_the_worker() -> bool:
    """Tell whether the worker cancelled this call, which then has a last word."""
    call = asyncio.current_task()
    if not draining.is_over or call is None:
        return False
    call.uncancel()
    return True


def _respond(
    request: Request, receive: Receive
) -> Awaitable[Response | StreamedResponse]:
    """Return the response to a request, which is under way; raises GatewayError.

    Of nearly every request everything is here already: then its view is all that is
    waited for. A coroutine that only hands on costs a call 0.8 µs.
    """
    found = request.found
    matched = found.matched if found is not None else None
    if matched is None:
        matched = _endpoint(request)
        if found is not None:
            found.matched = matched
    endpoint, named = matched
    if endpoint.is_public:
        return _take(request, receive, endpoint, named)
    if not registry.is_loaded:
        raise callers.unreadable()
    door = endpoint.door if "POST" in endpoint.methods else _door_of(request)
    try:
        request.caller = _identified(registry.snapshot, request, door)
    except GatewayError as error:
        return _respond_late(request, receive, endpoint, named, door, error)
    return _take(request, receive, endpoint, named)


async def _respond_late(
    request: Request,
    receive: Receive,
    endpoint: Endpoint,
    named: dict[str, str],
    door: Envelope,
    error: GatewayError,
) -> Response | StreamedResponse:
    """Return the response to who was unknown a moment ago, or raise `error`."""
    request.caller = await _identified_late(request, door, error)
    return await _take(request, receive, endpoint, named)


def _endpoint(request: Request) -> tuple[Endpoint, dict[str, str]]:
    """Return what is asked for and what its path names; raises GatewayError."""
    matched = routes.match(request.path)
    if matched is None:
        raise routes.unknown(request.path)
    method = "GET" if request.method == "HEAD" else request.method
    if method not in matched[0].methods:
        if request.header("upgrade").lower() == "websocket":
            raise _no_websockets()
        raise _not_allowed(matched[0].methods)
    return matched


def _take(
    request: Request, receive: Receive, endpoint: Endpoint, named: dict[str, str]
) -> Awaitable[Response | StreamedResponse]:
    """Return the response to a request whose caller is known; raises GatewayError."""
    if request.method == "POST":
        if request.found is None or not request.found.is_json:
            check_media_type(request, may_lack=endpoint.may_lack_type)
        request.is_unread = False
        body = whole_body(request)
        if body is None:
            return _read(request, receive, endpoint, named)
        request.body = body
    return endpoint.view(request, **named) if named else endpoint.view(request)


async def _read(
    request: Request, receive: Receive, endpoint: Endpoint, named: dict[str, str]
) -> Response | StreamedResponse:
    """Return the response to a request whose body is still coming."""
    request.body = await read_body(request, receive)
    return await endpoint.view(request, **named)


def _identified(snapshot: Snapshot, request: Request, door: Envelope) -> Caller:
    """Return who calls at `door`; raises GatewayError."""
    found = request.found
    if found is not None and (known := snapshot.callers.get(found.key)):
        return callers.admitted(known)
    caller = callers.identify(
        snapshot,
        request.header_lists,
        request.address,
        sets_aside=door is routes.MESSAGES_DOOR,
    )
    if found is not None and caller is not LOCAL:
        found.key = callers.digest_of(snapshot, request.header_lists, caller)
    return caller


async def _identified_late(
    request: Request, door: Envelope, error: GatewayError
) -> Caller:
    """Return who calls where that was refused with `error`, or raise it.

    A key that could be ours and is unknown may be newer than the snapshot. Raises a 429
    after too many wrong keys.
    """
    if error.status != 401 or error.code == callers.EXPIRED:
        raise error
    headers, snapshot = request.header_lists, registry.snapshot
    aside = door is routes.MESSAGES_DOOR
    forwarded = ",".join(headers.get("x-forwarded-for", ()))
    client = attempts.client_address(request.address, forwarded)
    wait = await attempts.wrong_keys.add(attempts.place_of(client))
    # Of the one that did not know it: by now there may be a newer one.
    if not (wait or callers.holds_unknown_key(snapshot, headers, sets_aside=aside)):
        raise error
    if wait:
        raise callers.too_many_wrong_keys(max(1, round(wait)))
    if not await registry.catch_up():
        raise callers.unreadable()
    return _identified(registry.snapshot, request, door)


def _request_id(request: Request) -> str:
    if "x-request-id" in request.header_lists:
        given = request.header("x-request-id")
        if _REQUEST_ID.fullmatch(given):
            return given
    return f"req_{ordered_token(24)}"


def _not_allowed(methods: tuple[str, ...]) -> GatewayError:
    allowed = ", ".join(methods)
    return GatewayError(
        405,
        "invalid_request_error",
        f"Use {allowed} for this path.",
        code="method_not_allowed",
        headers={"allow": allowed},
    )


def _no_websockets() -> GatewayError:
    """Return what has clients fall back to POST at once: Codex tries this first."""
    return GatewayError(
        426,
        "invalid_request_error",
        "WebSockets are not supported. Use POST with stream: true.",
        code="websocket_not_supported",
        headers={"upgrade": "HTTP/1.1"},
    )


def _internal_error() -> GatewayError:
    return GatewayError(
        500, "server_error", "The gateway failed. The log says why.", "internal_error"
    )


def _sent_at_once(response: Response, request: Request) -> Awaitable[None] | bool:
    """Send a response, where the server takes it at once; return what that returns."""
    send, body = request.send_whole, response.body
    if send is None or request.waiting is not None or len(body) > PIECE_BYTES:
        return False
    return send(response.status, labelled(response.headers), body)


async def _send_whole(response: Response, request: Request, send: Send) -> None:
    """Send a response message by message."""
    body = response.body
    start = start_message(response.status, response.headers)
    start["headers"].append((b"content-length", b"%d" % len(body)))
    if request.waiting is None or not await request.waiting.stop():
        await send(start)
    await _send_body(b"" if request.method == "HEAD" else body, send)


async def _send_body(body: bytes, send: Send) -> None:
    """Send a body in pieces, so that a slow client is told from one that stalls."""
    sent = 0
    while len(body) - sent > PIECE_BYTES:
        await send(body_message(body[sent : sent + PIECE_BYTES], more=True))
        sent += PIECE_BYTES
    await send(body_message(body[sent:], more=False))


async def _send_stream(
    response: StreamedResponse, request: Request, send: Send
) -> None:
    """Send a stream, which is closed whatever happens to the client."""
    try:
        has_begun = await _has_begun(request)
        whole = None if has_begun else await response.whole()
        if whole is not None:
            await _send_arrived(response, whole, request, send)
            return
        if not has_begun:
            await send(start_message(200, response.headers))
        await _send_parts(response, request, send)
    finally:
        await response.aclose()


async def _send_arrived(
    response: StreamedResponse, body: bytes, request: Request, send: Send
) -> None:
    """Send a stream that is all here, as a whole answer is sent."""
    at_once = request.send_whole if len(body) <= PIECE_BYTES else None
    headers = response.headers
    try:
        waits: Awaitable[None] | bool = False
        if at_once is not None:
            waits = at_once(200, labelled(headers), body, in_chunks=True)
        if waits is False:
            await send(start_message(200, headers))
            await _send_body(body, send)
        elif waits is not True:
            await waits
    except asyncio.CancelledError as end:
        if STALLED in end.args:
            response.stall()
        raise
    response.sent()


async def _send_parts(response: StreamedResponse, request: Request, send: Send) -> None:
    try:
        async for part in response.parts(request.write):
            await send(body_message(part, more=True))
    except asyncio.CancelledError as end:
        if STALLED in end.args:
            response.stall()
        if not _ends_with_the_worker():
            raise
        await send(body_message(response.fail(shutting_down()), more=True))
    except Exception:
        logger.exception("A stream failed unexpectedly.")
        await send(body_message(response.fail(_internal_error()), more=True))
    await send(body_message(b"", more=False))
