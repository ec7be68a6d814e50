"""Keeps a provider's credentials out of what its upstream says.

An upstream may echo what it was sent, in an answer, an error or a header.
"""

from functools import lru_cache
from typing import TypeVar, cast

from gateway.errors import GatewayError
from gateway.wire import jsontext
from gateway.worker.snapshot import Provider
from providers import auth

REDACTED = b"[redacted]"
SHORTEST_SECRET = 8

T = TypeVar("T")


def redact(provider: Provider, data: bytes) -> bytes:
    """Return `data` without the provider's credentials."""
    for secret in _secrets(provider):
        if secret in data:
            data = data.replace(secret, REDACTED)
    if isinstance(provider.auth, auth.OAuth2) and provider.auth.access_token:
        for secret in _spellings(provider.auth.access_token):
            data = data.replace(secret, REDACTED)
    return data


def redacted_piece(provider: Provider, piece: T) -> T:
    """Return a piece of a streamed answer, frames or chunks, without credentials."""
    if isinstance(piece, bytes):
        return cast(T, redact(provider, piece))
    return cast(T, jsontext.decode(redact(provider, jsontext.encode(piece))))


def redacted(provider: Provider, error: GatewayError) -> GatewayError:
    """Return an error in an upstream's words without the provider's credentials."""
    message = redact(provider, error.message.encode()).decode()
    return GatewayError(
        error.status, error.type, message, error.code, error.param, error.headers
    )


def _secrets(provider: Provider) -> tuple[bytes, ...]:
    known = provider.secrets
    if known is None:
        if provider.row.secret is None or provider.auth is None:
            known = ()
        else:
            values = provider.row.credentials().values()
            long = [value for value in values if len(value) >= SHORTEST_SECRET]
            known = tuple(each for value in long for each in _spellings(value))
        provider.secrets = known
    return known


# By the token: one is redacted from every answer that it asked for.
_spellings = lru_cache(maxsize=256)(jsontext.spellings)
