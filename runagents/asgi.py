"""One application: the gateway's handler and the console side by side."""

import os
from collections.abc import Awaitable, Callable
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "runagents.settings")
console = get_asgi_application()

from gateway import handler  # noqa: E402  needs Django set up
from gateway.runtime import runtime  # noqa: E402

Message = dict[str, Any]


async def application(
    scope: Message,
    receive: Callable[[], Awaitable[Message]],
    send: Callable[[Message], Awaitable[None]],
) -> None:
    """Dispatch by path: the data plane never meets the console's middleware."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
    elif scope["type"] == "http" and handler.owns(scope["path"]):
        await handler.handle(scope, receive, send)
    else:
        await console(scope, receive, send)  # type: ignore[arg-type]


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
