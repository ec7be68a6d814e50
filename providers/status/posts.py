"""One POST to a provider, for what its answer tells; an empty one tells most.

An empty object is refused by every server before any work: how it does tells whether
the path is there, and whether it lets us in.
"""

from typing import NamedTuple

import httpx

from providers import auth, endpoints, transport
from providers.models import ModelProvider
from providers.network import ways
from providers.status import discovery

_BODY_LIMIT = 1 << 20


class Said(NamedTuple):
    """How a server answered; `request` is the request line."""

    status: int
    body: bytes
    request: str


async def post(
    provider: ModelProvider,
    scheme: httpx.Auth | None,
    path: str,
    limits: dict[str, float],
    content: bytes = b"{}",
) -> Said | None:
    """Return how `provider` answers `content` at `path`, None where it does not."""
    url = endpoints.join(provider.endpoint, path, provider.version_path)
    try:
        request = httpx.Request(
            "POST",
            url,
            content=content,
            headers={
                **discovery.headers(provider),
                "Content-Type": "application/json",
            },
            extensions=ways.extensions(provider, timeout=limits, keep_alive=False),
        )
        response = await auth.send(request, scheme)
        body = await transport.read(response, _BODY_LIMIT)
    except (httpx.RequestError, httpx.InvalidURL, *auth.UNUSABLE_CREDENTIALS):
        return None
    return Said(response.status_code, body, f"POST {url}")
