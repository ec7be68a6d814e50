"""gunicorn's worker, with an end of our own.

gunicorn waits for its connections when it has to stop, up to `graceful_timeout`, and
then kills without running any `finally`. It does not tell the application, and it
counts connections on which nothing is asked. So the worker tells the gateway, and
closes what is idle.
"""

import asyncio
import signal
from collections.abc import Coroutine
from functools import partial
from typing import Any

from gunicorn.asgi import protocol
from gunicorn.asgi.protocol import ASGIProtocol
from gunicorn.workers import gasgi

from gateway.worker.draining import STALLED, draining
from runagents import settings
from runagents.serving import exits
from runagents.serving.plain import turns
from runagents.serving.plain.bodies import Body
from runagents.serving.plain.exchange import PlainRequest
from runagents.serving.plain.parser import Parser
from runagents.serving.plain.starts import Starts

IDLE_CHECK_SECONDS = 0.25
# What was used a moment ago may just be sending its next request.
IDLE_SECONDS = 1.0


class Connection(ASGIProtocol):  # type: ignore[misc]
    """A connection that its worker knows."""

    _patience: asyncio.TimerHandle | None = None
    _keepalive_handle: asyncio.TimerHandle | None
    _idle_since = 0.0
    """The time of the loop since which nothing is asked, while it is idle."""

    def connection_made(self, transport: Any) -> None:
        """Let the worker know of it."""
        self.worker.connections.add(self)
        self._idle_since = self.worker.loop.time()
        super().connection_made(transport)
        self._request_ready = turns.Signal(self.worker.loop)
        self._task.add_done_callback(self._tell_of_failure)
        # gunicorn times what comes after the first request of a connection only.
        self.worker.loop.call_later(settings.HEADER_TIMEOUT, self._close_if_unused)

    def connection_lost(self, exc: Exception | None) -> None:
        """Let the worker forget it."""
        self.worker.connections.discard(self)
        self._stop_waiting()
        super().connection_lost(exc)

    def _tell_of_failure(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self.log.error("Error handling connection: %s", error, exc_info=error)

    def pause_writing(self) -> None:
        """Wait for a client that does not read, but not for ever."""
        super().pause_writing()
        self._patience = self.worker.loop.call_later(
            settings.STALL_SECONDS, self._task.cancel, STALLED
        )

    def resume_writing(self) -> None:
        """Go on with a client that reads again."""
        super().resume_writing()
        self._stop_waiting()

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()

    def _handle_connection(self) -> Coroutine[Any, Any, None]:
        return turns.take(self)

    def data_received(self, data: bytes) -> None:
        """Read what came; what is not taken yet holds up the rest, not without end."""
        # As nearly always: one request, with the head of the one before.
        if (body := self._callback_parser.body_of_same(data)) is not None:
            self._begin(body)
            if len(body) > self._max_buffer_size:
                self._pause_reading()
        elif (
            self._feed_callback_parser(data)
            and not self._reading_paused
            and self._http1_buffered() > self._max_buffer_size
        ):
            self._pause_reading()

    def _on_headers_complete(self) -> Any:
        if not self._callback_parser.is_plain:
            return super()._on_headers_complete()
        self._begin(None)
        return False

    def _begin(self, body: bytes | None) -> None:
        """Have a plain request answered, whose `body` is all here or still to come."""
        scheme = "https" if self._is_ssl else "http"
        request = PlainRequest(self._callback_parser.head, scheme)
        self._current_request = request
        self._body_receiver = Body(request, self, body)
        # It is not idle any more, though it may have to wait to be begun.
        self._awaiting_request = False
        self.worker.starts.begin(self._request_ready)

    def _arm_keepalive_timer(self) -> None:
        # One timer for many pauses: to start and stop one for each costs 2 µs.
        self._idle_since = self.worker.loop.time()
        if self._keepalive_handle is None:
            self._keepalive_handle = self.worker.loop.call_later(
                self._keepalive, self._close_if_still_idle
            )

    def _close_if_still_idle(self) -> None:
        """Close it where nothing was asked for as long as it is kept."""
        self._keepalive_handle = None
        if not self._awaiting_request:
            return
        loop = self.worker.loop
        left = self._idle_since + self._keepalive - loop.time()
        if left > 0:
            self._keepalive_handle = loop.call_later(left, self._close_if_still_idle)
        else:
            self._keepalive_timeout()

    def _close_transport(self) -> None:
        # A client that does not read would never let it close.
        if self._flow_control is not None and self._flow_control.write_paused:
            self._closed = True
            self.transport.abort()
            return
        super()._close_transport()

    def _close_if_unused(self) -> None:
        """Close it when its first request has not even got all its headers."""
        if self.req_count <= 1 and self._current_request is None and not self._closed:
            self._keepalive_timeout()

    def close_if_idle(self, awake_since: float = 0.0) -> None:
        """Close it unless a request is being answered, or may be on its way.

        While the worker ends, gunicorn closes behind each answer and says so in it: a
        client that is asked to wait a second loses no request. Nobody was asked for
        anything before `awake_since`, where this process stood still.
        """
        if not self._awaiting_request:
            return
        idle_since = max(self._idle_since, awake_since)
        if self.worker.loop.time() - idle_since >= IDLE_SECONDS:
            self._keepalive_timeout()


# gunicorn makes connections and their readers by these names, and offers no other way
# to say how.
gasgi.ASGIProtocol = Connection
protocol.PythonProtocol = Parser


class Worker(gasgi.ASGIWorker):  # type: ignore[misc]
    """A worker that drains: see gateway/worker/draining.py."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.connections: set[Connection] = set()
        self.starts: Starts
        self._closing: asyncio.Task[None] | None = None
        self._early: list[int] = []
        """Signals to end that came before the loop ran."""

    def init_signals(self) -> None:
        """Take signals; one that comes before the loop runs must not be lost."""
        super().init_signals()
        for number in exits.EXITS:
            signal.signal(number, lambda early, _: self._early.append(early))
        exits.take()

    async def _serve(self) -> None:
        self.starts = Starts(self.loop)
        handlers = {
            signal.SIGTERM: self.handle_exit_signal,
            signal.SIGINT: self.handle_quit_signal,
            signal.SIGQUIT: self.handle_quit_signal,
        }
        for number, handler in handlers.items():
            self.loop.add_signal_handler(number, handler)
        for early in self._early:
            handlers[signal.Signals(early)]()
        # gunicorn has the loop listen anew and names no backlog: 100 then. Whoever
        # finds the line full waits for a second and tries again.
        self.loop.create_server = partial(
            self.loop.create_server, backlog=self.cfg.backlog
        )
        await super()._serve()

    def handle_exit_signal(self) -> None:
        """SIGTERM: finish what runs."""
        super().handle_exit_signal()
        if self._closing is None:
            draining.begin(settings.DRAIN_SECONDS)
            self._closing = self.loop.create_task(self._keep_closing())

    def handle_quit_signal(self) -> None:
        """SIGINT and SIGQUIT: stop at once."""
        draining.is_over = True
        super().handle_quit_signal()

    async def _keep_closing(self) -> None:
        awake_since = 0.0
        while True:
            for connection in list(self.connections):
                connection.close_if_idle(awake_since)
            late = self.loop.time() + 2 * IDLE_CHECK_SECONDS
            await asyncio.sleep(IDLE_CHECK_SECONDS)
            if (now := self.loop.time()) > late:
                # The machine stood still, and its clients perhaps with it.
                awake_since = now
