"""Servers that list no models and tell no version: is their chat path there at all?

An empty object is sent to it, which every server refuses before any work: how it does
tells whether it is reached, and whether it lets us in.
"""

import httpx

from providers import auth, endpoints, transport
from providers.models import ModelProvider
from providers.status import discovery, verdicts
from providers.status.verdicts import CheckResult

_BODY_LIMIT = 64 * 1024


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
    url = endpoints.join(provider.endpoint, path, provider.version_path)
    try:
        request = httpx.Request(
            "POST",
            url,
            content=b"{}",
            headers={
                **discovery.headers(provider),
                "Content-Type": "application/json",
            },
            extensions={
                "private_network": provider.private_network,
                "timeout": limits,
                "keep_alive": False,
            },
        )
        response = await auth.send(request, scheme)
        body = await transport.read(response, _BODY_LIMIT)
    except (httpx.RequestError, httpx.InvalidURL, *auth.UNUSABLE_CREDENTIALS):
        return None
    return verdicts.let_in(provider, response.status_code, body, f"POST {url}")
