"""The requests of a connection, one after another: gunicorn's loop, as far as is used.

Here nobody speaks HTTP/2, WebSockets or uWSGI, and no application goes on behind its
answer, so none needs a task of its own: it costs 7 µs and two rounds of the loop. What
is left waits for one thing at a time: 200 steps of Python's interpreter for a request,
where gunicorn's loop, asyncio's event and a timer for each pause between two requests
took 400. When a connection is kept is as gunicorn has it.

A WebSocket is refused in words, as a request like any other: gunicorn has a 403 without
any, which Codex asks for seven times.
"""

import asyncio
from typing import Any

from gunicorn.asgi import protocol

from runagents.serving.plain import exchange
from runagents.serving.plain.exchange import PlainRequest


class Signal:
    """asyncio's Event, for one who waits: that it is on, and to be woken once it is."""

    __slots__ = ("_loop", "_waiter", "is_on")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiter: asyncio.Future[None] | None = None
        self.is_on = False

    def set(self) -> None:
        """Turn it on."""
        self.is_on = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def clear(self) -> None:
        """Turn it off."""
        self.is_on = False

    async def wait(self) -> None:
        """Return once it is on."""
        while not self.is_on:
            self._waiter = self._loop.create_future()
            await self._waiter


async def take(connection: Any) -> None:
    """Have each request of a connection answered until it ends, and close it.

    Raises what the application raises.
    """
    transport = connection.transport
    names = transport.get_extra_info("sockname"), transport.get_extra_info("peername")
    to, by = map(protocol._normalize_sockaddr, names)
    try:
        while await _has_request(connection):
            request = connection._current_request
            if isinstance(request, PlainRequest):
                is_kept = await exchange.answer(connection, request, (to, by))
            else:
                is_kept = await connection._handle_http_request(request, *names)
            if not (_counted(connection) and is_kept and _is_read(connection)):
                break
            if not _expects_next(connection):
                break
    except asyncio.CancelledError:
        # Its client has gone, or takes nothing: this is its end, as any other.
        pass
    finally:
        connection._close_transport()


async def _has_request(connection: Any) -> bool:
    """Wait for a request; tell whether there is one, or the connection ended."""
    if connection._closed:
        return False
    connection.req_count += 1
    ready = connection._request_ready
    if not ready.is_on:
        if connection.req_count > 1:
            connection._arm_keepalive_timer()
        connection._awaiting_request = True
        try:
            await ready.wait()
        finally:
            connection._awaiting_request = False
    return not connection._closed and connection._current_request is not None


def _counted(connection: Any) -> bool:
    """Count an answer; tell whether the worker answers another one."""
    worker = connection.worker
    worker.nr += 1
    if worker.nr >= worker.max_requests:
        connection.log.info("Autorestarting worker after current request.")
        worker.alive = False
    return bool(worker.alive)


def _is_read(connection: Any) -> bool:
    """Tell whether all of a request was read, so that what follows is another one.

    The rest of a body would be taken for a request.
    """
    return bool(connection._keepalive and connection._body_receiver._complete)


def _expects_next(connection: Any) -> bool:
    """Make ready for the next request, which may be here; False where it is malformed.

    It is refused then.
    """
    connection._resume_reading()
    parser = connection._callback_parser
    # Resetting the parser would drop it.
    pipelined = parser.remaining()
    parser.reset()
    connection._current_request = connection._body_receiver = None
    connection._request_ready.clear()
    return not pipelined or connection._feed_callback_parser(pipelined)
