"""Endpoints: what an administrator may type, and what URL it leads to. Pure functions.

Joining is forgiving: ``https://api.openai.com``, ``.../v1`` and ``.../v1/`` all lead to
``https://api.openai.com/v1/chat/completions``.
"""

import ipaddress
import re
from urllib.parse import unquote, urlsplit

from providers import addresses, vendors

MAX_LENGTH = 2048
DEFAULT_PORTS = {"http": 80, "https": 443}


class EndpointError(ValueError):
    """An endpoint that cannot be used; the message says what to change."""


def normalize(endpoint: str, strip_tail: bool = True) -> str:
    """Return `endpoint` without trailing slashes and pasted operation paths.

    With `strip_tail` off the path stays as typed (token and authorization URLs).
    Raises EndpointError with a sentence for the administrator.
    """
    text = endpoint.strip()
    if not text:
        raise EndpointError("Enter the provider's API address.")
    if len(text) > MAX_LENGTH:
        raise EndpointError(f"The address is longer than {MAX_LENGTH} characters.")
    if re.search(r"[\x00-\x20\x7f]", text) or "\\" in text:
        raise EndpointError(
            "The address holds a space, backslash or control character."
        )
    if "://" not in text:
        raise EndpointError(f"The address needs a scheme: https://{text}")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise EndpointError("The address has a malformed host or port.") from None
    if parts.scheme.lower() not in DEFAULT_PORTS:
        raise EndpointError(
            f"The scheme must be https or http, not {parts.scheme or 'empty'}."
        )
    if not parts.hostname:
        raise EndpointError("The address names no host.")
    if parts.username is not None or parts.password is not None:
        raise EndpointError(
            "The address holds a user name or password. Remove it; credentials go into "
            "the Authentication fields."
        )
    if parts.query or "?" in text:
        raise EndpointError("The address must not hold a query (`?...`).")
    if parts.fragment or "#" in text:
        raise EndpointError("The address must not hold a fragment (`#...`).")
    if port == 0:
        raise EndpointError("Port 0 cannot be connected to.")
    _check_host(parts.hostname)
    path = parts.path
    if any(part in (".", "..") for part in unquote(path).split("/")):
        raise EndpointError("The address holds a `.` or `..` between slashes.")
    if strip_tail:
        path = _without_tail(path.rstrip("/")).rstrip("/")
    return f"{parts.scheme.lower()}://{_netloc(parts.hostname, port)}{path}"


def _without_tail(path: str) -> str:
    """Return `path` without the operation that was pasted along, of whatever vendor."""
    tails = [tail for each in vendors.VENDORS.values() for tail in each.pasted_tails]
    pasted = [tail for tail in tails if path.endswith(tail)]
    return path.removesuffix(max(pasted, key=len, default=""))


def join(endpoint: str, path: str) -> str:
    """Return the URL of `path` (as a translator renders it) under `endpoint`.

    Where the endpoint already ends in the version the path starts with, it stands once.
    A version of another kind at the endpoint's end (``/v1beta/openai``, ``/v4``) takes
    the path's place: such servers have ``/chat/completions`` right below it.
    """
    base = endpoint.rstrip("/")
    if path.startswith("/api/"):
        # Lies beside the OpenAI-compatible paths of the same server.
        return re.sub(r"/(v1|api)$", "", base) + path
    if not path.startswith("/v1/"):
        return base + path
    if re.search(r"/(v\d+[a-z0-9]*)(/openai)?$", base) or base.endswith("/openai"):
        return base + path.removeprefix("/v1")
    return base + path


def chat_url(provider_type: str, endpoint: str, region: str = "") -> str:
    """Return the URL of chat calls, for display; empty for an unusable endpoint."""
    try:
        base = normalize(endpoint.replace("{region}", region or "{region}"))
    except EndpointError:
        return ""
    return join(base, vendors.of(provider_type).chat_path)


def origin(url: str) -> str:
    """Return scheme, host and port of `url`: what a secret is bound to."""
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    port = parts.port or DEFAULT_PORTS[scheme]
    return f"{scheme}://{_bracketed(parts.hostname or '')}:{port}"


def is_private(endpoint: str) -> bool:
    """Tell whether the endpoint's host is, by its looks alone, on a private network.

    True for loopback and private addresses, ``localhost``, single-label names and the
    usual internal suffixes. Names are not resolved here; the transport checks every
    address it connects to.
    """
    host = (urlsplit(endpoint).hostname or "").rstrip(".")
    try:
        address = addresses.parse(host)
    except ValueError:
        return (
            host == "localhost"
            or "." not in host
            or host.endswith(
                (".localhost", ".local", ".internal", ".lan", ".home.arpa")
            )
        )
    return addresses.kind(address) is addresses.Kind.PRIVATE


def _check_host(host: str) -> None:
    """Raise EndpointError unless `host` is a name or an address in its usual form.

    Other spellings of an IPv4 address (``127.1``, ``0x7f000001``, ``2130706433``) mean
    different addresses to different programs.
    """
    labels = host.rstrip(".").split(".")
    is_numeric = ":" in host or re.fullmatch(r"[0-9]+|0[xX][0-9a-fA-F]*", labels[-1])
    if is_numeric:
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            raise EndpointError(
                f"`{host}` is not an IP address in its usual form."
            ) from None
        if "%" in host:
            raise EndpointError(f"`{host}` holds a scope id, which means nothing here.")
        if addresses.kind(address) is addresses.Kind.FORBIDDEN:
            raise EndpointError(f"`{host}` is an address that is never connected to.")
        return
    label = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
    if len(host) > 253 or not all(re.fullmatch(label, each) for each in labels):
        raise EndpointError(f"`{host}` is not a host name or address.")


def _netloc(host: str, port: int | None) -> str:
    return _bracketed(host) + (f":{port}" if port else "")


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host.lower()
