"""How requests to a provider go out: what the transport is told beside the request."""

from collections.abc import Callable
from typing import Any

from providers import options, sealing
from providers.models import ModelProvider, SecretNotAllowed
from providers.network import proxy_address
from providers.transport import NoWay, Way, ways
from providers.transport.ways import DIRECT, Proxy


def extensions(provider: ModelProvider, **own: Any) -> dict[str, Any]:
    """Return the extensions of a request to `provider`, with some of its `own`.

    Whoever sends many of them makes these once: what they open is kept in them.
    """
    found = {"private_network": provider.private_network, **own}
    if (way := of(provider)) is not None:
        found["way"] = way
    return found


def of(provider: ModelProvider) -> Callable[[], Way] | None:
    """Return what gives the provider's way or raises NoWay; None for the direct one."""
    if any(provider.options.get(name) for name in options.NETWORK):
        return _Own(provider)
    shared = ways.of_installation(for_provider=True)
    return None if shared == DIRECT else lambda: shared


class _Own:
    """The way of one provider; its secret is opened when it is first asked for."""

    def __init__(self, provider: ModelProvider) -> None:
        self._provider = provider
        self._way: Way | None = None

    def __call__(self) -> Way:
        if self._way is None:
            try:
                values = self._provider.network_values()
            except (sealing.UnreadableSecret, SecretNotAllowed) as error:
                raise NoWay(str(error)) from None
            self._way = _way(self._provider, values)
        return self._way


def _way(provider: ModelProvider, values: dict[str, str]) -> Way:
    """Return the provider's way; what it leaves open is the installation's."""
    shared = ways.of_installation(for_provider=True)
    authorities = (shared.authorities, provider.options.get("ca_certificates"))
    certificate, key = shared.certificate, shared.key
    if own := provider.options.get("client_certificate"):
        certificate, key = own, values.get("client_key", "")
        if not key:
            raise NoWay("The client certificate has no key. Enter it.")
    return Way(
        _proxy(provider, values, shared.proxy),
        "\n".join(filter(None, authorities)),
        certificate,
        key,
    )


def _proxy(
    provider: ModelProvider, values: dict[str, str], shared: Proxy | None
) -> Proxy | None:
    address = provider.options.get("proxy")
    if not address:
        return shared
    if address == proxy_address.NONE:
        return None
    return Proxy.of(
        address,
        user=values.get("proxy_user", ""),
        password=values.get("proxy_password", ""),
        private_network=provider.private_network,
        resolves_names=bool(provider.options.get("proxy_resolves")),
    )
