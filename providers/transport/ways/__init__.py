"""How connections are made beyond their address: by a proxy, trusting whom, as whom.

Values alone. A provider's own are made of its row (`providers/network/ways.py`), the
installation's of the settings; nothing of them comes from `HTTPS_PROXY` and the like.
"""

import base64
import ipaddress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from django.conf import settings

from providers import addresses
from providers.network import proxy_address


@dataclass(frozen=True)
class Proxy:
    """A forward proxy, reached by plain HTTP.

    `authorization` is what `Proxy-Authorization` says. `private_network` tells whether
    it may be on one, `resolves_names` whether it may be given names that nobody knows
    here. With `spares` hosts that look private are reached without it, and those.
    """

    host: str
    port: int
    authorization: str = field(default="", repr=False)
    private_network: bool = False
    resolves_names: bool = False
    spares: tuple[str, ...] | None = None

    @classmethod
    def of(
        cls,
        url: str,
        *,
        user: str = "",
        password: str = "",
        private_network: bool = False,
        resolves_names: bool = False,
        spares: tuple[str, ...] | None = None,
    ) -> "Proxy":
        """Return the proxy at `url`; raises ValueError for one that is none."""
        address = proxy_address.read(url)
        parts = urlsplit(address.url)
        user, password = user or address.user, password or address.password
        return cls(
            parts.hostname or "",
            parts.port or proxy_address.USUAL_PORT,
            basic(user, password) if user else "",
            private_network,
            resolves_names,
            spares,
        )

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def is_for(self, host: str) -> bool:
        """Tell whether `host` is asked through it."""
        if self.spares is None:
            return True
        host = host.rstrip(".").lower()
        return not addresses.looks_private(host) and not any(
            _names(each, host) for each in self.spares
        )


@dataclass(frozen=True)
class Way:
    """What the connections of one provider share beside their addresses.

    `authorities` are CAs in PEM that are trusted beside the system's, `certificate` is
    what a server is shown that asks for one, with its `key`.
    """

    proxy: Proxy | None = None
    authorities: str = ""
    certificate: str = ""
    key: str = field(default="", repr=False)

    @property
    def has_tls(self) -> bool:
        """Whether its TLS is not the usual one."""
        return bool(self.authorities or self.certificate)


DIRECT = Way()
"""Nothing but the address."""


def basic(user: str, password: str) -> str:
    """Return what `Proxy-Authorization` says of a user (RFC 7617, section 2)."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def of_installation(*, for_provider: bool = False) -> Way:
    """Return the way that the settings ask for.

    Only a provider's requests show the client certificate, and hand over names that
    nobody knows here: others go wherever a client says.
    """
    proxy = None
    if settings.UPSTREAM_PROXY:
        proxy = Proxy.of(
            settings.UPSTREAM_PROXY,
            private_network=True,
            resolves_names=for_provider and settings.UPSTREAM_PROXY_RESOLVES,
            spares=tuple(settings.UPSTREAM_NO_PROXY),
        )
    return Way(
        proxy,
        settings.UPSTREAM_CA_CERTIFICATES,
        settings.UPSTREAM_CLIENT_CERTIFICATE if for_provider else "",
        settings.UPSTREAM_CLIENT_KEY if for_provider else "",
    )


def _names(entry: str, host: str) -> bool:
    """Tell whether an entry of UPSTREAM_NO_PROXY means `host`.

    It is a name, which its subdomains share, or a network.
    """
    name = entry.lower().removeprefix("*").lstrip(".")
    if host == name or host.endswith(f".{name}"):
        return True
    try:
        return addresses.parse(host) in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return False
