"""What may be connected to, decided for every connection at the moment it is made.

`addresses` knows address ranges; this knows the installation: the setting
PRIVATE_NETWORKS, the server's own listening address, its database and its Redis.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from aiohttp.abc import AbstractResolver, ResolveResult
from django.conf import settings

from providers import addresses

METADATA = frozenset(
    {
        ("169.254.169.254", 80),
        ("169.254.170.2", 80),
        ("169.254.170.23", 80),
        ("fd00:ec2::23", 80),
    }
)
"""Where AWS lends credentials to instances and containers.

https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
"""

SANDBOX_PATH = "/sandbox/"
DEFAULT_PORTS = {
    "django.db.backends.postgresql": 5432,
    "redis": 6379,
    "rediss": 6379,
}

Lookup = Callable[[str, int], Awaitable[list[str]]]
"""Resolves a host name to IP addresses; raises OSError when there are none."""


class Forbidden(OSError):
    """A destination that is not connected to; the text says why."""


@dataclass(frozen=True)
class Rules:
    """What this installation allows; `services` are its database and Redis."""

    private_networks: tuple[str, ...] = ()
    listen_host: str = "127.0.0.1"
    listen_port: int = 0
    services: tuple[tuple[str, int], ...] = ()

    @classmethod
    def from_settings(cls) -> "Rules":
        """Return the rules that the settings state."""
        return cls(
            tuple(settings.PRIVATE_NETWORKS),
            settings.LISTEN_HOST,
            settings.LISTEN_PORT,
            tuple(_services()),
        )


def _services() -> Iterable[tuple[str, int]]:
    for database in settings.DATABASES.values():
        port = database.get("PORT") or DEFAULT_PORTS.get(database["ENGINE"])
        if port:
            # Without a host it is reached through a socket file; the server process
            # most likely listens on this machine too.
            host = str(database.get("HOST") or "localhost")
            yield "localhost" if host.startswith("/") else host, int(port)
    if settings.REDIS_URL:
        redis = urlsplit(settings.REDIS_URL)
        port = redis.port or DEFAULT_PORTS.get(redis.scheme)
        if port:
            yield redis.hostname or "localhost", port


@dataclass
class Guard:
    """Judges the addresses of one kind of connection.

    One for `metadata` lets the addresses of METADATA through, and nothing else.

    `private_network` is the provider's mark. `sandbox` guards the connections that only
    ever carry requests below /sandbox/, which this server itself answers.
    """

    rules: Rules
    private_network: bool = False
    sandbox: bool = False
    metadata: bool = False
    _service_addresses: set[tuple[str, int]] = field(default_factory=set)

    async def learn(self, port: int, lookup: Lookup) -> None:
        """Look up the services that use `port`, so that `check` knows their addresses.

        A service whose name cannot be resolved now cannot be connected to by name
        either; its last known addresses stay refused.
        """
        for host, service_port in self.rules.services:
            if service_port != port:
                continue
            try:
                found = await lookup(host, port)
            except OSError:
                continue
            self._service_addresses.update((_plain(each), port) for each in found)

    def check(self, address: str, port: int) -> None:
        """Raise Forbidden unless `address` and `port` may be connected to."""
        target = addresses.parse(address)
        if self.metadata:
            if (str(target), port) in METADATA:
                return
            raise Forbidden("this is no metadata service")
        candidates = (target, *addresses.embedded(target))
        if any(self._is_own(each, port) for each in candidates):
            if self.sandbox:
                return
            raise Forbidden("this is the server's own address")
        if any(self._is_service(each, port) for each in candidates):
            raise Forbidden("this is the server's database or Redis")
        refusal = addresses.refusal(
            target,
            private_network=self.private_network,
            private_networks=self.rules.private_networks,
        )
        if refusal:
            raise Forbidden(refusal)

    def _is_own(self, address: addresses.Address, port: int) -> bool:
        if port != self.rules.listen_port:
            return False
        if self.rules.listen_host == "localhost":
            return address.is_loopback
        try:
            listening = addresses.parse(self.rules.listen_host)
        except ValueError:
            return is_of_this_machine(address)
        if listening.is_unspecified:
            return is_of_this_machine(address)
        return address == listening

    def _is_service(self, address: addresses.Address, port: int) -> bool:
        if (str(address), port) in self._service_addresses:
            return True
        # A service on this machine answers on its other addresses as well.
        local = any(
            service_port == port and addresses.parse(each).is_loopback
            for each, service_port in self._service_addresses
        )
        return local and is_of_this_machine(address)


class GuardedResolver(AbstractResolver):
    """Resolves a name, checks every address it has, and hands out just those.

    One forbidden address refuses the name: whoever controls it could serve the allowed
    address first and the forbidden one second.
    """

    def __init__(self, guard: Guard, lookup: Lookup) -> None:
        self._guard = guard
        self._lookup = lookup

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,
    ) -> list[ResolveResult]:
        """Return the addresses of `host`; raises OSError, or Forbidden."""
        found = await self._lookup(host, port)
        for address in found:
            self._guard.check(address, port)
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for address in found
        ]

    async def close(self) -> None:
        """Nothing is held open."""


async def look_up(host: str, port: int) -> list[str]:
    """Return the addresses of `host` by the system's resolver; raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(
        host, port, type=socket.SOCK_STREAM
    )
    unique: dict[str, Any] = dict.fromkeys(str(each[4][0]) for each in found)
    if not unique:
        raise OSError(f"{host} has no address")
    return list(unique)


def is_sandbox_path(path: str) -> bool:
    """Tell whether a request path stays below /sandbox/ however it is read."""
    return path.startswith(SANDBOX_PATH) and ".." not in unquote(path)


def is_of_this_machine(address: addresses.Address) -> bool:
    """Tell whether `address` belongs to one of this machine's network interfaces.

    Only such an address can be bound.
    """
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((str(address), 0))
    except OSError:
        return False
    return True


def _plain(address: str) -> str:
    return str(addresses.parse(address))
