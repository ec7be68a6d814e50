"""The one guarded way out: an httpx transport over aiohttp's connections.

Everything that leaves this server towards a provider goes through `transport()`: chat
requests, token requests, status checks, model lists. What holds for all of them:

- Every address is checked when the connection is made, and the connection goes to the
  address that was checked (`guard`). TLS is verified against the name.
- Exactly the bytes of the request's path are sent: a signature covers them.
- No proxies, netrc, cookies or redirects; nothing comes from the environment.
- No compression is asked for; what comes compressed all the same is read (`encodings`).
- A cancelled or abandoned request closes its socket at once, and none takes longer as a
  whole than it may.

It uses aiohttp's connector (name cache, racing of addresses, TLS, pool) and response
parser, without the session above them: the session's cookies, redirects and writer task
cost more than the exchange itself.
"""

import asyncio
import contextlib
import functools
import math
import os
import socket
import ssl
import weakref
from collections.abc import Awaitable, Iterator, Mapping
from time import monotonic
from typing import Any, NamedTuple

import aiohttp
import httpx
from aiohttp.connector import AddrInfoType, Connection

from providers.transport import exchange, guard
from providers.transport.deadline import Deadlines, Overdue, Timed
from providers.transport.encodings import Encoded
from providers.transport.exchange import NoAnswer
from providers.transport.guard import Forbidden, Guard, Lookup, Rules
from providers.transport.outgoing import Unusable, address, header_lines, target
from providers.transport.repeats import Repeats, repeats_of

__all__ = [
    "DestinationBlocked",
    "Encoded",
    "GuardedTransport",
    "NameNotResolved",
    "NoAnswer",
    "Overdue",
    "Repeats",
    "TLSFailed",
    "Unusable",
    "address",
    "header_lines",
    "nothing_was_sent",
    "read",
    "repeats_of",
    "transport",
    "use",
]

KEEP_ALIVE_SECONDS = 30
SOON = 1.0
# How long an exchange may take that names no time of its own.
LONGEST_SECONDS = 3600.0
# Images come from wherever clients say; what is kept per origin must not add up.
MAX_DESTINATIONS = 1024
UNKNOWN_NAME = frozenset(
    number
    for name in ("EAI_NONAME", "EAI_NODATA")
    if (number := getattr(socket, name, None)) is not None
)


class DestinationBlocked(httpx.ConnectError):
    """An address that may not be connected to. Nothing was sent."""


class NameNotResolved(httpx.ConnectError):
    """The host name has no address. Nothing was sent.

    `is_unknown` tells a name that does not exist from a name server out of order.
    """

    is_unknown = False


class TLSFailed(httpx.ConnectError):
    """No trusted TLS connection could be made. Nothing was sent."""


def nothing_was_sent(error: httpx.TransportError) -> bool:
    """Tell whether `error` came before the first byte of the request went out."""
    return isinstance(
        error,
        httpx.ConnectError
        | httpx.ConnectTimeout
        | httpx.PoolTimeout
        | httpx.LocalProtocolError
        | httpx.UnsupportedProtocol,
    )


class _Destination(NamedTuple):
    """An origin: what aiohttp's connector needs to know, and the fixed header lines."""

    request: aiohttp.ClientRequest
    lines: bytes


class _Pool:
    """The connections of one event loop and one kind; they are never mixed."""

    def __init__(
        self, watch: Guard, lookup: Lookup, ssl_context: ssl.SSLContext | None
    ) -> None:
        self.guard = watch
        self._lookup = lookup
        self._service_ports = {port for _, port in watch.rules.services}
        self._destinations: dict[tuple[bytes, bytes, int | None], _Destination] = {}
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

    def destination(self, url: httpx.URL) -> _Destination:
        """Return the destination of `url`; raises httpx.UnsupportedProtocol."""
        key = (url.raw_scheme, url.raw_host, url.port)
        found = self._destinations.get(key)
        if found is None:
            if len(self._destinations) >= MAX_DESTINATIONS:
                self._destinations.clear()
            found = self._destinations[key] = _destination(url)
        return found

    def connect(
        self, to: _Destination, seconds: float | None, *, anew: bool
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
        to: _Destination,
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


class GuardedTransport(httpx.AsyncBaseTransport):
    """Sends httpx requests to addresses that may be connected to.

    `request.extensions` may hold ``private_network`` (the provider's mark), ``repeats``
    (how often it may be asked once more, of `repeats`),
    ``timeout`` (seconds by ``connect``, ``first_byte``, ``silence`` and ``total``;
    ``read`` stands in for ``first_byte`` and ``silence``) and ``keep_alive`` (false for
    a call that comes alone and should leave no connection behind).

    The response's `stream` yields what the network delivered; close it with
    `response.aclose()` unless it was read to its end.
    """

    def __init__(
        self,
        rules: Rules | None = None,
        lookup: Lookup = guard.look_up,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._rules = rules or Rules.from_settings()
        self._lookup = lookup
        self._ssl_context = ssl_context
        self._pools: weakref.WeakKeyDictionary[
            asyncio.AbstractEventLoop, dict[tuple[bool, bool], _Pool]
        ] = weakref.WeakKeyDictionary()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send `request` and return the response once its headers are there.

        Raises httpx.TransportError; `nothing_was_sent` tells the harmless ones.
        """
        options = request.extensions
        timeout: Mapping[str, float | None] = options.get("timeout") or {}
        keep_alive: bool = options.get("keep_alive", True)
        path = request.url.raw_path
        pool = self._pool(
            bool(options.get("private_network")),
            path.startswith(b"/sandbox/") and guard.is_sandbox_path(path.decode()),
        )
        try:
            to = pool.destination(request.url)
        except ValueError as error:
            raise Unusable("The address cannot be used.") from error
        stream = request.stream
        if isinstance(stream, httpx.SyncByteStream):
            body = b"".join(stream)
        else:
            body = await request.aread()
        head = exchange.head(request, path, to.lines, len(body), keep_alive)
        total = timeout.get("total", LONGEST_SECONDS)
        ends_at = math.inf if total is None else monotonic() + total
        seconds = _least(timeout.get("connect"), total)
        anew = False
        while True:
            try:
                connection = await pool.connect(to, seconds, anew=anew)
            except (aiohttp.ClientError, OSError, ValueError) as error:
                raise _while_connecting(error, request.url) from error
            try:
                response = await exchange.perform(
                    connection,
                    request.method,
                    head,
                    body,
                    timeout,
                    pool.deadlines,
                    ends_at,
                    keep_alive,
                )
            except NoAnswer as failure:
                if anew:
                    repeats_of(options).failed()
                    raise
                if not _may_be_sent_again(request, failure):
                    raise
                anew = True
                seconds = _least(seconds, max(ends_at - monotonic(), 0.001))
            else:
                if anew:
                    response.extensions["sent_again"] = True
                return response

    def _pool(self, private_network: bool, sandbox: bool) -> _Pool:
        loop = asyncio.get_running_loop()
        pools = self._pools.get(loop)
        if pools is None:
            pools = self._pools[loop] = {}
        pool = pools.get((private_network, sandbox))
        if pool is None:
            watch = Guard(self._rules, private_network, sandbox)
            pool = _Pool(watch, self._lookup, self._ssl_context)
            pools[private_network, sandbox] = pool
        return pool

    async def aclose(self) -> None:
        """Close the connections that the running event loop opened."""
        pools = self._pools.pop(asyncio.get_running_loop(), {})
        for pool in pools.values():
            await pool.aclose()


_current: httpx.AsyncBaseTransport | None = None


def transport() -> httpx.AsyncBaseTransport:
    """Return the process's transport."""
    global _current
    if _current is None:
        _current = GuardedTransport()
    return _current


@contextlib.contextmanager
def use(replacement: httpx.AsyncBaseTransport) -> Iterator[httpx.AsyncBaseTransport]:
    """Make `transport()` return `replacement` meanwhile; for tests."""
    global _current
    before, _current = _current, replacement
    try:
        yield replacement
    finally:
        _current = before


async def read(response: httpx.Response, limit: int) -> bytes:
    """Return the body of `response`, `limit` bytes at most, and close it.

    Raises httpx.TransportError.
    """
    pieces, size = [], 0
    stream = response.stream
    assert isinstance(stream, httpx.AsyncByteStream)  # noqa: S101
    try:
        async for piece in stream:
            pieces.append(piece)
            size += len(piece)
            if size >= limit:
                break
    finally:
        await response.aclose()
    return b"".join(pieces)[:limit]


def _least(seconds: float | None, total: float | None) -> float | None:
    """Return the lesser of two limits, of which None is none."""
    if seconds is None or (total is not None and total < seconds):
        return total
    return seconds


def _may_be_sent_again(request: httpx.Request, failure: NoAnswer) -> bool:
    """Tell whether an upstream cannot have begun to work on a request.

    It closes connections that were idle for long, and may do so while the next request
    is under way: it has not seen that one. https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2
    """
    if not failure.reused or not repeats_of(request.extensions).are_left():
        return False
    return failure.seconds < SOON or "idempotency-key" in request.headers


def _destination(url: httpx.URL) -> _Destination:
    if url.scheme not in ("http", "https") or not url.raw_host:
        raise httpx.UnsupportedProtocol("Only http and https addresses can be called.")
    request = aiohttp.ClientRequest("GET", target(url), loop=asyncio.get_running_loop())
    lines = (
        b" HTTP/1.1\r\nhost: "
        + url.netloc
        + b"\r\naccept-encoding: identity\r\ncontent-length: "
    )
    return _Destination(request, lines)


@functools.lru_cache(maxsize=64)
def _client_timeout(connect: float | None) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=None, connect=connect)


def _while_connecting(error: Exception, url: httpx.URL) -> httpx.TransportError:
    """Return the httpx exception for a connection that was not made."""
    name = url.raw_host.decode("ascii")
    host = f"{name}:{url.port or (443 if url.scheme == 'https' else 80)}"
    refused = getattr(error, "os_error", error)
    if isinstance(refused, Forbidden):
        return DestinationBlocked(f"{host} is not connected to: {refused}.")
    match error:
        case aiohttp.InvalidURL():
            return DestinationBlocked(f"{host} is not an address in its usual form.")
        case ValueError() if not isinstance(error, OSError | aiohttp.ClientError):
            return Unusable(f"{name} cannot be looked up.")
        case TimeoutError():
            return httpx.ConnectTimeout(f"Connecting to {host} took too long.")
        case aiohttp.ClientConnectorDNSError():
            unresolved = NameNotResolved(f"The name {name} cannot be resolved.")
            unresolved.is_unknown = error.os_error.errno in UNKNOWN_NAME
            return unresolved
        case aiohttp.ClientConnectorCertificateError():
            cause = error.certificate_error
            reason = getattr(cause, "verify_message", "") or "verification failed"
            return TLSFailed(f"Certificate not trusted: {reason}.")
        case aiohttp.ClientConnectorSSLError() | ssl.SSLError():
            reason = getattr(error, "reason", "") or getattr(
                getattr(error, "os_error", None), "reason", ""
            )
            return TLSFailed(f"No TLS connection with {host}: {reason or 'refused'}.")
        case _:
            number = getattr(error, "errno", None)
            reason = os.strerror(number).lower() if number else "connection failed"
            return httpx.ConnectError(f"Cannot connect to {host}: {reason}.")
