"""The connections of one event loop, each to an address that was checked."""

import asyncio
import functools
import socket
import ssl
from dataclasses import replace
from typing import Any, NamedTuple

import aiohttp
import httpx
from aiohttp.connector import AddrInfoType

from providers.transport import guard
from providers.transport.connection import Connection
from providers.transport.deadline import Deadlines
from providers.transport.guard import Guard, Lookup
from providers.transport.outgoing import Origin, target
from providers.transport.ways import Proxy, proxies
from providers.transport.ways.proxies import Asked

# Images come from wherever clients say; what is kept per origin must not add up.
MAX_DESTINATIONS = 1024


class Destination(NamedTuple):
    """An origin: what aiohttp's connector needs to know, and the fixed header lines.

    `idle` are the connections to it that wait for a request. Behind a proxy `asked` is
    who it is asked for, and `before` what stands before a request's path.
    """

    request: aiohttp.ClientRequest
    lines: bytes
    idle: list[Connection]
    asked: Asked | None = None
    before: bytes = b""


class Pool:
    """The connections of one event loop and one kind; they are never mixed."""

    def __init__(
        self,
        watch: Guard,
        lookup: Lookup,
        ssl_context: ssl.SSLContext | None,
        proxy: Proxy | None = None,
    ) -> None:
        self.guard = watch
        self._lookup = lookup
        self._proxy = proxy
        self._ssl_context = ssl_context
        self._service_ports = {port for _, port in watch.rules.services}
        self._destinations: dict[Origin, Destination] = {}
        self.deadlines = Deadlines()
        self.connector = self._connector(watch)
        if proxy is not None:
            own = replace(watch, private_network=proxy.private_network)
            self._to_proxy = self._connector(own)

    def _connector(self, watch: Guard) -> aiohttp.TCPConnector:
        """Return what makes connections; idle ones are kept by their destination."""
        connector = aiohttp.TCPConnector(
            limit=0,
            force_close=True,
            resolver=guard.GuardedResolver(watch, self._lookup),
            socket_factory=functools.partial(_socket, watch),
            ssl=self._ssl_context or True,
        )
        factory: Any = functools.partial(Connection, self.deadlines)
        connector._factory = factory
        return connector

    def destination(self, origin: Origin, url: httpx.URL) -> Destination:
        """Return the destination of `url`, of this `origin`.

        Raises httpx.UnsupportedProtocol, or ValueError for an address that is none.
        """
        found = self._destinations.get(origin)
        if found is None:
            if len(self._destinations) >= MAX_DESTINATIONS:
                self._destinations.clear()
            found = self._destinations[origin] = self._destination(url)
        return found

    def _destination(self, url: httpx.URL) -> Destination:
        proxy = self._proxy
        if proxy is None or not proxy.is_for(url.raw_host.decode("ascii")):
            return _destination(url)
        return _behind(proxy, url)

    def idle(self, to: Destination, now: float) -> Connection | None:
        """Return a connection that waits for a request, the last one used first."""
        while to.idle:
            connection = to.idle.pop()
            if connection.is_fit(now):
                return connection
            connection.abort()
        return None

    async def connect(self, to: Destination, seconds: float | None) -> Connection:
        """Return a new connection that was checked.

        Raises what aiohttp raises, and httpx.ConnectError where a proxy is asked.
        """
        if to.asked is None:
            return await self._connected(to, seconds, self.connector)
        await proxies.judge(to.asked, self.guard, self._lookup)
        return await proxies.connect(
            to.asked,
            seconds,
            functools.partial(self._connected, to, seconds, self._to_proxy),
            self._ssl_context or _usual_context(),
        )

    async def _connected(
        self, to: Destination, seconds: float | None, connector: aiohttp.TCPConnector
    ) -> Connection:
        port = to.request.port
        if port is not None and port in self._service_ports:
            # Its addresses must be known before ours are compared with them.
            await self.guard.learn(port, self._lookup)
        lease = await connector.connect(
            to.request, traces=[], timeout=_client_timeout(seconds)
        )
        connection = lease.protocol
        assert isinstance(connection, Connection)  # noqa: S101
        connection.lease, connection.idle = lease, to.idle
        return connection

    async def aclose(self) -> None:
        """Close all connections."""
        await self.connector.close()
        if self._proxy is not None:
            await self._to_proxy.close()


def _socket(watch: Guard, info: AddrInfoType) -> socket.socket:
    """Make the socket for one attempt, after a last look at where it goes.

    Host names were checked as a whole by the resolver; an address written in the URL
    itself is seen only here.
    """
    family, kind, protocol, _, address = info
    watch.check(str(address[0]), int(address[1]))
    return socket.socket(family, kind, protocol)


@functools.cache
def _usual_context() -> ssl.SSLContext:
    return ssl.create_default_context()


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


def _behind(proxy: Proxy, url: httpx.URL) -> Destination:
    """Return the destination of `url` as one that `proxy` is asked for.

    It reads the head of a request that is not encrypted, address and credentials of its
    own included. https://www.rfc-editor.org/rfc/rfc9112#section-3.2.2
    """
    direct = _destination(url)
    is_tls = url.scheme == "https"
    host = url.raw_host.decode("ascii")
    asked = Asked(host, url.port or (443 if is_tls else 80), is_tls, proxy)
    request = aiohttp.ClientRequest(
        "GET", target(httpx.URL(f"http://{proxy}")), loop=asyncio.get_running_loop()
    )
    if is_tls:
        return Destination(request, direct.lines, [], asked)
    lines = direct.lines
    if proxy.authorization:
        own = f"\r\nproxy-authorization: {proxy.authorization}\r\n".encode()
        lines = lines.replace(b"\r\n", own, 1)
    return Destination(request, lines, [], asked, b"http://" + url.netloc)


@functools.lru_cache(maxsize=64)
def _client_timeout(connect: float | None) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=None, connect=connect)
