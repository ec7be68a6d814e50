"""One application: the gateway's handler and the console side by side."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import django
from django.core.handlers.asgi import ASGIHandler

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "runagents.settings")
django.setup(set_prefix=False)

from gateway.entry import handler, routes  # noqa: E402  needs Django set up
from gateway.errors import GatewayError  # noqa: E402
from gateway.metrics.collection import collection  # noqa: E402
from gateway.worker.capacity import Held, capacity  # noqa: E402
from gateway.worker.runtime import runtime  # noqa: E402
from providers import database  # noqa: E402
from runagents.serving import console, console_bodies, strays, telling  # noqa: E402

Message = dict[str, Any]

DISCONNECT_SECONDS = 5.0


class Application:
    """Dispatches by path: the data plane never meets the console's middleware.

    What it `owns` of a path and method the server may have answered by `answer`, past
    ASGI (runagents/serving/plain/exchange.py).
    """

    owns = staticmethod(routes.owns)
    answer = staticmethod(handler.answer)

    def __call__(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> Coroutine[Any, Any, None]:
        """Return what answers; a coroutine that only hands on costs a call 0.8 µs."""
        kind = scope["type"]
        if kind == "http":
            if routes.owns(scope["path"], scope["method"]):
                return handler.handle(scope, receive, send)
            return _show(scope, receive, send)
        if kind == "lifespan":
            return _lifespan(receive, send)
        # A WebSocket: nothing here speaks it, and Django would raise.
        return handler.refuse_websocket(scope, receive, send)


application = Application()


async def _show(
    scope: Message,
    receive: Callable[[], Awaitable[Message]],
    send: Callable[[Message], Awaitable[None]],
) -> None:
    """Hand a request to the console, or to the gateway what the console has not.

    It tells why a body is not read. Django reads it before anything else, so nothing
    was sent by then.
    """
    pages = await console.loaded()
    if strays.missed_the_gateway(scope):
        await handler.handle(scope, receive, send)
        return
    held = Held()
    refused: list[GatewayError] = []

    async def read() -> Message:
        try:
            return await body()
        except GatewayError as error:
            refused.append(error)
            # Django closes what it began to keep, and answers nothing.
            return {"type": "http.disconnect"}

    try:
        body = await console_bodies.body_for(scope, receive, held)
        await _see_through(pages, scope, read, send)
    except GatewayError as error:
        refused.append(error)
    finally:
        capacity.leave(held)
    for why in refused:
        for message in console_bodies.refusal(scope["path"], why):
            await send(message)


async def _see_through(
    pages: ASGIHandler,
    scope: Message,
    receive: Callable[[], Awaitable[Message]],
    send: Callable[[Message], Awaitable[None]],
) -> None:
    """See to the end of what the console is asked, when the browser leaves too.

    The server cancels it then. Django's handler ends what it started when it hears of
    the disconnect, and leaves it running when it is cancelled itself.
    """
    shown = asyncio.ensure_future(pages(scope, receive, send))  # type: ignore[arg-type]
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
            database.expect_file()
            await runtime.start()
            collection.start()
            telling.start()
            await send({"type": "lifespan.startup.complete"})
        else:
            await collection.stop()
            await runtime.stop()
            await telling.stop()
            await send({"type": "lifespan.shutdown.complete"})
            return
