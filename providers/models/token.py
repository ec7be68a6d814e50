"""The tokens that *Connect* obtains."""

import json
from typing import Any

from django.db import models
from django.utils import timezone

from providers.models.announced import Announced
from providers.models.fields import SealedField
from providers.models.provider import ModelProvider


class OAuthToken(Announced):
    """The token an administrator obtained with *Connect*, encrypted.

    `refresh_lease` lets one process at a time use a refresh token, which many servers
    accept only once.
    """

    provider = models.OneToOneField(
        ModelProvider, models.CASCADE, related_name="oauth_token"
    )
    sealed = SealedField()
    # When an administrator connected last; a refresh leaves it as it is.
    connected_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(null=True)
    refresh_lease = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"OAuth token of {self.provider}"

    def binding(self) -> str:
        """Return what the ciphertext is bound to: provider and destinations."""
        provider = self.provider
        return json.dumps(["oauth", str(provider.uid), *provider.required_origins()])

    def store(self, token: dict[str, Any]) -> None:
        """Take a token response (not saved)."""
        SealedField.of(self, "sealed").seal(self, json.dumps(token).encode())

    def reveal(self) -> dict[str, Any]:
        """Return the token response; raises sealing.UnreadableSecret."""
        token: dict[str, Any] = json.loads(SealedField.of(self, "sealed").unseal(self))
        return token
