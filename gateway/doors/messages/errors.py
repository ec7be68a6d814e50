"""What goes wrong, in the Messages API's terms.

https://platform.claude.com/docs/en/api/errors
"""

from collections.abc import Mapping
from typing import NamedTuple

from gateway.doors.messages.overflow import told_so_that_clients_compact
from gateway.errors import GatewayError
from gateway.wire.jsontext import JSON


class Told(NamedTuple):
    """The type and the status by which a failure is told; status 0 keeps its own."""

    type: str
    status: int = 0


BY_CODE: Mapping[str, Told] = {
    "insufficient_quota": Told("billing_error", 402),
    "budget_exceeded": Told("billing_error", 429),
    "overloaded": Told("overloaded_error", 529),
    "request_too_large": Told("request_too_large", 413),
    "request_timeout": Told("timeout_error", 408),
    "upstream_timeout": Told("timeout_error", 504),
    "upstream_auth_error": Told("api_error", 502),
    "loop_detected": Told("api_error", 508),
}
"""What the code tells better than the status; a 529 has a class of its own in SDKs."""

BY_STATUS: Mapping[int, str] = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}


def told(error: GatewayError) -> Told:
    """Return how an error is told: its type here, and its status."""
    if error.told is not None:
        return Told(str(error.told["type"]), error.status)
    known = BY_CODE.get(error.code or "")
    if known is not None:
        return known._replace(status=known.status or error.status)
    default = "invalid_request_error" if error.status < 500 else "api_error"
    return Told(BY_STATUS.get(error.status, default), error.status)


def envelope(error: GatewayError, request_id: str) -> JSON:
    """Return the object that tells `error`."""
    own = {"type": told(error).type, "message": _message(error)}
    return {
        "type": "error",
        # What the upstream told in this format clients read as it is.
        "error": dict(error.told) if error.told is not None else own,
        "request_id": request_id or None,
    }


def _message(error: GatewayError) -> str:
    match error.code:
        case "context_length_exceeded":
            return told_so_that_clients_compact(error.message)
        case "invalid_api_key":
            return f"invalid x-api-key. {error.message}"
        case "insufficient_quota":
            return f"Your credit balance is too low: {error.message}"
        case "model_not_found":
            return f"model: {error.message}"
    return error.message
