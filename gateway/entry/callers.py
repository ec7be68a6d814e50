"""Who is calling: from request headers to a Caller, or an error.

One policy for every route, spelling of the header and alias. Keyless calls are for
programs on this machine: nothing that came through a proxy or out of a browser passes.
"""

import ipaddress
import re
import socket
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache, lru_cache

from django.conf import settings

from gateway.errors import GatewayError, invalid_request
from gateway.worker.snapshot import LOCAL, Caller, Snapshot
from providers import keys

KEY_HEADERS = ("x-api-key", "x-runagents-api-key")
_NO_OTHERS = frozenset(KEY_HEADERS)
_HEADERS = (*KEY_HEADERS, "authorization")
EXPIRED = "api_key_expired"
"""Code of the 401 for a key of ours whose time is over: nobody guesses those."""

# Headers that a proxy adds, by families, and those that a browser sends.
_PROXY_OR_BROWSER = re.compile(
    r"forwarded|via|x-forwarded.*|x-real-.*|x-original-.*|x-proxy.*|proxy-.*"
    r"|(.*-)?client-ip|cdn-loop|cf-.*|fly-.*|fastly-.*|x-envoy-.*|x-azure-.*"
    r"|x-appengine-.*|x-vercel-.*|x-arr-.*|x-request-start|x-scheme"
    r"|origin|sec-fetch-.*|sec-ch-.*"
)


def identify(
    snapshot: Snapshot,
    headers: Mapping[str, list[str]],
    address: str,
    *,
    sets_aside: bool = False,
) -> Caller:
    """Return who sends `headers` (lower-case name -> values) from `address`.

    With `sets_aside` keys that cannot be ours count for nothing beside one that can:
    some clients send their vendor's whatever they are told.
    Raises GatewayError: 401 for a key that is missing, malformed, unknown or revoked
    (one answer for all), 401 with the date for an expired one, 403 for a paused one,
    400 for several keys that differ.
    """
    if not sets_aside:
        key = _presented_key(headers)
    elif caller := snapshot.callers.get(keys.digest(_lone_key(headers))):
        # Nothing is to be set aside; asked of all, it would cost 15 µs.
        return admitted(caller)
    else:
        key = _known(snapshot, _candidates(headers))
    if key:
        return _caller_of(snapshot, key)
    if may_go_keyless(headers, address):
        return LOCAL
    raise unauthorized()


def digest_of(
    snapshot: Snapshot, headers: Mapping[str, list[str]], caller: Caller
) -> str:
    """Return the digest of the key that `headers` are those of `caller` by.

    Empty where they hold no key, or more than that one.
    """
    digest = keys.digest(_lone_key(headers))
    return digest if snapshot.callers.get(digest) is caller else ""


def unauthorized() -> GatewayError:
    """Return the 401 that all callers without a valid key get."""
    return GatewayError(
        401,
        "authentication_error",
        "No valid API key. Send a key of this gateway as `Authorization: Bearer "
        "<key>`; an administrator creates one in the console.",
        code="invalid_api_key",
        headers={"www-authenticate": "Bearer"},
    )


def holds_unknown_key(
    snapshot: Snapshot, headers: Mapping[str, list[str]], *, sets_aside: bool = False
) -> bool:
    """Tell whether `headers` hold a key that looks like ours and is not known.

    It may have been made since the registry was read.
    """
    try:
        found = _candidates(headers) if sets_aside else [_presented_key(headers)]
    except GatewayError:
        return False
    return any(
        keys.is_well_formed(key) and keys.digest(key) not in snapshot.callers
        for key in found
    )


def unreadable() -> GatewayError:
    """Return the 503 for a call that cannot be judged without the database."""
    return GatewayError(
        503,
        "server_error",
        "The gateway cannot read its registry now, and what it remembers does not "
        "tell whether this call is allowed. Try again shortly.",
        code="store_unavailable",
        headers={"retry-after": "2"},
    )


def too_many_wrong_keys(seconds: int) -> GatewayError:
    """Return the 429 for an address that tried too often; `seconds` until it may."""
    return GatewayError(
        429,
        "rate_limit_error",
        f"Too many requests without a valid API key. Try again in {seconds} s, or with "
        "a valid key at once.",
        code="rate_limit_exceeded",
        headers={"retry-after": str(seconds)},
    )


def _presented_key(headers: Mapping[str, list[str]]) -> str:
    """Return the one key in the headers, or an empty string."""
    presented, authorization = [], headers.get("authorization", ())
    for value in authorization:
        scheme, _, token = value.strip().partition(" ")
        if scheme != "Bearer" and scheme.lower() != "bearer":
            raise unauthorized()
        presented.append(token.strip())
    if len(presented) == 1 and _NO_OTHERS.isdisjoint(headers):
        return "" if presented[0] == keys.PLATFORM_MANAGED else presented[0]
    for name in KEY_HEADERS:
        if name in headers:
            presented += [value.strip() for value in headers[name]]
    presented = [key for key in presented if key and key != keys.PLATFORM_MANAGED]
    if len(presented) < 2 and len(authorization) < 2:
        return presented[0] if presented else ""
    if len(set(presented)) > 1 or len(authorization) > 1:
        raise _ambiguous()
    return presented[0] if presented else ""


def _lone_key(headers: Mapping[str, list[str]]) -> str:
    """Return the value of the only header for a key, an empty string for several."""
    names = [name for name in _HEADERS if name in headers]
    if len(names) != 1 or len(headers[names[0]]) != 1:
        return ""
    value = headers[names[0]][0].strip()
    if names[0] in KEY_HEADERS:
        return value
    scheme, _, token = value.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else value


def _candidates(headers: Mapping[str, list[str]]) -> list[str]:
    """Return the keys in the headers that can be ours, each once.

    Raises a 401 where there are keys, and only such of others.
    """
    presented = [value for name in KEY_HEADERS for value in headers.get(name, ())]
    for value in headers.get("authorization", ()):
        scheme, _, token = value.strip().partition(" ")
        presented.append(token if scheme.lower() == "bearer" else value)
    found = dict.fromkeys(value.strip() for value in presented)
    ours = [key for key in found if keys.is_well_formed(key)]
    if not ours and any(key and key != keys.PLATFORM_MANAGED for key in found):
        raise unauthorized()
    return ours


def _known(snapshot: Snapshot, candidates: list[str]) -> str:
    """Return the key that counts among several, or an empty string.

    Raises a 400 where they are of different callers.
    """
    known = {
        caller: key
        for key in candidates
        if (caller := snapshot.callers.get(keys.digest(key))) is not None
    }
    if len(known) > 1:
        raise _ambiguous()
    return next(iter(known.values()), candidates[0] if candidates else "")


def _ambiguous() -> GatewayError:
    return invalid_request(
        "The request holds more than one API key. Send one.",
        code="ambiguous_credentials",
    )


def _caller_of(snapshot: Snapshot, key: str) -> Caller:
    caller = snapshot.callers.get(keys.digest(key))
    if caller is None:
        raise unauthorized()
    return admitted(caller)


def admitted(caller: Caller) -> Caller:
    """Return who holds a key of ours; raises where it does not count now."""
    if caller.expires_at is not None and caller.expires_at <= time.time():
        raise _expired(caller.expires_at)
    if caller.is_paused:
        raise _paused()
    return caller


def _expired(moment: float) -> GatewayError:
    """Return the 401 for a key whose time is over; only its holder reads this."""
    when = datetime.fromtimestamp(moment, UTC)
    return GatewayError(
        401,
        "authentication_error",
        f"This API key expired on {when:%Y-%m-%d at %H:%M} UTC. An administrator "
        "prolongs it or makes another in the console.",
        code=EXPIRED,
        headers={"www-authenticate": "Bearer"},
    )


def _paused() -> GatewayError:
    """Return the 403 for a key that is not to be used for now."""
    return GatewayError(
        403,
        "permission_error",
        "This API key is paused. An administrator resumes it in the console.",
        code="api_key_paused",
    )


def may_go_keyless(headers: Mapping[str, list[str]], address: str) -> bool:
    """Tell whether a call without a key comes from a program on a trusted network."""
    networks = _trusted_networks(tuple(settings.GATEWAY_TRUSTED_NETWORKS))
    if not networks or any(map(_marks_proxy_or_browser, headers)):
        return False
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if not any(ip in network for network in networks):
        return False
    hosts = headers.get("host", ())
    return len(hosts) == 1 and _is_this_machine(hosts[0])


@lru_cache(maxsize=1024)
def _marks_proxy_or_browser(name: str) -> bool:
    """Tell whether a header (lower-case name) says that no program here called."""
    return bool(_PROXY_OR_BROWSER.fullmatch(name.replace("_", "-")[:200]))


@cache
def _trusted_networks(
    networks: tuple[str, ...],
) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    return [ipaddress.ip_network(network) for network in networks]


@cache
def _own_addresses() -> frozenset[str]:
    """Return this machine's names and addresses, read once."""
    names = {"localhost", socket.gethostname().lower()}
    try:
        found = socket.getaddrinfo(socket.gethostname(), None)
    except OSError:
        found = []
    return frozenset(names | {str(entry[4][0]).partition("%")[0] for entry in found})


def _is_this_machine(host: str) -> bool:
    """Tell whether a Host header names this machine: no DNS trick points here."""
    name = host.strip().lower()
    name = (
        name[1:].partition("]")[0] if name.startswith("[") else name.partition(":")[0]
    )
    try:
        if ipaddress.ip_address(name).is_loopback:
            return True
    except ValueError:
        pass
    return name in _own_addresses()
