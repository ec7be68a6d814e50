"""Embeddings by InvokeModel: each family has a body of its own.

https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html
"""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from gateway.hub.embeddings import EmbeddingRequest, Part, Vectors, base64_of, checked
from gateway.hub.embeddings.answers import object_of, token_count
from gateway.hub.embeddings.wishes import no_embeddings, only_texts, wished
from gateway.hub.protocol import JSON, Feature, Reply, Route, UpstreamRequest
from gateway.hub.requests.losses import Losses
from gateway.translators.bedrock.embeddings import cohere, nova, titan
from gateway.translators.bedrock.headers import content_headers, usage_of
from gateway.translators.bedrock.ids import classify, path

EMBEDDING_FEATURES: tuple[Feature, ...] = ()

_IGNORED = frozenset({"user"})


class _Family(Protocol):
    """How a family is asked; a module."""

    TEXTS: int
    """How many texts one call takes."""

    WISHES: frozenset[str]
    """What of a request is sent; `IGNORED` is what means nothing to it."""

    IGNORED: frozenset[str]

    def body(self, texts: list[str], base: str, wishes: JSON, route: Route) -> JSON:
        """Return the body for some texts; raises a 400 for a wish it cannot meet."""
        ...

    def vectors(self, payload: JSON) -> object:
        """Return the list of vectors in an answer, whatever else stands there."""
        ...


class _Model(NamedTuple):
    prefix: str
    family: _Family


_MODELS = (
    _Model("amazon.titan-embed-", titan),
    _Model("cohere.embed", cohere),
    _Model("amazon.nova-2-multimodal-embeddings", nova),
)


def render_embeddings(asked: EmbeddingRequest, route: Route) -> list[Part]:
    """Return as many requests as the family's limit makes necessary.

    Raises a 400 for models that do not embed and for anything but texts.
    """
    model = classify(route.upstream_model, route.base_model, route.region)
    family = _family_of(model.base)
    if family is None:
        raise no_embeddings(route.model)
    texts = only_texts(asked, route)
    losses = Losses(route)
    wishes = wished(asked, losses, family.WISHES, family.IGNORED | _IGNORED)
    operation = path(model.wire, "invoke")
    headers = content_headers(is_stream=False)
    reply = Reply(route.model, wire=model.base)
    parts, first = [], 0
    for some in _pieces(texts, family.TEXTS):
        body = family.body(some, model.base, wishes, route)
        request = UpstreamRequest(operation, body, reply, headers, losses.dropped)
        parts.append(Part(request, first, len(some)))
        first += len(some)
    return parts


def parse_embeddings(
    raw: bytes, headers: Mapping[str, str], part: Part, wants_base64: bool
) -> Vectors:
    """Return the vectors, and the tokens from the body or the headers; raises a 502."""
    payload = object_of(raw)
    family = _family_of(part.request.reply.wire)
    vectors = checked(family.vectors(payload) if family else None, part.size)
    tokens = token_count(payload.get("inputTextTokenCount"))
    if tokens is None:
        usage = usage_of(headers)
        tokens = usage["prompt_tokens"] if usage else None
    return Vectors(
        [base64_of(each) for each in vectors] if wants_base64 else list(vectors),
        tokens,
        dimensions=len(vectors[0]),
    )


def _family_of(base: str) -> _Family | None:
    return next((each.family for each in _MODELS if base.startswith(each.prefix)), None)


def _pieces(texts: list[str], size: int) -> list[list[str]]:
    return [texts[start : start + size] for start in range(0, len(texts), size)]
