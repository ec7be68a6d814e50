"""The console's application, loaded when somebody asks for a page of it.

A server that agents alone call never does. Pages, forms and what they need take 8 MB
and a tenth of a second, in which no stream would go on: so it is a thread's work.
Workers that share what their main process has loaded find it there.
"""

import asyncio

from django.core.handlers.asgi import ASGIHandler

_turn = asyncio.Lock()
_application: ASGIHandler | None = None


def load() -> ASGIHandler:
    """Return the application, with the pages that its first request would load."""
    global _application
    if _application is None:
        from runagents import urls  # noqa: F401  See above.

        _application = ASGIHandler()
    return _application


async def loaded() -> ASGIHandler:
    """Return the application, in a worker that may not have it yet."""
    if _application is None:
        async with _turn:
            return await asyncio.to_thread(load)
    return _application
