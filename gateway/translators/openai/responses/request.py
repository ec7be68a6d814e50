"""A request of the Responses API as its upstream gets it: as it came.

What may change is the model's name, what the provider's options take away, and what is
nobody's business but the client's own.
https://platform.openai.com/docs/api-reference/responses/create
"""

import re
from collections.abc import Mapping

from gateway.hub.answers.names import Names
from gateway.hub.protocol import JSON, Feature, Reply, Route, UpstreamRequest
from gateway.translators.openai.headers import own_headers
from gateway.translators.openai.responses.hosts import HOME
from gateway.values import Value
from gateway.wire.jsontext import decode_exactly, encode
from gateway.wire.members import Members

PATH = "/v1/responses"
WIRE = "responses"
"""By which an answer that is passed on is known."""

MISSING = Feature("responses", ("input",), re.compile(r"(?!)"), is_path=True)
"""The path itself, which a server may not have."""

SEALED = Feature(
    "sealed_reasoning",
    ("encrypted_content",),
    re.compile(r"encrypted[_ ]content", re.IGNORECASE),
    anywhere=True,
    of_one=True,
)
"""Reasoning that another account's key has sealed: a conversation that moved.

https://github.com/openai/codex/issues/8119
"""

_PRIVATE = "client_metadata"
"""Where Codex tells its vendor of the installation that it runs in."""

_NEEDED = frozenset({"model", "input", "stream"})
_HEADERS = (
    "openai-beta",
    "x-client-request-id",
    "x-openai-internal-codex-responses-lite",
)
_VALUE = re.compile(r"[ -~]{1,512}")


class Received(Value, frozen=True):
    """A request as it came: `body` is what `raw` says, `headers` have lists.

    `members` tells where in `raw` its values stand, where that is known.
    """

    body: JSON
    raw: bytes
    headers: Mapping[str, list[str]]
    members: Members | None = None


def render_request(received: Received, route: Route, tail: str = "") -> UpstreamRequest:
    """Return the request as it is passed on; `tail` leads to a neighbour's path."""
    body = received.body
    if route.avoid or _PRIVATE in body or route.options.get("drop_params"):
        return _render_shortened(received, route, tail)
    names = Names(route.model, route.upstream_model)
    return UpstreamRequest(
        PATH + tail,
        {**body, "model": route.upstream_model},
        _reply(body, route),
        _headers(received.headers, route),
        raw=names.for_upstream(received.raw, body, received.members),
    )


def _render_shortened(received: Received, route: Route, tail: str) -> UpstreamRequest:
    """Return a request of which not all may go on."""
    shortened = _shortened(received.body, route)
    if shortened.body is received.body:
        names = Names(route.model, route.upstream_model)
        raw = names.for_upstream(received.raw, received.body, received.members)
    else:
        # Numbers keep the client's own digits.
        exact = _shortened(decode_exactly(received.raw), route).body
        raw = encode({**exact, "model": route.upstream_model})
    return UpstreamRequest(
        PATH + tail,
        {**shortened.body, "model": route.upstream_model},
        _reply(shortened.body, route),
        _headers(received.headers, route),
        shortened.dropped,
        shortened.downgraded,
        raw=raw,
    )


class _Shortened(Value, frozen=True):
    body: JSON
    dropped: tuple[str, ...] = ()
    downgraded: tuple[str, ...] = ()


def _shortened(body: JSON, route: Route) -> _Shortened:
    """Return a request without what does not go on, itself where all of it does."""
    unwanted = route.options.get("drop_params") or ()
    dropped = tuple(each for each in unwanted if each in body and each not in _NEEDED)
    removed = {*dropped, *(() if route.host == HOME else (_PRIVATE,))}
    if not removed.isdisjoint(body):
        body = {key: body[key] for key in body if key not in removed}
    if SEALED.name in route.avoid and isinstance(items := body.get("input"), list):
        kept = [each for each in items if not _is_reasoning(each)]
        return _Shortened({**body, "input": kept}, dropped, ("reasoning",))
    return _Shortened(body, dropped)


def names_of(reply: Reply) -> Names:
    """Return the names of the model that an answer is told by."""
    return Names(reply.model, reply.upstream_model)


def _reply(body: JSON, route: Route) -> Reply:
    return Reply(
        route.model,
        route.completion_id,
        route.created,
        body.get("stream") is True,
        wire=WIRE,
        options=route.options,
        largest=route.largest,
        upstream_model=route.upstream_model,
    )


def _headers(sent: Mapping[str, list[str]], route: Route) -> dict[str, str]:
    if sent.keys().isdisjoint(_HEADERS):
        return own_headers(route.options)
    given = {name: ", ".join(sent[name]) for name in _HEADERS if name in sent}
    kept = {name: value for name, value in given.items() if _VALUE.fullmatch(value)}
    return {**kept, **own_headers(route.options)}


def _is_reasoning(item: object) -> bool:
    return isinstance(item, dict) and item.get("type") == "reasoning"
