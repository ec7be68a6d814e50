"""Stored credentials: encrypted, and bound to where they may be sent."""

import json
import uuid
from collections.abc import Iterable
from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from providers.models.announced import Announced
from providers.models.fields import SealedField
from providers.models.rules import NAME_RULE

SHORTEST_KEY = 16


class SecretNotAllowed(Exception):
    """A secret asked for by a destination that nobody entered it for."""


class Secret(Announced):
    """Named credentials, encrypted, and the origins they may be sent to.

    `keys` says what is inside without its values: ``api_key`` for an API key;
    ``aws_access_key_id``, ``aws_secret_access_key`` and perhaps ``aws_session_token``,
    or ``bedrock_api_key``, for AWS; ``client_id`` and ``client_secret`` for OAuth2;
    ``proxy_user``, ``proxy_password`` and ``client_key`` for connections.
    """

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(
        _("name"), max_length=63, unique=True, validators=[NAME_RULE]
    )
    sealed = SealedField()
    keys = models.JSONField(default=list, editable=False)
    hints = models.JSONField(default=dict, editable=False)
    origins = models.JSONField(default=list, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    entered_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name"]
        verbose_name = _("secret")

    def __str__(self) -> str:
        return self.name

    def binding(self) -> str:
        """Return what the ciphertext is bound to: this row and its origins."""
        return json.dumps(["secret", str(self.uid), sorted(self.origins)])

    def store(self, values: dict[str, str], origins: Iterable[str]) -> None:
        """Take newly entered `values`, allowed for `origins` only (not saved)."""
        self.origins = sorted(set(origins))
        self.keys = sorted(values)
        self.hints = {k: v[-4:] for k, v in values.items() if len(v) >= 16}
        self.entered_at = timezone.now()
        SealedField.of(self, "sealed").seal(self, json.dumps(values).encode())

    def adopt(self, origins: Iterable[str]) -> None:
        """Bind a secret that has no origins yet to those of its first provider."""
        values = self._open()
        entered_at = self.entered_at
        self.store(values, origins)
        self.entered_at = entered_at

    @property
    def is_of_network(self) -> bool:
        """Whether it is for connections: a proxy's user, a client's key."""
        return bool({"proxy_user", "proxy_password", "client_key"} & set(self.keys))

    def users(self) -> list[Any]:
        """Return the providers that use it, for their requests or connections."""
        return [*self.providers.all(), *self.networks.all()]

    def allows(self, origins: Iterable[str]) -> bool:
        """Tell whether the values may be sent to all of `origins`."""
        return not self.lacking(origins)

    def lacking(self, origins: Iterable[str]) -> list[str]:
        """Return those of `origins` that the values may not be sent to."""
        return [each for each in origins if each not in self.origins]

    def reveal(self, origins: Iterable[str]) -> dict[str, str]:
        """Return the values in clear, for sending to `origins`.

        Raises SecretNotAllowed for an origin it was not entered for and
        sealing.UnreadableSecret when it cannot be decrypted.
        """
        if not self.allows(origins):
            raise SecretNotAllowed(
                f"The secret {self.name} was entered for another address. "
                "Enter it again for this one."
            )
        return self._open()

    def _open(self) -> dict[str, str]:
        values: dict[str, str] = json.loads(SealedField.of(self, "sealed").unseal(self))
        return values


def keys_in(value: str) -> tuple[str, ...]:
    """Return the API keys that one stored value holds, commas between them.

    What has a comma within and parts too short for a key is one key.
    """
    parts = tuple(part for part in value.split(",") if part)
    is_list = len(parts) > 1 and all(len(part) >= SHORTEST_KEY for part in parts)
    return parts if is_list else (value,)
