"""A connection's requests are answered in turn, and it is kept while it is used."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from types import SimpleNamespace
from typing import Any

from runagents.serving import worker
from runagents.serving.plain.turns import Signal
from tests.runagents.serving.test_exchange import REQUEST, WHOLE, Wire, Worker

KEPT = 75
ROUNDS = 20


class Clock:
    """A loop whose time and timers are the test's; all else is the running one's."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.now = 0.0
        self.timers: list[tuple[float, Callable[[], None]]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.loop, name)

    def time(self) -> float:
        return self.now

    def call_later(self, seconds: float, call: Callable[[], None]) -> "Clock":
        self.timers.append((self.now + seconds, call))
        return self

    def cancel(self) -> None:
        """Stop no timer."""

    async def go_on(self, until: float) -> None:
        """Let the time pass, and what is due be called."""
        while due := sorted(each for each in self.timers if each[0] <= until):
            self.now = due[0][0]
            self.timers.remove(due[0])
            due[0][1]()
            await rounds()
        self.now = until


class Line:
    """Begins no request until the test does."""

    def __init__(self) -> None:
        self.waits: list[Signal] = []

    def begin(self, request: Signal) -> None:
        self.waits.append(request)


async def rounds() -> None:
    for _ in range(ROUNDS):
        await asyncio.sleep(0)


async def answers(scope: Any, receive: Any, send: Any) -> None:
    for message in WHOLE:
        await send(message)


def with_connection(
    play: Callable[[Any, Wire, Clock], Coroutine[Any, Any, None]],
    application: Any = answers,
) -> None:
    """Have a connection of which the test tells the time played with."""

    async def run() -> None:
        served_by = Worker(application)
        clock = served_by.loop = Clock()  # type: ignore[assignment]
        connection, wire = worker.Connection(served_by), Wire()
        connection.connection_made(wire)
        await play(connection, wire, clock)
        connection.connection_lost(None)
        await asyncio.gather(connection._task, return_exceptions=True)

    asyncio.run(run())


async def ask(connection: Any) -> None:
    connection.data_received(REQUEST)
    await rounds()


def test_a_connection_is_closed_when_it_was_idle_for_as_long_as_it_is_kept():
    async def play(connection: Any, wire: Wire, clock: Clock) -> None:
        await ask(connection)
        await clock.go_on(KEPT - 1)
        assert not wire.is_closed
        await clock.go_on(KEPT)
        assert wire.is_closed
        assert connection._task.done()

    with_connection(play)


def test_each_request_keeps_its_connection_anew():
    async def play(connection: Any, wire: Wire, clock: Clock) -> None:
        for moment in (0, 50, 100, 150):
            await clock.go_on(moment)
            await ask(connection)
            assert len(clock.timers) <= 2  # that of its first request is one
        await clock.go_on(150 + KEPT - 1)
        assert not wire.is_closed
        await clock.go_on(150 + KEPT)
        assert wire.is_closed
        assert wire.sent.count(b"200 OK") == 4

    with_connection(play)


def test_a_connection_that_answers_is_not_idle():
    goes_on = asyncio.Event()

    async def slowly(scope: Any, receive: Any, send: Any) -> None:
        if b"200" in wires[0].sent:
            await goes_on.wait()
        await answers(scope, receive, send)

    async def play(connection: Any, wire: Wire, clock: Clock) -> None:
        wires.append(wire)
        await ask(connection)
        await clock.go_on(10)
        await ask(connection)
        await clock.go_on(300)
        assert not wire.is_closed
        goes_on.set()
        await rounds()
        await clock.go_on(300 + KEPT - 1)
        assert not wire.is_closed
        await clock.go_on(300 + KEPT)
        assert wire.is_closed

    wires: list[Wire] = []
    with_connection(play, slowly)


def test_a_failure_of_the_application_is_told_and_ends_its_connection():
    async def fails(scope: Any, receive: Any, send: Any) -> None:
        raise OSError("broken")

    async def play(connection: Any, wire: Wire, clock: Clock) -> None:
        told: list[Any] = []
        connection.log.error = lambda *of, **how: told.append((of[1], how["exc_info"]))
        await ask(connection)
        ((shown, traced),) = told
        assert str(shown) == "broken"
        assert shown is traced
        assert wire.is_closed
        assert wire.sent.startswith(b"HTTP/1.1 500 ")

    with_connection(play, fails)


def test_an_idle_connection_is_closed_when_the_worker_ends_but_not_at_once():
    async def play(connection: Any, wire: Wire, clock: Clock) -> None:
        await clock.go_on(5)
        await ask(connection)
        connection.close_if_idle()
        assert not wire.is_closed
        await clock.go_on(6)
        connection.close_if_idle()
        assert wire.is_closed

    with_connection(play)


def test_a_connection_is_not_idle_because_the_machine_stood_still(monkeypatch):
    """Its client had no more time to ask than its server to answer."""
    monkeypatch.setattr(worker, "IDLE_CHECK_SECONDS", 0.05)
    asked: list[float] = []

    async def run() -> None:
        loop = asyncio.get_running_loop()
        idle: Any = SimpleNamespace(close_if_idle=asked.append)
        ending: Any = SimpleNamespace(connections=[idle], loop=loop)
        closing = asyncio.create_task(worker.Worker._keep_closing(ending))
        await asyncio.sleep(0.01)
        time.sleep(0.2)
        awake_since = loop.time()
        async with asyncio.timeout(30):
            while asked[-1] < awake_since:
                await asyncio.sleep(0.01)
        closing.cancel()

    asyncio.run(run())
    assert asked[0] == 0

    async def play(connection: Any, wire: Wire, clock: Clock) -> None:
        await ask(connection)
        await clock.go_on(20)
        connection.close_if_idle(19.5)
        assert not wire.is_closed
        connection.close_if_idle(18.5)
        assert wire.is_closed

    with_connection(play)


def test_a_connection_whose_request_waits_to_be_begun_is_not_idle():
    async def play(connection: Any, wire: Wire, clock: Clock) -> None:
        await ask(connection)
        await clock.go_on(KEPT - 1)
        starts, connection.worker.starts = connection.worker.starts, Line()
        await ask(connection)
        connection.close_if_idle()
        await clock.go_on(KEPT + 1)
        assert not wire.is_closed
        for request in connection.worker.starts.waits:
            starts.begin(request)
        await rounds()
        assert wire.sent.count(b"200 OK") == 2

    with_connection(play)


def test_whoever_waits_for_a_signal_goes_on_once_it_is_on():
    async def run() -> None:
        signal = Signal(asyncio.get_running_loop())
        waits = signal.wait()
        assert not waits.done()
        signal.set()
        signal.set()
        await waits
        assert signal.is_on
        signal.is_on = False
        signal.wait().cancel()
        signal.set()  # nobody waits any more
        assert signal.is_on

    asyncio.run(run())
