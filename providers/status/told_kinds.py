"""What models are for, as their server tells: names alone do not, of those at home.

Asked while a provider is new or was just edited. What an administrator said stays.
"""

from typing import Any

import httpx
import msgspec
from django.db import models

from providers.models import ModelProvider, ProviderModel
from providers.status import posts

_LIMITS = {"connect": 5.0, "read": 5.0, "total": 10.0}
_MOST = 32
"""Whoever registers more at once is told of the first."""


async def ask(provider: ModelProvider, scheme: httpx.Auth | None) -> dict[int, str]:
    """Return the kinds of stored models by row, where their server tells another.

    Never raises for what the provider does; Ollama's answers within milliseconds.
    """
    described = provider.vendor.described
    is_new = provider.status == ModelProvider.Status.PENDING
    if described is None or provider.pk is None or not is_new:
        return {}
    found: dict[int, str] = {}
    for row in [each async for each in _undecided(provider)[:_MOST]]:
        content = msgspec.json.encode({"model": row.upstream_id or row.model_id})
        said = await posts.post(provider, scheme, described.path, _LIMITS, content)
        kind = described.read(_decoded(said.body)) if said else ""
        if kind and kind != row.kind:
            found[row.pk] = kind
    return found


def keep(kinds: dict[int, str]) -> None:
    """Store kinds by row, unless somebody has said one meanwhile."""
    for row in ProviderModel.objects.filter(pk__in=kinds):
        if "kind" not in row.capabilities:
            row.capabilities = {**row.capabilities, "kind": kinds[row.pk]}
            row.save(update_fields=["capabilities"])


def _undecided(provider: ModelProvider) -> models.QuerySet[ProviderModel]:
    return provider.provider_models.exclude(capabilities__has_key="kind")


def _decoded(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
