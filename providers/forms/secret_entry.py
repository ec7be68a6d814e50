"""What a form says about a provider's secret, and what becomes of it."""

import re
from collections.abc import Mapping
from typing import Any

from providers.forms import credentials
from providers.models import ModelProvider, Secret

# What stands before a key in a header, and is copied along with it.
_PASTED = re.compile(r"^(authorization:\s*)?bearer\s+", re.IGNORECASE)


class SecretEntry:
    """A provider's secret: typed anew, chosen among the stored ones, or as it was.

    `provider` has the form's values and `original` those of before; `cleaned` are the
    form's fields. `values` are what was typed, by the names of `credentials.VALUES`.
    """

    def __init__(
        self,
        provider: ModelProvider,
        original: ModelProvider,
        cleaned: Mapping[str, Any],
    ) -> None:
        self._provider = provider
        self._original = original
        self._selected: Secret | None = cleaned.get("secret")
        self._adopted = False
        self.values = credentials.typed(provider.auth_type, cleaned)
        self._strip_prefix()

    def _strip_prefix(self) -> None:
        """Forgive a key pasted together with the prefix that goes before it."""
        prefix = self._provider.value_prefix.strip()
        key = self.values.get("api_key", "")
        if prefix and key.startswith(f"{prefix} "):
            key = key.removeprefix(prefix).strip()
        if key:
            self.values["api_key"] = _PASTED.sub("", key)

    def check(self, knows_address: bool) -> None:
        """Raise CredentialError unless the provider can be called with what is here.

        Whether a stored secret may be sent to the provider's address is only looked at
        when that is known.
        """
        if self.values:
            credentials.check_values(self._provider, self.values)
            credentials.check_kind(self._provider, self._chosen())
        elif knows_address:
            stored = self._stored()
            self._adopted = stored is not None and not stored.origins
            credentials.check_stored(self._provider, stored)

    def drafted(self) -> Secret | None:
        """Return the secret to try the provider with; nothing is stored."""
        if not self.values:
            return self._stored()
        secret = Secret(name="entered")
        secret.store(self.values, self._provider.required_origins())
        return secret

    def save(self) -> Secret | None:
        """Return the provider's secret, stored; None where it needs none."""
        if not self._provider.needs_secret:
            return None
        if self.values:
            chosen = self._chosen()
            if self._is_other_auth():
                self._provider.secret = None
            return credentials.store(self._provider, self.values, chosen)
        secret = self._stored()
        if secret is not None and self._adopted:
            secret.save()
        return secret

    def _stored(self) -> Secret | None:
        """Return the stored secret to use: the one chosen, else the one in use."""
        chosen = self._chosen()
        if chosen is not None or self._is_other_auth():
            return chosen
        return self._original.secret

    def _chosen(self) -> Secret | None:
        """Return the secret chosen in the list, unless it was for another scheme."""
        if self._selected is not None and self._selected == self._original.secret:
            return None if self._is_other_auth() else self._selected
        return self._selected

    def _is_other_auth(self) -> bool:
        return self._original.auth_type != self._provider.auth_type
