"""What it means to the client when a provider does not answer as it should.

Which failure becomes which status and code stands in docs/translation.md. Errors of
the upstream's own are read by the translators (`parse_error`).
"""

import httpx

from gateway.errors import GatewayError, upstream_error
from gateway.worker.gates import gates
from gateway.worker.snapshot import Provider, Target
from gateway.worker.statuses import statuses
from providers import auth
from providers.transport import (
    DestinationBlocked,
    Encoded,
    NoAnswer,
    NoWay,
    Overdue,
    ProxyFailed,
    TLSFailed,
)

# Refusals after which another provider may be asked: nothing was sent, or the upstream
# said that it did not take the work. Never after a timeout: it may be billed.
RETRYABLE = frozenset(
    {
        "upstream_unreachable",
        "upstream_proxy_failed",
        "destination_blocked",
        "provider_unavailable",
        "rate_limit_exceeded",
        "overloaded",
        "model_not_ready",
    }
)

BUSY = frozenset({"rate_limit_exceeded", "overloaded", "model_not_ready"})
"""What an upstream says with 429, 503 and 529, or in place of a stream: not now."""

UNSENT = (*auth.UNUSABLE_CREDENTIALS, httpx.TransportError)
"""What keeps a request from being sent or answered at all."""


def unsent(provider: Provider, failure: Exception) -> GatewayError:
    """Return the error for a request that got no answer; `failure` is one of UNSENT."""
    match failure:
        case auth.TokenError():
            return upstream_error(
                502,
                "upstream_auth_error",
                f"The provider {provider.name} cannot be called: {failure}",
                {"x-should-retry": "false"},
            )
        case DestinationBlocked():
            return upstream_error(
                502,
                "destination_blocked",
                f"The provider {provider.name} leads to an address that this gateway "
                "does not connect to. An administrator can see why on its page.",
            )
        case NoWay():
            return upstream_error(
                503,
                "provider_unavailable",
                f"The provider {provider.name} cannot be called: {failure}",
                {"retry-after": "60"},
            )
        case ProxyFailed():
            return _unreachable(provider, failure.cause, "upstream_proxy_failed")
        case TLSFailed() if failure.cause:
            return _unreachable(provider, failure.cause)
        case httpx.LocalProtocolError() | httpx.UnsupportedProtocol():
            return upstream_error(
                503,
                "provider_unavailable",
                f"The provider {provider.name} has an address or a header that cannot "
                "be sent. An administrator can see which on its page.",
                {"retry-after": "60"},
            )
        case httpx.ConnectError() | httpx.ConnectTimeout():
            return _unreachable(provider)
        case httpx.TimeoutException():
            return upstream_error(
                504,
                "upstream_timeout",
                f"The provider {provider.name} did not answer in time.",
            )
        case httpx.TransportError():
            return interruption(provider, failure)
    return upstream_error(
        503,
        "provider_unavailable",
        f"The provider {provider.name} cannot be called: {failure}",
        {"retry-after": "60"},
    )


def _unreachable(
    provider: Provider, cause: str = "", code: str = "upstream_unreachable"
) -> GatewayError:
    """Return the 502 for a provider that no connection was made with."""
    told = f"provider request failed: {provider.name} cannot be reached"
    return upstream_error(502, code, f"{told}: {cause}." if cause else f"{told}.")


def redirect(provider: Provider) -> GatewayError:
    """Return the 502 for an upstream that sends its callers elsewhere."""
    return upstream_error(
        502,
        "upstream_invalid_response",
        f"The provider {provider.name} answered with a redirect, which is not "
        "followed. Check the provider's endpoint.",
    )


def invalid_response(provider: Provider) -> GatewayError:
    """Return the 502 for an answer that is not what the provider's API answers."""
    return upstream_error(
        502,
        "upstream_invalid_response",
        f"The provider {provider.name} sent an answer that cannot be understood. "
        "Check the provider's endpoint and type.",
    )


def oversized(provider: Provider, limit: int) -> GatewayError:
    """Return the 502 for an answer of more than `limit` bytes."""
    return upstream_error(
        502,
        "upstream_invalid_response",
        f"The provider {provider.name} sent more than {limit} bytes.",
    )


def no_first_event(provider: Provider) -> GatewayError:
    """Return the 504 for a stream that began, and said nothing for too long."""
    return upstream_error(
        504,
        "upstream_timeout",
        f"The provider {provider.name} did not begin its answer in time.",
    )


def overdue(provider: Provider) -> GatewayError:
    """Return the 504 for an answer that goes on for too long."""
    return upstream_error(
        504, "upstream_timeout", f"The provider {provider.name} took too long."
    )


def interruption(provider: Provider, failure: httpx.TransportError) -> GatewayError:
    """Return the error for an answer that stopped before its end."""
    if isinstance(failure, Overdue):
        return overdue(provider)
    if isinstance(failure, httpx.TimeoutException):
        return upstream_error(
            504, "upstream_timeout", f"The provider {provider.name} stopped answering."
        )
    if isinstance(failure, NoAnswer):
        return upstream_error(
            502,
            "upstream_stream_truncated",
            f"The provider {provider.name} closed the connection without an answer.",
        )
    if isinstance(failure, Encoded):
        return upstream_error(
            502,
            "upstream_invalid_response",
            f"The provider {provider.name} sent what cannot be read. {failure} Have it "
            "answer without compression.",
        )
    if isinstance(failure, httpx.RemoteProtocolError):
        return invalid_response(provider)
    return upstream_error(
        502,
        "upstream_stream_truncated",
        f"The provider {provider.name} broke off its answer.",
    )


def attributed(provider: Provider, error: GatewayError) -> str:
    """Return the message with the provider's name: whose limit or failure it was.

    What the upstream told in the client's own format begins as clients know it.
    """
    if error.told is None and (error.status == 429 or error.status >= 500):
        return f"{provider.name}: {error.message}"
    return error.message


_OF_THE_MODEL = frozenset(
    {
        "model_error",
        "model_not_ready",
        "overloaded",
        "upstream_error",
        "upstream_stream_truncated",
        "upstream_timeout",
    }
)
"""Codes of what a 5xx would mean, for where there is no such status."""


_UNREACHED = frozenset({"upstream_unreachable", "upstream_proxy_failed"})


def observe_answer(target: Target) -> None:
    """Tell the provider's status and gates that a call was answered."""
    if gates.failing:
        gates.answered(target.provider, target.upstream_id)
    statuses.answered(target)


def observe_broken(target: Target, error: GatewayError) -> None:
    """Tell them what came instead of the answer that a good status announced.

    It counts as the status that it means.
    """
    if error.code in _OF_THE_MODEL:
        gates.failed(target.provider, target.upstream_id)
        statuses.note(target, "failed", error.message)
    elif error.code == "upstream_auth_error":
        statuses.note(target, "auth_rejected", error.message)


def observe(target: Target, error: GatewayError, upstream_status: int = 0) -> None:
    """Tell the provider's status and gates what kept a call from being answered.

    `upstream_status` is 0 where none came.
    """
    provider = target.provider
    if error.code in _UNREACHED and not upstream_status:
        kind = "unreachable"
        gates.unreached(provider)
    elif upstream_status >= 500 or _is_of_the_model(error, upstream_status):
        kind = "failed"
        gates.failed(provider, target.upstream_id)
    elif error.code == "destination_blocked" or (
        error.code == "provider_unavailable" and not upstream_status
    ):
        kind = "unusable"
    elif error.code == "upstream_auth_error":
        kind = "auth_rejected"
    else:
        kind = "ignored"
    statuses.note(target, kind, error.message)


def _is_of_the_model(error: GatewayError, upstream_status: int) -> bool:
    if upstream_status:
        return error.code == "upstream_timeout"
    return error.code in _OF_THE_MODEL
