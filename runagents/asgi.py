"""One application: the gateway's handler and the console side by side."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "runagents.settings")
console = get_asgi_application()

from gateway.entry import handler, routes  # noqa: E402  needs Django set up
from gateway.worker.runtime import runtime  # noqa: E402

Message = dict[str, Any]

DISCONNECT_SECONDS = 5.0


async def application(
    scope: Message,
    receive: Callable[[], Awaitable[Message]],
    send: Callable[[Message], Awaitable[None]],
) -> None:
    """Dispatch by path: the data plane never meets the console's middleware."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
    elif scope["type"] == "http" and routes.owns(scope["path"]):
        await handler.handle(scope, receive, send)
    elif scope["type"] == "websocket":
        # Nothing here speaks it, and Django would raise. Closed before it was
        # accepted, it is answered with 403.
        await receive()
        await send({"type": "websocket.close", "code": 1000})
    else:
        await _show(scope, receive, send)


async def _show(
    scope: Message,
    receive: Callable[[], Awaitable[Message]],
    send: Callable[[Message], Awaitable[None]],
) -> None:
    """Hand a request to the console and see to its end when the browser leaves.

    The server cancels it then. Django's handler ends what it started when it hears of
    the disconnect, and leaves it running when it is cancelled itself.
    """
    shown = asyncio.ensure_future(console(scope, receive, send))  # type: ignore[arg-type]
    try:
        await asyncio.shield(shown)
    except asyncio.CancelledError:
        await asyncio.wait([shown], timeout=DISCONNECT_SECONDS)
        shown.cancel()
        raise


async def _lifespan(
    receive: Callable[[], Awaitable[Message]],
    send: Callable[[Message], Awaitable[None]],
) -> None:
    """Start and stop what a worker owns."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await runtime.start()
            await send({"type": "lifespan.startup.complete"})
        else:
            await runtime.stop()
            await send({"type": "lifespan.shutdown.complete"})
            return
