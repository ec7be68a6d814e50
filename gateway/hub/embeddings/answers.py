"""What the answers of all embedders have in common."""

from typing import Any

from gateway.hub.embeddings.vectors import no_vectors
from gateway.wire.jsontext import JSON, JSONError, decode

_MOST_TOKENS = 2**31 - 1
"""No answer costs more; the ledger's columns hold no more either."""


def object_of(raw: bytes) -> JSON:
    """Return the JSON object that an answer is; raises a 502 where it is none."""
    try:
        payload = decode(raw)
    except JSONError:
        raise no_vectors("is not valid JSON") from None
    if not isinstance(payload, dict):
        raise no_vectors("is not a JSON object")
    return payload


def token_count(value: Any) -> int | None:
    """Return how many tokens an upstream counted, None where it told no count."""
    return value if type(value) is int and 0 <= value <= _MOST_TOKENS else None
