"""One connection to an upstream: requests go out, answers come in, one after the other.

It sets no timer and keeps no buffer of its own: `deadline` looks at all connections
together, `answers` holds what has arrived and nobody took yet.
"""

import asyncio
import contextlib
import math
import select
from collections.abc import Callable
from time import monotonic
from typing import cast

import httpx
from aiohttp.connector import Connection as Lease

from providers.transport.answers import DONE, HEAD, IDLE, Answers
from providers.transport.deadline import Deadlines, Overdue
from providers.transport.failures import refusal

KEEP_ALIVE_SECONDS = 30.0
# What may wait for a slow reader before the upstream is told to wait as well.
READ_BUFFER = 1 << 17
# Below this size, one write of head and body is cheaper than two.
JOINED_WRITE = 1 << 16

Sink = Callable[[bytes], bool]
"""Takes in what arrived of a body; tells whether it wants more in the same way."""


class Connection(asyncio.Protocol):
    """What is known of one connection, and of the exchange that it carries.

    Who wants an answer waits for what `ask` returns and for `more`, which `take`
    returns, and at the end calls `release` or `abort`. `served` tells whether an
    exchange came before this one, `heard` whether anything came of this one, `failure`
    why nothing more will. At `ends_at` (monotonic) it ends, and when nothing came for
    `limit` seconds.

    aiohttp's connector makes it; `lease` is what it handed out for it. `idle` is the
    list that it waits in between two exchanges.
    """

    __slots__ = (
        "_deadlines",
        "_is_lost",
        "_is_paused",
        "_lost",
        "_poll",
        "_silent_since",
        "_sink",
        "_waiter",
        "answer",
        "ends_at",
        "failure",
        "heard",
        "idle",
        "lease",
        "limit",
        "served",
        "transport",
    )

    def __init__(self, deadlines: Deadlines) -> None:
        self.transport: asyncio.Transport | None = None
        self.lease: Lease | None = None
        self.idle: list[Connection] = []
        self.answer = Answers()
        self.failure: httpx.TransportError | None = None
        self.served = self.heard = False
        self.ends_at = math.inf
        self.limit: float | None = None
        self._silent_since = math.inf
        self._is_paused = False
        self._poll: select.poll | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._sink: Sink | None = None
        self._lost: asyncio.Future[None] | None = None
        self._is_lost = False
        self._deadlines = deadlines

    # --- an exchange ---

    def ask(
        self, method: str, head: bytes, body: bytes, limit: float | None, now: float
    ) -> asyncio.Future[None]:
        """Write a request; what is returned is done once `answer` has a head.

        Or once none will come: `status` tells. Silence counts from `now` on (which is
        monotonic), so that an upstream which does not read the request times out as
        well. To wait for a coroutine instead cost a call 2 µs. Raises
        httpx.TransportError where the connection was lost before.
        """
        wire = self.transport
        if wire is None:
            lost = httpx.ConnectError("The connection was lost before it was used.")
            raise self.failure or lost
        self.answer.expect(method)
        self.served, self.heard = self.heard, False
        self.failure = None
        self.limit, self._silent_since = limit, now
        if len(body) < JOINED_WRITE:
            wire.write(head + body)
        else:
            wire.write(head)
            wire.write(body)
        waiter = self._waiter = self._deadlines.loop.create_future()
        return waiter

    def status(self) -> int:
        """Return the answer's status; raises httpx.TransportError where none came."""
        if self.answer.state == HEAD:
            raise self.failure or httpx.ReadError("Nothing was answered.")
        return self.answer.status

    def waited(self) -> float:
        """Return for how many seconds nothing has come."""
        return monotonic() - self._silent_since

    async def more(self) -> None:
        """Return once something has arrived of the body, or it is over.

        Raises httpx.TransportError.
        """
        answer = self.answer
        while not answer.pieces and answer.state != DONE:
            if self.failure is not None:
                raise self.failure
            await self._event()

    async def pour(self, sink: Sink) -> None:
        """Give what arrives of the body to `sink`, as soon as it does.

        Returns once that asks for no more, or who called has to look: `more` tells what
        is there besides. Raises what `sink` raises.
        """
        answer = self.answer
        if answer.pieces or answer.state == DONE or self.failure is not None:
            return
        self._sink = sink
        try:
            await self._event()
        finally:
            self._sink = None

    def take(self) -> bytes:
        """Return what has arrived of the body; the upstream may send more then."""
        data = self.answer.take()
        if self._is_paused:
            self._resume()
        return data

    def whole(self, reusable: bool) -> bytes:
        """Return a body that is all here, and give the connection back or close it."""
        body = self.answer.take()
        if reusable:
            self.release()
        else:
            self.abort()
        return body

    def release(self) -> None:
        """Wait for the next request, if the answer leaves the connection fit for it."""
        wire, answer = self.transport, self.answer
        if (
            wire is None
            or not answer.keeps
            or answer.state != DONE
            or wire.is_closing()
            # The rest of a request that was answered early would precede the next one.
            or wire.get_write_buffer_size()
        ):
            self.abort()
            return
        if answer.pieces or self._is_paused:
            self.take()
        answer.state = IDLE
        self._silent_since = monotonic()
        self.idle.append(self)

    def abort(self) -> None:
        """Close the socket at once, without flushing and without waiting for TLS."""
        wire, lease = self.transport, self.lease
        self.transport = self.lease = None
        if wire is not None:
            self._deadlines.discard(self)
            wire.abort()
        if lease is not None:
            lease.close()

    def abandon(self) -> None:
        """Close the socket soon; may be called by any thread."""
        with contextlib.suppress(RuntimeError):  # its loop has ended, and it with that
            self._deadlines.loop.call_soon_threadsafe(self.abort)

    def is_fit(self, now: float) -> bool:
        """Tell whether an idle connection may carry one more exchange.

        What waits unread is its end, or answers nothing. The event loop may have been
        busy elsewhere and not seen it yet: to ask the system costs 1 µs, and the bytes
        would be taken for the next answer.
        """
        wire = self.transport
        return (
            wire is not None
            and not wire.is_closing()
            and now - self._silent_since <= KEEP_ALIVE_SECONDS
            and not (self._poll or self._readable(wire)).poll(0)
        )

    def _readable(self, wire: asyncio.Transport) -> select.poll:
        """Return what tells whether bytes wait unread."""
        self._poll = select.poll()
        self._poll.register(wire.get_extra_info("socket"), select.POLLIN)
        return self._poll

    def look(self, now: float) -> None:
        """End what has taken too long."""
        state = self.answer.state
        if state == IDLE:
            if now - self._silent_since > KEEP_ALIVE_SECONDS:
                self._leave()
        elif now >= self.ends_at:
            # What has arrived by then can be read all the same.
            self._fail(Overdue("The upstream took too long."))
        elif self.limit and state != DONE and now - self._silent_since >= self.limit:
            self._fail(httpx.ReadTimeout("The upstream was silent for too long."))

    def begin_anew(self, secured: asyncio.Transport) -> None:
        """Carry exchanges over `secured` from now on, which tunnels through this one.

        What a proxy answered is none of them.
        """
        if not self._is_lost:
            self.transport = secured
        self.answer.close()
        self.answer = Answers()
        self.served = self.heard = False
        self._poll = None

    # --- what the event loop calls ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin; aiohttp's connector takes over from here."""
        self.transport = cast(asyncio.Transport, transport)
        self._deadlines.watch(self)

    def data_received(self, data: bytes) -> None:
        """Take in what arrived."""
        sink, waiter = self._sink, self._waiter
        if sink is not None and waiter is not None and not waiter.done():
            # Nothing waits to be taken: there is nothing to join, to count, or to have
            # the upstream wait for.
            self._silent_since = monotonic()
            try:
                piece = self.answer.passed(data)
            except httpx.RemoteProtocolError as error:
                self._fail(error)
                return
            try:
                if not (piece and sink(piece)):
                    self._wake()
            except Exception as error:  # noqa: BLE001 - whoever waits is told
                self._sink = self._waiter = None
                waiter.set_exception(error)
            return
        answer = self.answer
        if answer.state == IDLE:
            # It answers no request of ours, and must not answer the next one.
            self._leave()
            return
        self.heard = True
        self._silent_since = monotonic()
        try:
            answer.feed(data)
        except httpx.RemoteProtocolError as error:
            self._fail(error)
            return
        if answer.state == HEAD:
            return
        if answer.size > READ_BUFFER and not self._is_paused:
            self._pause()
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """End the answer: as its last byte where it has no length, else too early."""
        answer = self.answer
        if answer.state == IDLE:
            self.failure = refusal(exc)
            self._leave()
        elif self.failure is None and not (exc is None and answer.finish()):
            self.failure = refusal(exc) or httpx.ReadError(
                "The upstream closed the connection before its answer ended."
            )
        self.abort()
        answer.close()
        self._wake()
        self._is_lost = True
        if self._lost is not None and not self._lost.done():
            self._lost.set_result(None)

    # --- what aiohttp's connector asks of its protocols ---

    should_close = True

    @property
    def closed(self) -> asyncio.Future[None] | None:
        """What is done once the socket is closed; None where it is."""
        if self._lost is None and not self._is_lost:
            self._lost = self._deadlines.loop.create_future()
        return self._lost

    def close(self) -> None:
        """Close the socket."""
        self.abort()

    def is_connected(self) -> bool:
        """Tell whether the socket is open."""
        return self.transport is not None and not self.transport.is_closing()

    # --- in between ---

    def _fail(self, failure: httpx.TransportError) -> None:
        self.failure = failure
        self.abort()
        self._wake()

    def _leave(self) -> None:
        """Close an idle connection."""
        if self in self.idle:
            self.idle.remove(self)
        self.abort()

    def _event(self) -> asyncio.Future[None]:
        """Return what is done when anything happens."""
        self._waiter = self._deadlines.loop.create_future()
        return self._waiter

    def _wake(self) -> None:
        waiter = self._waiter
        self._sink = None
        if waiter is not None:
            self._waiter = None
            if not waiter.done():
                waiter.set_result(None)

    def _pause(self) -> None:
        """Have the upstream wait, whose silence is ours then."""
        if self.transport is not None:
            self._is_paused = True
            self.transport.pause_reading()
            self._silent_since = math.inf

    def _resume(self) -> None:
        self._is_paused = False
        if self.transport is not None:
            self.transport.resume_reading()
            self._silent_since = monotonic()
