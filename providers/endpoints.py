"""Endpoints: what an administrator may type, and what URL it leads to. Pure functions.

Joining is forgiving: ``https://api.openai.com``, ``.../v1`` and ``.../v1/`` all lead to
``https://api.openai.com/v1/chat/completions``. An address typed down to its operation
is taken as it is.
"""

import functools
import ipaddress
import re
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from providers import addresses, key_shapes, vendors
from providers.vendors import hosts

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
    if re.match(r"https?:/+https?:", text, re.IGNORECASE):
        raise EndpointError("The address begins with its scheme twice.")
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
    _check_query(parts.query)
    if parts.fragment or "#" in text:
        raise EndpointError("The address must not hold a fragment (`#...`).")
    if port == 0:
        raise EndpointError("Port 0 cannot be connected to.")
    _check_host(parts.hostname)
    path = parts.path
    if any(part in (".", "..") for part in unquote(path).split("/")):
        raise EndpointError("The address holds a `.` or `..` between slashes.")
    root = f"{parts.scheme.lower()}://{_netloc(parts.hostname, port)}"
    query = f"?{parts.query}" if parts.query else ""
    if not strip_tail:
        return root + path + query
    return _without_tail(root + path.rstrip("/"), query)


def _check_query(query: str) -> None:
    """Raise EndpointError if something in `query` looks like a key.

    Others, as ``api-version``, are part of the address.
    """
    for name, value in parse_qsl(query, keep_blank_values=True):
        if _KEY_NAMES.search(name) or key_shapes.shape_in(value):
            raise EndpointError(
                f"`{name}` in the address looks like a key. Remove it; credentials go "
                "into the Authentication fields."
            )


# Words of a parameter's name, as in `key`, `api_key`, `subscription-key`, `sig`.
_KEY_NAMES = re.compile(
    r"(?i)(^|[-_])(key|token|secret|sig|signature|password|credential|auth)$|apikey"
)


def _tail(path: str) -> str:
    """Return the operation at the end of `path`, of whatever vendor; else nothing."""
    tails = [tail for each in vendors.VENDORS.values() for tail in each.pasted_tails]
    return max((each for each in tails if path.endswith(each)), key=len, default="")


def _without_tail(url: str, query: str) -> str:
    """Return the address without its operation where that comes back by itself."""
    tail = _tail(url)
    base = url.removesuffix(tail).rstrip("/")
    path = tail if tail.startswith(("/v1/", "/api/")) else f"/v1{tail}"
    if tail and join(base + query, path) != url + query:
        return url + query
    return base + query


class _Base(NamedTuple):
    """An address, taken apart: for paths below the version, for others, its query."""

    versioned: str
    plain: str
    query: str


@functools.lru_cache(1024)
def _base(endpoint: str, version: str) -> _Base:
    """Return what calls of `endpoint` begin and end with.

    `version` is the option of that name. Asked for every call, so that it is kept.
    """
    address, _mark, query = endpoint.partition("?")
    plain = address.rstrip("/")
    tail = _tail(plain)
    stem = plain.removesuffix(tail).rstrip("/")
    scheme, _colon, rest = stem.partition("://")
    netloc, slash, path = rest.partition("/")
    documented = hosts.base_path(netloc.partition(":")[0].lower())
    if documented is not None and f"{documented}/".startswith(f"{slash}{path}/"):
        versioned = f"{scheme}://{netloc}{documented}"
    elif tail:
        versioned = stem + ("/v1" if tail.startswith("/v1/") else "")
    else:
        has_none = documented is not None and not _has_version(documented)
        versioned = stem + _version_of(stem, slash + path, version, has_none)
    return _Base(versioned, plain, query)


_has_version = re.compile(r"/v\d[\w.]*(/|$)").search


def _version_of(stem: str, path: str, version: str, has_none: bool) -> str:
    """Return what stands between an address and OpenAI's paths below it.

    Where the address that is documented for a host `has_none`, others have none.
    """
    if version:
        return "" if version == "none" else f"/{version}"
    for end, follows in hosts.ENDS.items():
        if stem.endswith(end):
            return follows
    return "" if has_none or _has_version(path) else "/v1"


def join(endpoint: str, path: str, version: str = "") -> str:
    """Return the URL of `path` (as a translator renders it) under `endpoint`.

    The ``/v1`` that `path` starts with is left out where the address says where the
    API is: by a version of its own (``/v1beta/openai``, ``/v4``), by its operation
    (``.../chat/completions``), or as a vendor documents it. `version` settles it
    (``v1`` or ``none``). A query of the address stands in every URL.
    """
    base = _base(endpoint, version)
    if path.startswith("/v1/"):
        url = base.versioned + path[3:]
    elif path.startswith("/api/"):
        # Lies beside the OpenAI-compatible paths of the same server.
        url = re.sub(r"/(v1|api)$", "", base.plain) + path
    else:
        url = base.plain + path
    if not base.query:
        return url
    return f"{url}{'&' if '?' in path else '?'}{base.query}"


def chat_url(
    provider_type: str, endpoint: str, region: str = "", version: str = ""
) -> str:
    """Return the URL of chat calls, for display; empty for an unusable endpoint."""
    try:
        base = normalize(endpoint.replace("{region}", region or "{region}"))
    except EndpointError:
        return ""
    return join(base, vendors.of(provider_type).chat_path, version)


def origin(url: str) -> str:
    """Return scheme, host and port of `url`: what a secret is bound to."""
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    port = parts.port or DEFAULT_PORTS[scheme]
    return f"{scheme}://{_bracketed(parts.hostname or '')}:{port}"


def is_private(endpoint: str) -> bool:
    """Tell whether the endpoint's host is, by its looks alone, on a private network.

    Names are not resolved here; the transport checks every address it connects to.
    """
    return addresses.looks_private(urlsplit(endpoint).hostname or "")


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
