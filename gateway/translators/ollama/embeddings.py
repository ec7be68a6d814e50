"""Ollama's ``/api/embed``: https://docs.ollama.com/api/embed

Without `truncate: false` it cuts long inputs and says nothing of it.
"""

from collections.abc import Mapping

from gateway.hub.embeddings import EmbeddingRequest, Part, Vectors, base64_of, checked
from gateway.hub.embeddings.answers import object_of, token_count
from gateway.hub.embeddings.wishes import flag, only_texts, wished
from gateway.hub.protocol import Feature, Reply, Route, UpstreamRequest
from gateway.hub.requests.losses import Losses

EMBEDDING_FEATURES: tuple[Feature, ...] = ()

PATH = "/api/embed"
_IGNORED = frozenset({"user", "input_type"})
_SENT = frozenset({"dimensions", "keep_alive", "num_ctx", "options", "truncate"})


def render_embeddings(asked: EmbeddingRequest, route: Route) -> list[Part]:
    """Return the one request that it takes; raises a 400 for anything but texts."""
    texts = only_texts(asked, route)
    losses = Losses(route)
    wishes = wished(asked, losses, _SENT, _IGNORED)
    body = {
        "model": route.upstream_model,
        "input": texts,
        "truncate": flag(wishes, "truncate"),
    }
    options = wishes.get("options") if isinstance(wishes.get("options"), dict) else {}
    window = wishes.get("num_ctx", route.options.get("num_ctx"))
    if window is not None:
        options = {"num_ctx": window, **(options or {})}
    if options:
        body["options"] = options
    for name in ("dimensions", "keep_alive"):
        if name in wishes:
            body[name] = wishes[name]
    request = UpstreamRequest(PATH, body, Reply(route.model), dropped=losses.dropped)
    return [Part(request, 0, len(texts))]


def parse_embeddings(
    raw: bytes, headers: Mapping[str, str], part: Part, wants_base64: bool
) -> Vectors:
    """Return the vectors and `prompt_eval_count`; raises a 502."""
    payload = object_of(raw)
    vectors = checked(payload.get("embeddings"), part.size)
    return Vectors(
        [base64_of(each) for each in vectors] if wants_base64 else list(vectors),
        token_count(payload.get("prompt_eval_count")),
        dimensions=len(vectors[0]),
    )
