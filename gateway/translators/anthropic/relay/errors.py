"""Refusals in the upstream's own words, for clients that act on them.

They are also read as every upstream's are: another provider may be asked, the ledger
wants a code, and a rejected credential is not the client's.
https://platform.claude.com/docs/en/api/errors
"""

from collections.abc import Mapping
from typing import Any

from gateway.errors import GatewayError
from gateway.hub.errors import upstream_errors
from gateway.hub.protocol import JSON
from gateway.translators.anthropic.errors import WORDS
from gateway.translators.anthropic.relay.headers import for_client
from gateway.wire.jsontext import JSONError, decode

_LIMITS = "x-ratelimit-"
"""How other clients are told of rate limits."""

_OURS = frozenset({"upstream_auth_error"})
"""What is about the provider's credential: clients would throw theirs away."""


def from_response(
    status: int, headers: Mapping[str, str], payload: bytes
) -> GatewayError:
    """Return the refusal with its status and the object that tells it.

    What is in no such form, as a proxy's page, is told in the common terms.
    """
    error = upstream_errors.from_response(status, headers, payload, WORDS)
    kept = {n: error.headers[n] for n in error.headers if not n.startswith(_LIMITS)}
    error.headers = {**for_client(headers), **kept}
    try:
        own = _own(decode(payload))
    except JSONError:
        own = None
    return error if own is None else _told(error, own, status)


def from_event(event: JSON) -> GatewayError:
    """Return the error that an `error` event, or one that came whole, tells."""
    error = upstream_errors.from_object(event, WORDS)
    own = _own(event)
    return error if own is None else _told(error, own, error.status)


def _own(body: Any) -> JSON | None:
    match body:
        case {"type": "error", "error": {"type": str(), "message": str()} as own}:
            return dict(own)
    return None


def _told(error: GatewayError, own: JSON, status: int) -> GatewayError:
    if error.code in _OURS:
        return error
    return GatewayError(
        status,
        own["type"],
        own["message"],
        error.code,
        error.param,
        error.headers,
        told=own,
    )
