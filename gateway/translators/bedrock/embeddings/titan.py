"""Amazon's Titan: one text a call.

https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html
https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-mm.html
"""

from gateway.hub.embeddings.wishes import dimensions_of, fixed_dimensions
from gateway.hub.protocol import JSON, Route

TEXTS = 1
WISHES = frozenset({"dimensions"})
IGNORED = frozenset({"input_type", "truncate"})

_FIRST = ("amazon.titan-embed-text", "amazon.titan-embed-g1-text")
_FIRST_SIZE = 1536
_OF_IMAGES = "amazon.titan-embed-image"


def body(texts: list[str], base: str, wishes: JSON, route: Route) -> JSON:
    """Return the body for one text; only the first model's size cannot be chosen."""
    (text,) = texts
    size = dimensions_of(wishes)
    if base.startswith(_OF_IMAGES):
        chosen = {"embeddingConfig": {"outputEmbeddingLength": size}} if size else {}
        return {"inputText": text, **chosen}
    if _is_first(base, route):
        fixed_dimensions(wishes, route, _FIRST_SIZE)
        return {"inputText": text}
    sized = {"dimensions": size} if size else {}
    return {"inputText": text, **sized, "normalize": True, "embeddingTypes": ["float"]}


def vectors(payload: JSON) -> object:
    """Return the one vector of an answer, in a list."""
    by_type = payload.get("embeddingsByType")
    typed = by_type.get("float") if isinstance(by_type, dict) else None
    return [payload.get("embedding") or typed]


def _is_first(base: str, route: Route) -> bool:
    # A base has lost its version, and two of them differ in nothing else.
    ids = f"{route.base_model} {route.upstream_model}"
    return base.startswith(_FIRST) and "-v2" not in ids
