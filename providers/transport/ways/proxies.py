"""Connections through a forward proxy: who may be asked for by it, and the tunnel.

A proxy looks names up itself, and is told them: companies' proxies know what may be
reached by name. So whom it is asked for is judged here first, by the addresses that the
name has here. https://www.rfc-editor.org/rfc/rfc9110#section-9.3.6
"""

import asyncio
import os
import ssl
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import NamedTuple

import aiohttp
import httpx

from providers import addresses
from providers.transport.connection import Connection
from providers.transport.failures import (
    DestinationBlocked,
    NameNotResolved,
    ProxyFailed,
    not_resolved,
    tls_failed,
)
from providers.transport.guard import Forbidden, Guard, Lookup
from providers.transport.ways import Proxy

_BUSY = frozenset({429, 500, 502, 503, 504})


class Asked(NamedTuple):
    """Who is asked for, and the proxy that is asked."""

    host: str
    port: int
    is_tls: bool
    proxy: Proxy

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


async def judge(asked: Asked, guard: Guard, lookup: Lookup) -> None:
    """Raise DestinationBlocked or NameNotResolved unless it may be asked for."""
    try:
        await guard.learn(asked.port, lookup)
        for address in await lookup(asked.host, asked.port):
            guard.check(address, asked.port)
    except Forbidden as error:
        raise DestinationBlocked(f"{asked} is not connected to: {error}.") from error
    except OSError as error:
        if not _may_be_unknown(asked, guard):
            raise not_resolved(asked.host, error) from error


def _may_be_unknown(asked: Asked, guard: Guard) -> bool:
    """Tell whether a name that nobody knows here may be handed to the proxy.

    Only where the answer proves that it comes from there.
    """
    is_private = addresses.looks_private(asked.host) and not guard.private_network
    return asked.proxy.resolves_names and asked.is_tls and not is_private


async def connect(
    asked: Asked,
    seconds: float | None,
    connecting: Callable[[], Awaitable[Connection]],
    context: ssl.SSLContext,
) -> Connection:
    """Return a connection that is fit for requests to whom is asked for.

    `connecting` makes the one to the proxy. Raises httpx.ConnectError, of which
    ProxyFailed and DestinationBlocked are the usual ones.
    """
    proxy = asked.proxy
    connection = None
    try:
        async with asyncio.timeout(seconds):
            connection = await connecting()
            if asked.is_tls:
                await _open(connection, asked)
                await _secure(connection, asked, context)
            return connection
    except TimeoutError:
        failure: httpx.TransportError = ProxyFailed(
            f"The proxy {proxy} did not answer in time. Is it running and reachable "
            "from this server?",
            "its proxy did not answer in time",
        )
    except (aiohttp.ClientError, OSError, ValueError) as error:
        failure = _unreached(proxy, error)
    except httpx.TransportError as error:
        failure = error
    except BaseException:
        _close(connection)
        raise
    _close(connection)
    raise failure


def _close(connection: Connection | None) -> None:
    if connection is not None:
        connection.abort()


async def _open(connection: Connection, asked: Asked) -> None:
    """Have the proxy connect to whom is asked for; raises ProxyFailed."""
    lines = [f"CONNECT {asked} HTTP/1.1", f"host: {asked}"]
    if asked.proxy.authorization:
        lines.append(f"proxy-authorization: {asked.proxy.authorization}")
    head = "\r\n".join([*lines, "", ""]).encode()
    await connection.ask("CONNECT", head, b"", None, monotonic())
    try:
        status = connection.status()
    except (httpx.RemoteProtocolError, httpx.ReadError):
        raise _no_proxy(asked.proxy, "does not answer as a proxy does") from None
    if not 200 <= status < 300:
        raise refused(asked, status)
    if connection.answer.pieces:
        raise _no_proxy(asked.proxy, "says more than a proxy does")


async def _secure(
    connection: Connection, asked: Asked, context: ssl.SSLContext
) -> None:
    """Speak TLS with whom is asked for; raises TLSFailed."""
    loop, wire = asyncio.get_running_loop(), connection.transport
    if wire is None:
        raise _no_proxy(asked.proxy, "closed the connection")
    try:
        secured = await loop.start_tls(
            wire, connection, context, server_hostname=asked.host.rstrip(".")
        )
    except ssl.SSLError as error:
        raise tls_failed(error, str(asked)) from error
    except (ConnectionError, EOFError) as error:
        raise ProxyFailed(
            f"The connection to {asked} through the proxy {asked.proxy} ended before "
            "TLS was agreed on.",
            "the connection through its proxy ended at once",
        ) from error
    if secured is None:
        raise _no_proxy(asked.proxy, "closed the connection")
    connection.begin_anew(secured)


def refused(asked: Asked, status: int) -> ProxyFailed:
    """Return what a proxy means by a status of its own."""
    proxy = asked.proxy
    match status:
        case 407 if proxy.authorization:
            return ProxyFailed(
                f"The proxy {proxy} refused its user name and password (407). Enter "
                "them again.",
                "its proxy refused the user name and password (407)",
                needs_change=True,
            )
        case 407:
            return ProxyFailed(
                f"The proxy {proxy} wants a user name and password (407). Enter them.",
                "its proxy wants a user name and password (407)",
                needs_change=True,
            )
        case 403:
            return ProxyFailed(
                f"The proxy {proxy} does not allow {asked} (403). Have whoever runs it "
                "allow this address.",
                "its proxy does not allow its address (403)",
                needs_change=True,
            )
        case _ if status in _BUSY:
            return ProxyFailed(
                f"The proxy {proxy} cannot reach {asked} ({status}).",
                f"its proxy cannot reach it ({status})",
            )
    return _no_proxy(proxy, f"answered CONNECT with {status}")


def _no_proxy(proxy: Proxy, what: str) -> ProxyFailed:
    return ProxyFailed(
        f"What listens at {proxy} {what}: it is no proxy, or none for https. Check the "
        "proxy's address and port.",
        "what listens at its proxy's address is no proxy",
        needs_change=True,
    )


def _unreached(proxy: Proxy, error: Exception) -> httpx.ConnectError:
    """Return the exception for a connection to a proxy that was not made."""
    reason = getattr(error, "os_error", error)
    if isinstance(reason, Forbidden):
        return DestinationBlocked(f"The proxy {proxy} is not connected to: {reason}.")
    if isinstance(error, aiohttp.ClientConnectorDNSError | NameNotResolved):
        return ProxyFailed(
            f"The name of the proxy {proxy} cannot be resolved. Check how it is "
            "spelled.",
            "the name of its proxy cannot be resolved",
        )
    number = getattr(error, "errno", None)
    why = os.strerror(number).lower() if number else "connection failed"
    return ProxyFailed(
        f"Cannot connect to the proxy {proxy}: {why}. Is it running and reachable from "
        "this server?",
        "its proxy cannot be reached",
    )
