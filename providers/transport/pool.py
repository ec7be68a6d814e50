"""The connections of one event loop, each to an address that was checked."""

import asyncio
import functools
import socket
import ssl
from time import monotonic
from typing import Any, NamedTuple

import aiohttp
import httpx
from aiohttp.connector import AddrInfoType

from providers.transport import guard
from providers.transport.connection import Connection
from providers.transport.deadline import Deadlines
from providers.transport.guard import Guard, Lookup
from providers.transport.outgoing import Origin, target

# Images come from wherever clients say; what is kept per origin must not add up.
MAX_DESTINATIONS = 1024


class Destination(NamedTuple):
    """An origin: what aiohttp's connector needs to know, and the fixed header lines.

    `idle` are the connections to it that wait for a request.
    """

    request: aiohttp.ClientRequest
    lines: bytes
    idle: list[Connection]


class Pool:
    """The connections of one event loop and one kind; they are never mixed."""

    def __init__(
        self, watch: Guard, lookup: Lookup, ssl_context: ssl.SSLContext | None
    ) -> None:
        self.guard = watch
        self._lookup = lookup
        self._service_ports = {port for _, port in watch.rules.services}
        self._destinations: dict[Origin, Destination] = {}
        self.deadlines = Deadlines()
        # It makes connections; those that wait for a request are kept here.
        self.connector = aiohttp.TCPConnector(
            limit=0,
            force_close=True,
            resolver=guard.GuardedResolver(self.guard, self._lookup),
            socket_factory=self._socket,
            ssl=ssl_context or True,
        )
        factory: Any = functools.partial(Connection, self.deadlines)
        self.connector._factory = factory

    def destination(self, origin: Origin, url: httpx.URL) -> Destination:
        """Return the destination of `url`, of this `origin`.

        Raises httpx.UnsupportedProtocol, or ValueError for an address that is none.
        """
        found = self._destinations.get(origin)
        if found is None:
            if len(self._destinations) >= MAX_DESTINATIONS:
                self._destinations.clear()
            found = self._destinations[origin] = _destination(url)
        return found

    def idle(self, to: Destination) -> Connection | None:
        """Return a connection that waits for a request, the last one used first."""
        now = monotonic()
        while to.idle:
            connection = to.idle.pop()
            if connection.is_fit(now):
                return connection
            connection.abort()
        return None

    async def connect(self, to: Destination, seconds: float | None) -> Connection:
        """Return a new connection that was checked; raises what aiohttp raises."""
        port = to.request.port
        if port is not None and port in self._service_ports:
            # Its addresses must be known before ours are compared with them.
            await self.guard.learn(port, self._lookup)
        lease = await self.connector.connect(
            to.request, traces=[], timeout=_client_timeout(seconds)
        )
        connection = lease.protocol
        assert isinstance(connection, Connection)  # noqa: S101
        connection.lease, connection.idle = lease, to.idle
        return connection

    async def aclose(self) -> None:
        """Close all connections."""
        await self.connector.close()

    def _socket(self, info: AddrInfoType) -> socket.socket:
        """Make the socket for one attempt, after a last look at where it goes.

        Host names were checked as a whole by the resolver; an address written in the
        URL itself is seen only here.
        """
        family, kind, protocol, _, address = info
        self.guard.check(str(address[0]), int(address[1]))
        return socket.socket(family, kind, protocol)


def _destination(url: httpx.URL) -> Destination:
    if url.scheme not in ("http", "https") or not url.raw_host:
        raise httpx.UnsupportedProtocol("Only http and https addresses can be called.")
    request = aiohttp.ClientRequest("GET", target(url), loop=asyncio.get_running_loop())
    lines = (
        b" HTTP/1.1\r\nhost: "
        + url.netloc
        + b"\r\naccept-encoding: identity\r\ncontent-length: "
    )
    return Destination(request, lines, [])


@functools.lru_cache(maxsize=64)
def _client_timeout(connect: float | None) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=None, connect=connect)
