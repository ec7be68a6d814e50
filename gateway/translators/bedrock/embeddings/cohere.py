"""Cohere's embedding models: 96 texts a call.

https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed.html
"""

from gateway.errors import unsupported
from gateway.hub.embeddings.wishes import dimensions_of, fixed_dimensions, flag
from gateway.hub.protocol import JSON, Route

TEXTS = 96
WISHES = frozenset({"dimensions", "input_type", "truncate"})
IGNORED: frozenset[str] = frozenset()

_THIRD_SIZE = 1024
_INPUT_TYPES = {"query": "search_query", "document": "search_document"}


def body(texts: list[str], base: str, wishes: JSON, route: Route) -> JSON:
    """Return the body; the third generation's size cannot be chosen."""
    if flag(wishes, "truncate"):
        raise unsupported(
            f"'{route.model}' cannot be asked to cut its input here. Leave out "
            "'truncate', and send shorter texts.",
            param="truncate",
        )
    rendered: JSON = {"texts": texts, "input_type": _input_type(wishes, route)}
    if _is_third(base):
        fixed_dimensions(wishes, route, _THIRD_SIZE)
    else:
        rendered["embedding_types"] = ["float"]
        if size := dimensions_of(wishes):
            rendered["output_dimension"] = size
    return {**rendered, "truncate": "NONE"}


def vectors(payload: JSON) -> object:
    """Return the vectors, which the fourth generation puts under their type."""
    embeddings = payload.get("embeddings")
    return embeddings.get("float") if isinstance(embeddings, dict) else embeddings


def _input_type(wishes: JSON, route: Route) -> str:
    """Return what the texts are for, without which these models do not answer."""
    given = wishes.get("input_type") or route.capabilities.get("input_type")
    return _INPUT_TYPES.get(str(given), str(given)) if given else "search_document"


def _is_third(base: str) -> bool:
    return base.startswith(("cohere.embed-english", "cohere.embed-multilingual"))
