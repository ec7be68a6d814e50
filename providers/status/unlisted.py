"""Servers that list no models and tell no version: is their chat path there at all?"""

import httpx

from providers.models import ModelProvider
from providers.status import posts, verdicts
from providers.status.verdicts import CheckResult


def is_not_served(result: CheckResult) -> bool:
    """Tell whether a server answered a question as one that does not know its path."""
    return result.http_status in verdicts.NOT_SERVED and not result.is_available


async def ask(
    provider: ModelProvider,
    scheme: httpx.Auth | None,
    limits: dict[str, float],
) -> CheckResult | None:
    """Return what the chat path says of the provider, None where it says nothing."""
    path = provider.vendor.chat_path
    if "{" in path:  # It names a model, and none is known.
        return None
    said = await posts.post(provider, scheme, path, limits)
    if said is None:
        return None
    return verdicts.let_in(provider, said.status, said.body, said.request)
