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
    """No trusted TLS connection could be made. Nothing was sent that was read.

    `cause` is the end of a sentence that begins with "cannot be reached": for clients,
    who are told no address. `hint` is what an administrator may do.
    """

    def __init__(self, message: str, cause: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.cause = cause
        self.hint = hint


class ProxyFailed(httpx.ConnectError):
    """The proxy did not connect. Nothing was sent.

    `cause` is as that of TLSFailed; `needs_change` tells what will not pass by itself.
    """

    def __init__(self, message: str, cause: str, *, needs_change: bool = False) -> None:
        super().__init__(message)
        self.cause = cause
        self.needs_change = needs_change


# What a server says that refuses to speak TLS with us, by OpenSSL's name for it.
# https://www.rfc-editor.org/rfc/rfc8446#section-6.2
_ALERTS = {
    "CERTIFICATE_REQUIRED": (
        "it wants a client certificate",
        "Enter a client certificate and its key under Advanced.",
    ),
    "CERTIFICATE_EXPIRED": (
        "it refused the client certificate, which has expired",
        "Enter a new client certificate and its key under Advanced.",
    ),
    "UNKNOWN_CA": (
        "it does not know the CA of the client certificate",
        "Enter a certificate of a CA that the server trusts, and the certificates "
        "between the two behind it.",
    ),
    "BAD_CERTIFICATE": ("it refused the client certificate", ""),
    "CERTIFICATE_UNKNOWN": ("it refused the client certificate", ""),
    "CERTIFICATE_REVOKED": ("it refused the client certificate as revoked", ""),
    "UNSUPPORTED_CERTIFICATE": ("it refused this kind of client certificate", ""),
    "ACCESS_DENIED": ("it does not admit the client certificate", ""),
    "HANDSHAKE_FAILURE": (
        "it broke TLS off, and may want a client certificate",
        "A client certificate and its key are entered under Advanced.",
    ),
}
_PRIVATE_CA = (
    "If a private CA signed it, enter that CA's certificate under Advanced, CA "
    "certificates."
)


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
            return not_resolved(name, error.os_error)
        case aiohttp.ClientConnectorCertificateError():
            return tls_failed(error.certificate_error, host)
        case aiohttp.ClientConnectorSSLError():
            return tls_failed(error.os_error, host)
        case ssl.SSLError():
            return tls_failed(error, host)
        case _ if url.scheme == "https" and isinstance(refused, ConnectionResetError):
            # Some close without the alert that would tell why.
            cause, hint = _ALERTS["HANDSHAKE_FAILURE"]
            return TLSFailed(f"No TLS connection with {host}: {cause}.", cause, hint)
        case _:
            number = getattr(error, "errno", None)
            reason = os.strerror(number).lower() if number else "connection failed"
            return httpx.ConnectError(f"Cannot connect to {host}: {reason}.")


def not_resolved(name: str, error: OSError) -> NameNotResolved:
    """Return the exception for a host name that has no address."""
    unresolved = NameNotResolved(f"The name {name} cannot be resolved.")
    unresolved.is_unknown = error.errno in UNKNOWN_NAME
    return unresolved


def tls_failed(error: Exception, host: str) -> TLSFailed:
    """Return the exception for a TLS connection with `host` that was not agreed on."""
    if isinstance(error, ssl.CertificateError):
        return _untrusted(error)
    reason = str(getattr(error, "reason", "") or "")
    cause, hint = _alert(reason)
    why = cause or reason or "refused"
    return TLSFailed(f"No TLS connection with {host}: {why}.", cause, hint)


def refusal(error: Exception | None) -> TLSFailed | None:
    """Return what a connection ended with, if that is a refusal to speak TLS with us.

    By TLS 1.3 a server refuses a client's certificate, or that there is none, when the
    client's first request may already be under way.
    """
    if not isinstance(error, ssl.SSLError):
        return None
    cause, hint = _alert(error.reason or "")
    if not cause:
        return None
    return TLSFailed(f"No TLS connection with the upstream: {cause}.", cause, hint)


def refusal_in(status: int, body: bytes) -> TLSFailed | None:
    """Return what an answer means that stands for a refusal of TLS: nginx sends one.

    https://nginx.org/en/docs/http/ngx_http_ssl_module.html#errors
    """
    if status != 400 or b"SSL certificate" not in body[:1024]:
        return None
    is_missing = b"No required SSL certificate was sent" in body[:1024]
    name = "CERTIFICATE_REQUIRED" if is_missing else "BAD_CERTIFICATE"
    cause, hint = _ALERTS[name]
    return TLSFailed(f"The server answered that {cause} ({status}).", cause, hint)


def _untrusted(error: ssl.CertificateError) -> TLSFailed:
    reason = getattr(error, "verify_message", "") or "verification failed"
    is_unknown = "issuer" in reason or "self-signed" in reason
    return TLSFailed(
        f"Certificate not trusted: {reason}.",
        "its certificate is not trusted",
        _PRIVATE_CA if is_unknown else "",
    )


def _alert(reason: str) -> tuple[str, str]:
    """Return what a server's alert means and what helps; nothing for none of them."""
    name = reason.partition("_ALERT_")[2]
    return _ALERTS.get(name, ("", ""))
