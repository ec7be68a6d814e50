"""What somebody enters for a provider's connections that is secret, and where it goes.

The proxy's user and password, and the key of the client certificate, are one secret of
the provider beside that of its authentication; the same rule holds for it: it goes
where somebody entered it for, and nowhere else.
"""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from providers import sealing
from providers.forms.credentials import (
    LABELS,
    MAX_LENGTH,
    NETWORK_VALUES,
    free_name,
)
from providers.forms.credentials import CredentialError as NetworkError
from providers.models import ModelProvider, Secret, SecretNotAllowed
from providers.network import certificates, proxy_address

__all__ = ["NetworkEntry", "NetworkError", "check_pair", "check_values", "split_proxy"]

OF_PROXY = frozenset({"proxy_user", "proxy_password"})
OF_CERTIFICATE = frozenset({"client_key"})


class NetworkEntry:
    """The secret of a provider's connections: typed anew, named, or as it was.

    `provider` has the form's values and `original` those of before; `cleaned` are the
    form's fields, `chosen` the secret that was named there, if any was.
    """

    def __init__(
        self,
        provider: ModelProvider,
        original: ModelProvider,
        cleaned: Mapping[str, Any],
        *,
        is_named: bool = False,
    ) -> None:
        self._provider = provider
        named: Secret | None = cleaned.get("network_secret")
        self._base = named if is_named else original.network_secret
        self._typed = {
            name: cleaned[name] for name in NETWORK_VALUES if cleaned.get(name)
        }
        self._values: dict[str, str] = {}
        self._is_new = False

    @property
    def is_changed(self) -> bool:
        """Whether something was typed."""
        return bool(self._typed)

    def check(self) -> None:
        """Raise NetworkError unless the provider's connections can be made with it."""
        wanted = self._wanted()
        check_values(self._typed)
        if self._typed.get("proxy_password") and not self._typed.get("proxy_user"):
            raise NetworkError("proxy_user", _("Enter the proxy's user as well."))
        for name in self._typed:
            if name not in wanted:
                raise NetworkError(name, self._nowhere(name))
        kept = self._kept(wanted)
        if OF_PROXY & set(self._typed):
            kept = {name: value for name, value in kept.items() if name not in OF_PROXY}
        self._values = {**kept, **self._typed}
        self._check_pair()
        is_other = bool(self._typed) or self._keys() != set(self._values)
        self._is_new = self._is_new or is_other

    def drafted(self) -> Secret | None:
        """Return the secret to try the provider with; nothing is stored."""
        if not self._values or not self._is_new:
            return self._base if self._values else None
        secret = Secret(name="entered")
        secret.store(self._values, self._provider.network_origins(self._values))
        return secret

    def save(self) -> Secret | None:
        """Return the provider's secret, stored; None where it needs none."""
        if not self._values or not self._is_new:
            return self._base if self._values else None
        secret = self._base
        if secret is None or self._is_shared(secret):
            secret = Secret(name=free_name(f"{self._provider.name[:47]}-network"))
        secret.store(self._values, self._provider.network_origins(self._values))
        secret.save()
        return secret

    def _wanted(self) -> set[str]:
        """Return the names of the values that the options have a use for."""
        options = self._provider.options
        proxy = options.get("proxy", "")
        wanted = set(OF_PROXY) if proxy not in ("", proxy_address.NONE) else set()
        return wanted | (OF_CERTIFICATE if options.get("client_certificate") else set())

    def _keys(self) -> set[str]:
        return set(self._base.keys) if self._base is not None else set()

    def _kept(self, wanted: set[str]) -> dict[str, str]:
        """Return what is stored and still of use; raises NetworkError.

        What was typed anew need not be readable.
        """
        left = (self._keys() & wanted) - set(self._typed)
        if OF_PROXY & set(self._typed):
            left -= OF_PROXY
        if self._base is None or not left:
            return {}
        field = "client_key" if "client_key" in left else "proxy_password"
        origins = self._provider.network_origins(left)
        if not self._base.origins:
            self._base.adopt(origins)
            self._is_new = True
        try:
            stored = self._base.reveal(origins)
        except SecretNotAllowed:
            places = " and ".join(self._base.origins)
            text = _(
                "Enter the %(what)s again: it was entered for %(places)s and is used "
                "nowhere else."
            )
            told = {"what": LABELS[field], "places": places}
            raise NetworkError(field, text % told) from None
        except sealing.UnreadableSecret as error:
            raise NetworkError(field, str(error)) from None
        return {name: value for name, value in stored.items() if name in left}

    def _check_pair(self) -> None:
        if not self._provider.options.get("client_certificate"):
            return
        if "client_key" not in self._values:
            raise NetworkError(
                "client_key", _("Enter the key of the client certificate.")
            )
        check_pair(self._provider, self._values)

    def _nowhere(self, name: str) -> str:
        if name in OF_CERTIFICATE:
            return _("Enter the client certificate that this key belongs to.")
        return _("Enter the proxy that this is for.")

    def _is_shared(self, secret: Secret) -> bool:
        others = secret.networks.exclude(pk=self._provider.pk)
        return others.exists() or secret.providers.exists()


def check_values(values: Mapping[str, str]) -> None:
    """Raise NetworkError unless newly entered `values` are what they should be."""
    for name in OF_PROXY & set(values):
        text = values[name]
        if len(text) > MAX_LENGTH or not text.isprintable():
            raise NetworkError(name, _("It holds a line break, or is too long."))
    if ":" in values.get("proxy_user", ""):
        raise NetworkError("proxy_user", _("A user's name holds no colon."))
    if "client_key" in values:
        try:
            certificates.read_key(values["client_key"])
        except certificates.CertificateError as error:
            raise NetworkError("client_key", str(error)) from None


def check_pair(provider: ModelProvider, values: Mapping[str, str]) -> None:
    """Raise NetworkError unless the provider's certificate is that of its key."""
    certificate = provider.options.get("client_certificate")
    if not certificate or "client_key" not in values:
        return
    try:
        certificates.check_pair(certificate, values["client_key"])
    except certificates.CertificateError as error:
        raise NetworkError("client_key", str(error)) from None


def split_proxy(values: dict[str, Any]) -> dict[str, Any]:
    """Return form values with a user pasted within the proxy's address taken out."""
    address = values.get("option_proxy")
    if not isinstance(address, str) or "@" not in address:
        return values
    try:
        found = proxy_address.read(address)
    except ValueError:
        return values
    user = {"proxy_user": found.user, "proxy_password": found.password}
    return {**values, "option_proxy": found.url, **user}
