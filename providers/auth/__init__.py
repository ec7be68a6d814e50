"""How a request to a provider is signed: one `httpx.Auth` per scheme.

`for_provider` chooses. Secrets are opened when a request is signed, not before, so that
one unreadable secret fails its own provider only; what was opened is kept in memory for
the life of the auth object. Make a new object when the provider or its secret changes.

No scheme reads a response's body: streams pass through untouched.
"""

from collections.abc import AsyncGenerator, Coroutine
from typing import Any

import httpx

from providers import options, sealing, transport
from providers.auth import aws
from providers.auth.aws_identity import AwsIdentity
from providers.auth.keyed import ApiKey
from providers.auth.oauth import OAuth2, TokenError
from providers.models import ModelProvider, SecretNotAllowed, keys_in

__all__ = [
    "LENT",
    "UNUSABLE_CREDENTIALS",
    "ApiKey",
    "OAuth2",
    "TokenError",
    "for_provider",
    "keys_in",
    "send",
]

LENT = (AwsIdentity, OAuth2)
"""Schemes whose `access_token` is none that was stored, and comes and goes."""

UNUSABLE_CREDENTIALS = (
    sealing.UnreadableSecret,
    SecretNotAllowed,
    TokenError,
    options.HeaderError,
)
"""What signing may raise. Nothing was sent to the provider then; the messages are for
administrators and hold no secret."""


def for_provider(provider: ModelProvider) -> httpx.Auth | None:
    """Return how requests to `provider` are signed; None where they are not.

    Reads the rows it needs (so not from a coroutine, unless `secret` is loaded) but
    opens nothing: what is wrong with a secret is raised when a request is signed, as
    one of UNUSABLE_CREDENTIALS.
    """
    _ = provider.network_secret
    match provider.auth_type:
        case ModelProvider.Auth.NONE:
            return None
        case ModelProvider.Auth.AWS_SIGV4:
            return aws.scheme(provider)
        case ModelProvider.Auth.OAUTH2:
            _ = provider.secret
            return OAuth2(provider)
        case _:
            _ = provider.secret
            return ApiKey(provider)


def send(
    request: httpx.Request, auth: httpx.Auth | None
) -> Coroutine[Any, Any, httpx.Response]:
    """Send `request` through the transport, signed by `auth`.

    What was refused may be signed anew and sent once more while the provider's repeats
    (providers/transport/repeats.py) allow it.
    Returns the response with its body unread; close it. Raises httpx.RequestError and
    one of UNUSABLE_CREDENTIALS.
    """
    if auth is None or (isinstance(auth, ApiKey) and auth.signs_at_once(request)):
        return transport.transport().handle_async_request(request)
    return _send_by_flow(request, auth)


async def _send_by_flow(request: httpx.Request, auth: httpx.Auth) -> httpx.Response:
    way = transport.transport()
    flow: AsyncGenerator[httpx.Request, httpx.Response] = auth.async_auth_flow(request)
    try:
        signed = await anext(flow)
        repeats = transport.repeats_of(request.extensions)
        is_repeat = False
        while True:
            response = await way.handle_async_request(signed)
            if response.status_code >= 400:
                if is_repeat:
                    repeats.failed()
                if not repeats.are_left():
                    return response
            is_repeat = True
            try:
                signed = await flow.asend(response)
            except StopAsyncIteration:
                return response
            except BaseException:
                await response.aclose()
                raise
            await response.aclose()
    finally:
        await flow.aclose()
