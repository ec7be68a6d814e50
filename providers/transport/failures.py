"""What went wrong before anything was sent, in httpx's exceptions."""

import os
import socket
import ssl

import aiohttp
import httpx

from providers.transport.guard import Forbidden
from providers.transport.outgoing import Unusable

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


def while_connecting(error: Exception, url: httpx.URL) -> httpx.TransportError:
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
