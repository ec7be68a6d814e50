"""The requests of a connection, one after another: gunicorn's loop, as far as is used.

Here nobody speaks HTTP/2, WebSockets or uWSGI, and no application goes on behind its
answer, so none needs a task of its own: it costs 7 µs and two rounds of the loop. What
is left waits for one thing at a time: 120 steps of Python's interpreter for a request,
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
    """asyncio's Event, for one who waits: that it is on, and to be woken once it is.

    Whoever has seen that turns it off.
    """

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

    def wait(self) -> "asyncio.Future[None]":
        """Return what is done once it is turned on, while it is off.

        No coroutine, which each request would pay for: 1 µs.
        """
        self._waiter = self._loop.create_future()
        return self._waiter


async def take(connection: Any) -> None:
    """Have each request of a connection answered until it ends, and close it.

    Raises what the application raises.
    """
    transport = connection.transport
    names = transport.get_extra_info("sockname"), transport.get_extra_info("peername")
    to, by = map(protocol._normalize_sockaddr, names)
    ready, worker = connection._request_ready, connection.worker
    try:
        while not connection._closed:
            connection.req_count += 1
            if not ready.is_on:
                if connection.req_count > 1:
                    connection._arm_keepalive_timer()
                connection._awaiting_request = connection._current_request is None
                await ready.wait()
            connection._awaiting_request = False
            request = connection._current_request
            if connection._closed or request is None:
                break
            if isinstance(request, PlainRequest):
                is_kept = await exchange.answer(connection, request, (to, by))
            else:
                is_kept = await connection._handle_http_request(request, *names)
            worker.nr += 1
            if worker.nr >= worker.max_requests:
                _retire(worker, connection)
            if not (is_kept and worker.alive and _expects_next(connection)):
                break
    except asyncio.CancelledError:
        # Its client has gone, or takes nothing: this is its end, as any other.
        pass
    finally:
        connection._awaiting_request = False
        connection._close_transport()


def _retire(worker: Any, connection: Any) -> None:
    """Let a worker answer no more, which has answered as many as it may."""
    connection.log.info("Autorestarting worker after current request.")
    worker.alive = False


def _expects_next(connection: Any) -> bool:
    """Make ready for the next request, which may be here; tell whether one may come.

    A malformed one is refused. Where something is missing of a body, what follows would
    be taken for a request.
    """
    if not (connection._keepalive and connection._body_receiver._complete):
        return False
    if connection._reading_paused:
        connection._resume_reading()
    pipelined = connection._callback_parser.go_on()
    connection._current_request = connection._body_receiver = None
    connection._request_ready.is_on = False
    return not pipelined or connection._feed_callback_parser(pipelined)
