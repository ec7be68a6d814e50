"""Refusals of a server that was sent the Responses API as it is."""

import re
from collections.abc import Mapping

from gateway.errors import UNKNOWN_URL, GatewayError
from gateway.hub.errors import upstream_errors
from gateway.hub.protocol import JSON
from gateway.translators.openai.errors import WORDS

_LACKING = frozenset({405, 501})

_NAMED = re.compile(
    rb"\bmodels?\b|model_not_found|deployment|previous_response|\bitem with id\b"
    rb"|\b(?:resp|msg|rs|fc|conv|pmpt|file|vs)_\w",
    re.IGNORECASE,
)
"""What a 404 is about that was asked at a path which is there."""


def from_response(
    status: int, headers: Mapping[str, str], payload: bytes, model: str
) -> GatewayError:
    """Return the refusal in the caller's terms; never raises.

    That the server has no such path is a code of its own. `model` is what the server
    was asked for: a 404 that names it is about that.
    """
    error = upstream_errors.from_response(status, headers, payload, WORDS)
    if lacks_path(status, payload, model):
        return GatewayError(
            404, "not_found_error", error.message, UNKNOWN_URL, headers=error.headers
        )
    return error


def lacks_path(status: int, payload: bytes, model: str) -> bool:
    """Tell whether a server does not know the path that it was asked at."""
    if status in _LACKING:
        return True
    if status != 404:
        return False
    return model.encode() not in payload and _NAMED.search(payload) is None


def from_event(event: JSON) -> GatewayError:
    """Return the error that an `error` event or a failed response tells."""
    match event:
        case {"response": {"error": dict(told)}}:
            return upstream_errors.from_object({"error": told}, WORDS)
        case {"response": dict()}:
            return upstream_errors.from_object({"error": {"message": ""}}, WORDS)
        case {"error": dict(told)}:
            return upstream_errors.from_object({"error": told}, WORDS)
    flat = {name: event.get(name) for name in ("code", "message", "param")}
    return upstream_errors.from_object({"error": flat}, WORDS)
