"""What the console reads of a body: little from strangers, more from who is known.

Django reads a whole body before it looks at anything else of a request, into a file
where it is large. So it is given one that is counted and timed (as the gateway's are),
and whoever has neither a session nor a key of `/api/v1` may send what a log-in takes.
"""

from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user
from django.db import Error as DatabaseError
from django.http import HttpRequest, parse_cookie

from gateway.entry.receiving import (
    Body,
    Message,
    Receive,
    check_announced,
    check_framing,
    request_of,
)
from gateway.entry.request import Request
from gateway.errors import GatewayError
from gateway.wire import jsontext
from gateway.worker.capacity import Held
from providers.database import in_thread
from providers.models import WorkspaceKey

STRANGERS_BYTES = 64 * 1024
API_PATH = "/api/"
SHORT_DIGITS = 10
KEY_HEADERS = ("x-runagents-api-key", "authorization")


async def body_for(scope: Message, receive: Receive, held: Held) -> Body:
    """Return what reads the body of a request to the console; raises GatewayError."""
    request = request_of(scope)
    check_framing(request)
    length = request.header("content-length")
    limit = await _limit(request, length)
    check_announced(length, limit)
    return Body(receive, limit, held)


def refusal(path: str, error: GatewayError) -> tuple[Message, Message]:
    """Return the two messages that tell who sent a body why it was not read."""
    text, media_type = error.message.encode(), b"text/plain; charset=utf-8"
    if path.startswith(API_PATH):
        text, media_type = (
            jsontext.encode({"error": error.message}),
            b"application/json",
        )
    headers = [
        (b"content-type", media_type),
        (b"content-length", b"%d" % len(text)),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        *((name.encode(), value.encode()) for name, value in error.headers.items()),
    ]
    return (
        {"type": "http.response.start", "status": error.status, "headers": headers},
        {"type": "http.response.body", "body": text, "more_body": False},
    )


async def _limit(request: Request, length: str) -> int:
    """Return how many bytes a request may bring; who it is is asked of large ones."""
    is_short = length.isdecimal() and len(length) < SHORT_DIGITS
    is_chunked = "transfer-encoding" in request.header_lists
    is_small = not length or (is_short and int(length) <= STRANGERS_BYTES)
    if is_small and not is_chunked:
        return STRANGERS_BYTES
    knows = _knows_key if request.path.startswith(API_PATH) else _knows_session
    try:
        is_known = await knows(request)
    except DatabaseError:
        is_known = False
    return settings.DATA_UPLOAD_MAX_MEMORY_SIZE if is_known else STRANGERS_BYTES


async def _knows_key(request: Request) -> bool:
    given = [request.header(name) for name in KEY_HEADERS]
    keys = [value.rpartition(" ")[2] for value in given if value]
    return any([await in_thread(WorkspaceKey.of, key) for key in keys])


async def _knows_session(request: Request) -> bool:
    cookies = parse_cookie(request.header("cookie"))
    key = cookies.get(settings.SESSION_COOKIE_NAME, "")
    return bool(key) and await in_thread(_has_session, key)


def _has_session(key: str) -> bool:
    """Tell whether somebody is logged in with the session `key` (blocking)."""
    asking: Any = HttpRequest()
    asking.session = import_module(settings.SESSION_ENGINE).SessionStore(key)
    return get_user(asking).is_authenticated
