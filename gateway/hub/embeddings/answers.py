"""What the answers of all embedders have in common."""

from gateway.hub.embeddings.vectors import no_vectors
from gateway.wire.jsontext import JSON, JSONError, decode


def object_of(raw: bytes) -> JSON:
    """Return the JSON object that an answer is; raises a 502 where it is none."""
    try:
        payload = decode(raw)
    except JSONError:
        raise no_vectors("is not valid JSON") from None
    if not isinstance(payload, dict):
        raise no_vectors("is not a JSON object")
    return payload
