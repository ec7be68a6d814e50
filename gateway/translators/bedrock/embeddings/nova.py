"""Amazon's Nova: one text a call.

https://docs.aws.amazon.com/nova/latest/userguide/embeddings-schema.html
"""

from gateway.hub.embeddings.wishes import dimensions_of, flag
from gateway.hub.protocol import JSON, Route

TEXTS = 1
WISHES = frozenset({"dimensions", "input_type", "truncate"})
IGNORED: frozenset[str] = frozenset()

_PURPOSES = {
    "query": "TEXT_RETRIEVAL",
    "search_query": "TEXT_RETRIEVAL",
    "document": "GENERIC_INDEX",
    "search_document": "GENERIC_INDEX",
}


def body(texts: list[str], base: str, wishes: JSON, route: Route) -> JSON:
    """Return the body for one text."""
    (text,) = texts
    given = wishes.get("input_type") or route.capabilities.get("input_type")
    purpose = _PURPOSES.get(str(given), str(given)) if given else "GENERIC_INDEX"
    cut = "END" if flag(wishes, "truncate") else "NONE"
    params: JSON = {"embeddingPurpose": purpose}
    if size := dimensions_of(wishes):
        params["embeddingDimension"] = size
    params["text"] = {"truncationMode": cut, "value": text}
    return {
        "schemaVersion": "nova-multimodal-embed-v1",
        "taskType": "SINGLE_EMBEDDING",
        "singleEmbeddingParams": params,
    }


def vectors(payload: JSON) -> object:
    """Return the one vector of an answer, in a list."""
    match payload.get("embeddings"):
        case [{"embedding": vector}]:
            return [vector]
    return None
