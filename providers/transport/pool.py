"""The connections of one event loop, each to an address that was checked."""

import asyncio
import functools
import socket
import ssl
from collections.abc import Awaitable
from typing import Any, NamedTuple

import aiohttp
import httpx
from aiohttp.connector import AddrInfoType, Connection

from providers.transport import guard
from providers.transport.deadline import Deadlines, Timed
from providers.transport.guard import Guard, Lookup
from providers.transport.outgoing import target

KEEP_ALIVE_SECONDS = 30
# Images come from wherever clients say; what is kept per origin must not add up.
MAX_DESTINATIONS = 1024


class Destination(NamedTuple):
    """An origin: what aiohttp's connector needs to know, and the fixed header lines."""

    request: aiohttp.ClientRequest
    lines: bytes


class Pool:
    """The connections of one event loop and one kind; they are never mixed."""

    def __init__(
        self, watch: Guard, lookup: Lookup, ssl_context: ssl.SSLContext | None
    ) -> None:
        self.guard = watch
        self._lookup = lookup
        self._service_ports = {port for _, port in watch.rules.services}
        self._destinations: dict[tuple[bytes, bytes, int | None], Destination] = {}
        self._ssl = ssl_context or True
        self.connector = self._connector(keepalive_timeout=KEEP_ALIVE_SECONDS)
        self._anew: aiohttp.TCPConnector | None = None
        self.deadlines = Deadlines()

    def _connector(self, **options: Any) -> aiohttp.TCPConnector:
        connector = aiohttp.TCPConnector(
            limit=0,
            resolver=guard.GuardedResolver(self.guard, self._lookup),
            socket_factory=self._socket,
            ssl=self._ssl,
            **options,
        )
        connector._factory = functools.partial(  # type: ignore[assignment]
            Timed, loop=asyncio.get_running_loop()
        )
        return connector

    def destination(self, url: httpx.URL) -> Destination:
        """Return the destination of `url`; raises httpx.UnsupportedProtocol."""
        key = (url.raw_scheme, url.raw_host, url.port)
        found = self._destinations.get(key)
        if found is None:
            if len(self._destinations) >= MAX_DESTINATIONS:
                self._destinations.clear()
            found = self._destinations[key] = _destination(url)
        return found

    def connect(
        self, to: Destination, seconds: float | None, *, anew: bool
    ) -> Awaitable[Connection]:
        """Return a connection that was checked; raises what aiohttp raises.

        With `anew` it is one that served nothing yet, and will serve nothing else.
        """
        connector = self.connector
        if anew:
            self._anew = self._anew or self._connector(force_close=True)
            connector = self._anew
        timeout = _client_timeout(seconds)
        if self._service_ports and to.request.port in self._service_ports:
            return self._connect_guarded(connector, to, timeout)
        return connector.connect(to.request, traces=[], timeout=timeout)

    async def _connect_guarded(
        self,
        connector: aiohttp.TCPConnector,
        to: Destination,
        limits: aiohttp.ClientTimeout,
    ) -> Connection:
        """Connect to a port that a service of ours uses, once its addresses are known.

        Raises what aiohttp raises.
        """
        assert to.request.port is not None  # noqa: S101
        await self.guard.learn(to.request.port, self._lookup)
        return await connector.connect(to.request, traces=[], timeout=limits)

    async def aclose(self) -> None:
        """Close all connections."""
        await self.connector.close()
        if self._anew is not None:
            await self._anew.close()

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
    return Destination(request, lines)


@functools.lru_cache(maxsize=64)
def _client_timeout(connect: float | None) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=None, connect=connect)
