"""Embeddings of OpenAI and compatible servers: relayed, and mended where they differ.

https://platform.openai.com/docs/api-reference/embeddings/create

Vectors are not read where they have the form that was asked for: 2,048 of them are
130 MB of numbers.
"""

import re
from collections.abc import Mapping
from typing import Any

from gateway.errors import GatewayError
from gateway.hub.embeddings import (
    EmbeddingRequest,
    Part,
    Vectors,
    base64_of,
    checked,
    floats_of,
)
from gateway.hub.embeddings.answers import token_count
from gateway.hub.embeddings.vectors import no_vectors
from gateway.hub.embeddings.wishes import no_token_ids
from gateway.hub.errors import upstream_errors
from gateway.hub.protocol import Feature, Reply, Route, UpstreamRequest
from gateway.hub.requests.losses import Losses
from gateway.translators.openai.errors import WORDS
from gateway.translators.openai.headers import own_headers
from gateway.wire import jsontext, unread
from gateway.wire.unread import Unread

PATH = "/v1/embeddings"

EMBEDDING_FEATURES: tuple[Feature, ...] = (
    Feature(
        "encoding_format",
        ("encoding_format",),
        re.compile(r"encoding_format|base64"),
        lasts=True,
    ),
)

_OURS = frozenset({"data", "model", "object"})
"""What of an answer is written anew; the rest is passed on."""

_OWN_VOCABULARY = frozenset(
    {"text-embedding-ada-002", "text-embedding-3-small", "text-embedding-3-large"}
)
"""Models whose token ids are those that clients send: cl100k_base."""


Item = dict[str, Unread]
"""A vector of the answer: its fields, unread."""


def render_embeddings(asked: EmbeddingRequest, route: Route) -> list[Part]:
    """Return the one request that it takes, as it came but for the model's name.

    Raises a 400 for token ids of a vocabulary that the model may not have.
    """
    if any(isinstance(each, int | list) for each in asked.inputs) and (
        route.upstream_model not in _OWN_VOCABULARY
    ):
        raise no_token_ids(route)
    losses = Losses(route)
    body = {**asked.body, "model": route.upstream_model}
    body.pop("stream", None)
    for param in route.options.get("drop_params") or ():
        if body.pop(param, None) is not None:
            losses.drop(param)
    if "encoding_format" in route.avoid:
        body.pop("encoding_format", None)
    headers = own_headers(route.options)
    reply = Reply(route.model)
    request = UpstreamRequest(PATH, body, reply, headers, losses.dropped)
    return [Part(request, 0, len(asked.inputs))]


def parse_embeddings(
    raw: bytes, headers: Mapping[str, str], part: Part, wants_base64: bool
) -> Vectors:
    """Return the vectors, untouched where nothing is amiss; raises a 502."""
    try:
        answer, items = unread.with_objects(raw, "data")
    except (*jsontext.JSONError, KeyError):
        raise _no_answer(raw) from None
    if len(items) != part.size:
        raise no_vectors(f"does not hold {part.size} vectors")
    tokens = _tokens(answer.get("usage"))
    extra = {name: answer[name] for name in answer if name not in _OURS}
    mark = b'"' if wants_base64 else b"["
    if all(_is_right(each, index, mark) for index, each in enumerate(items)):
        raws: list[Any] = [each["embedding"] for each in items]
        return Vectors(raws, tokens, answer["data"], extra)
    found = [each.get("embedding") for each in _in_order(items)]
    vectors = [_mended(each, wants_base64) for each in found]
    return Vectors(vectors, tokens, extra=extra)


def _tokens(usage: Unread | None) -> int | None:
    """Return the tokens that were counted, None where none were."""
    told = jsontext.decode(usage) if usage else None
    if not isinstance(told, dict):
        return None
    return token_count(told.get("prompt_tokens", told.get("total_tokens"))) or None


def _no_answer(raw: bytes) -> GatewayError:
    """Return what an answer without vectors is: an error, perhaps, told as a 200."""
    try:
        payload = jsontext.decode(raw)
    except jsontext.JSONError:
        return no_vectors("is not valid JSON")
    if isinstance(payload, dict):
        return upstream_errors.instead_of_answer(payload, WORDS)
    return no_vectors("is not a JSON object")


def _is_right(item: Item, index: int, mark: bytes) -> bool:
    """Tell whether an item needs nothing: in its place, and in the form asked for."""
    if not {"embedding", "index", "object"} <= item.keys():
        return False
    start = bytes(memoryview(item["embedding"])[:2])
    return (
        bytes(item["index"]) == str(index).encode()
        and bytes(item["object"]) == b'"embedding"'
        and start[:1] == mark
        and start not in (b"[]", b'""')
    )


def _in_order(items: list[Item]) -> list[Item]:
    """Return the items by their index, as they stand where not all have one."""
    places = {bytes(item.get("index", b"")): item for item in items}
    wanted = [str(index).encode() for index in range(len(items))]
    if any(index not in places for index in wanted):
        return items
    return [places[index] for index in wanted]


def _mended(vector: Unread | None, wants_base64: bool) -> Any:
    value = jsontext.decode(vector) if vector else None
    if isinstance(value, str):
        # Read all the same: a text may be no vector.
        floats = floats_of(value)
        return value if wants_base64 else floats
    (floats,) = checked([value], 1)
    return base64_of(floats) if wants_base64 else floats
