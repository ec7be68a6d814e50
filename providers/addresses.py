"""Which IP addresses may be connected to. Pure functions.

The standard library's `is_private` and `is_global` are not enough: they pass cloud
metadata services (168.63.129.16, 192.0.0.192) and addresses that carry another one
inside (NAT64, 6to4). Ranges: https://www.iana.org/assignments/iana-ipv4-special-registry
and https://www.iana.org/assignments/iana-ipv6-special-registry.
"""

import ipaddress
from collections.abc import Iterable
from enum import IntEnum
from functools import lru_cache

KEPT = 1024
"""Answers that are kept: a new connection asked for 4,000 steps of the interpreter."""

IPv4 = ipaddress.IPv4Address
IPv6 = ipaddress.IPv6Address
Address = IPv4 | IPv6


class Kind(IntEnum):
    """What an address is, from harmless to never connected to."""

    PUBLIC = 0
    PRIVATE = 1
    FORBIDDEN = 2


# Addresses that hand out credentials, reach many hosts at once, or mean "this host".
FORBIDDEN = tuple(
    ipaddress.ip_network(network)
    for network in (
        "169.254.0.0/16",  # link-local; cloud metadata
        "fe80::/10",
        "fec0::/10",
        "fd00:ec2::/32",  # AWS metadata over IPv6
        "fd20:ce::/32",  # Google Cloud metadata over IPv6
        "100.100.100.200/32",  # Alibaba Cloud metadata
        "168.63.129.16/32",  # Azure's wire server
        "192.0.0.0/24",  # Oracle Cloud metadata is 192.0.0.192
        "0.0.0.0/8",
        "::/128",
        "224.0.0.0/4",
        "ff00::/8",
        "240.0.0.0/4",
    )
)
PRIVATE = tuple(
    ipaddress.ip_network(network)
    for network in (
        "127.0.0.0/8",
        "::1/128",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "fc00::/7",
        "100.64.0.0/10",
    )
)

_COMPATIBLE = ipaddress.IPv6Network("::/96")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_NAT64_LOCAL = ipaddress.IPv6Network("64:ff9b:1::/48")
_SIX_TO_FOUR = ipaddress.IPv6Network("2002::/16")
_TEREDO = ipaddress.IPv6Network("2001::/32")
_LOOPBACK_6 = IPv6("::1")
_UNSPECIFIED_6 = IPv6("::")


@lru_cache(KEPT)
def parse(text: str) -> Address:
    """Return `text` as an address, without its scope id; raises ValueError."""
    return ipaddress.ip_address(text.partition("%")[0])


def embedded(address: Address) -> list[IPv4]:
    """Return the IPv4 addresses that packets to `address` may end up at."""
    if isinstance(address, IPv4):
        return []
    if address.ipv4_mapped is not None:
        return [address.ipv4_mapped]
    number = int(address)
    if address in _NAT64:
        return [IPv4(number & 0xFFFFFFFF)]
    if address in _NAT64_LOCAL:
        # RFC 6052 places the address by the prefix's length, which only the network's
        # operator knows: /96 or /48 (around the zero octet 8).
        halves = (number >> 64 & 0xFFFF) << 16 | number >> 40 & 0xFFFF
        return [IPv4(number & 0xFFFFFFFF), IPv4(halves)]
    if address in _SIX_TO_FOUR:
        return [IPv4(number >> 80 & 0xFFFFFFFF)]
    if address in _TEREDO:
        # The server, and the client with every bit inverted (RFC 4380, section 4).
        return [IPv4(number >> 64 & 0xFFFFFFFF), IPv4(~number & 0xFFFFFFFF)]
    if number >> 32 & 0xFFFFFFFF in (0x00005EFE, 0x02005EFE):  # ISATAP, RFC 5214
        return [IPv4(number & 0xFFFFFFFF)]
    if address in _COMPATIBLE and address not in (_LOOPBACK_6, _UNSPECIFIED_6):
        return [IPv4(number & 0xFFFFFFFF)]
    return []


def kind(address: Address) -> Kind:
    """Return what `address` is; the worst of itself and what it carries inside."""
    return max(_kind_of_one(each) for each in (address, *embedded(address)))


def _kind_of_one(address: Address) -> Kind:
    if any(address in network for network in FORBIDDEN):
        return Kind.FORBIDDEN
    if any(address in network for network in PRIVATE):
        return Kind.PRIVATE
    if embedded(address):
        return Kind.PUBLIC  # what it carries decides
    return Kind.PUBLIC if address.is_global else Kind.PRIVATE


def refusal(
    address: Address, *, private_network: bool, private_networks: Iterable[str]
) -> str:
    """Return why `address` must not be connected to; empty when it may be.

    `private_network` is the provider's mark, `private_networks` the setting: both must
    allow a private address. Nothing allows a forbidden one.
    """
    return _refusal(address, private_network, tuple(private_networks))


@lru_cache(KEPT)
def _refusal(
    address: Address, private_network: bool, private_networks: tuple[str, ...]
) -> str:
    what = kind(address)
    if what is Kind.PUBLIC:
        return ""
    if what is Kind.FORBIDDEN:
        return "this address is never connected to"
    if not private_network:
        return (
            "it is a private address; tick *Private network* if this provider is meant "
            "to be on your own network"
        )
    inner: list[Address] = list(embedded(address))
    targets = [each for each in inner if kind(each) is Kind.PRIVATE]
    allowed = [ipaddress.ip_network(network) for network in private_networks]
    for target in targets or [address]:
        if not any(target in network for network in allowed):
            return "PRIVATE_NETWORKS does not allow this private address"
    return ""


def looks_private(host: str) -> bool:
    """Tell whether a host is, by its looks alone, on a private network.

    True for loopback and private addresses, ``localhost``, single-label names and the
    usual internal suffixes.
    """
    host = host.rstrip(".").lower()
    try:
        return kind(parse(host)) is Kind.PRIVATE
    except ValueError:
        return (
            host == "localhost"
            or "." not in host
            or host.endswith(
                (".localhost", ".local", ".internal", ".lan", ".home.arpa")
            )
        )
