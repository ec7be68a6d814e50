"""What upstreams of tests share: requests as they came, and a loop in a thread."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

START_SECONDS = 60
PATIENCE = 60.0


@dataclass
class Received:
    """One request, byte for byte; header names in lower case, times monotonic."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes
    at: float = field(default_factory=time.monotonic)

    def header(self, name: str) -> str | None:
        """Return the first header `name`, or None."""
        return next((v for k, v in self.headers if k == name.lower()), None)

    @property
    def path(self) -> str:
        """The raw path without the query."""
        return self.target.partition("?")[0]

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


Serve = Callable[[Callable[[], None], asyncio.Event], Awaitable[None]]
"""Serves from calling the first until the second is set."""


class LoopThread:
    """A thread with an event loop, in which a server runs until it is stopped.

    So that ordinary and asynchronous tests and other processes can call it.
    """

    def __init__(self, serve: Serve) -> None:
        self._serve = serve
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._begin, daemon=True)

    def start(self) -> None:
        """Return once the server is ready."""
        self._thread.start()
        assert self._ready.wait(START_SECONDS)

    def stop(self) -> None:
        """Return once the server has ended."""
        assert self._loop is not None
        assert self._stopped is not None
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join(START_SECONDS)

    def _begin(self) -> None:
        with asyncio.Runner(loop_factory=_Loop) as runner:
            runner.run(self._run())

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopped = asyncio.Event()
        await self._serve(self._ready.set, self._stopped)
        await _abort_all(self._loop)


class _Loop(asyncio.SelectorEventLoop):
    """asyncio's, but that a connection is closed which comes while its server closes.

    asyncio leaves its socket open: https://github.com/python/cpython/issues/109564
    """

    async def _accept_connection2(
        self,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        conn: socket.socket,
        extra: Any,
        sslcontext: Any = None,
        server: Any = None,
        *of_tls: Any,
        **more_of_tls: Any,
    ) -> None:
        if not server.is_serving():
            conn.close()
            return
        await super()._accept_connection2(  # type: ignore[misc]
            protocol_factory,
            conn,
            extra,
            sslcontext,
            server,
            *of_tls,
            **more_of_tls,
        )


async def _abort_all(loop: asyncio.AbstractEventLoop) -> None:
    """End the connections that still wait for somebody who does not read.

    The loop would leave them open, to be found by the garbage collector in the middle
    of another test. It offers no public list of them.
    """
    transports: Mapping[int, asyncio.WriteTransport] = loop._transports  # type: ignore[attr-defined]
    for transport in list(transports.values()):
        transport.abort()
    await asyncio.sleep(0)


def wait_until(claim: Callable[[], bool], seconds: float = PATIENCE) -> bool:
    """Wait until `claim` holds; tell whether it came to hold in time."""
    deadline = time.monotonic() + seconds
    while True:
        # Who sleeps for long looks once more.
        is_late = time.monotonic() > deadline
        if claim():
            return True
        if is_late:
            return False
        time.sleep(0.01)
