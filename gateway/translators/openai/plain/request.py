"""A request that goes on as it came, but for the model's name.

https://platform.openai.com/docs/api-reference/completions/create
https://platform.openai.com/docs/api-reference/moderations/create
"""

from gateway.hub.answers.names import Names
from gateway.hub.protocol import JSON, Reply, Route, UpstreamRequest
from gateway.translators.openai.headers import own_headers
from gateway.wire.jsontext import decode_exactly, encode

COMPLETIONS = "/v1/completions"
MODERATIONS = "/v1/moderations"

_NEEDED = frozenset({"model", "prompt", "input", "stream"})
_USAGE = "stream_options"


def render_request(body: JSON, raw: bytes, route: Route, path: str) -> UpstreamRequest:
    """Return a request for `path`; `body` is what `raw` says."""
    adapted = _adapted(body, route)
    if adapted is not body:
        # Numbers keep the client's own digits.
        raw = encode(_adapted(decode_exactly(raw), route))
    if "model" in adapted:
        raw = Names(route.model, route.upstream_model).for_upstream(raw, adapted)
        adapted = {**adapted, "model": route.upstream_model}
    return UpstreamRequest(
        path,
        adapted,
        _reply(body, route),
        own_headers(route.options),
        tuple(each for each in _unwanted(route) if each in body),
        raw=raw,
    )


def names_of(reply: Reply) -> Names:
    """Return the names of the model that an answer is told by."""
    return Names(reply.model, reply.upstream_model)


def _adapted(body: JSON, route: Route) -> JSON:
    """Return a request as the provider's options want it, itself where it is so."""
    adapted = {name: body[name] for name in body if name not in _unwanted(route)}
    if body.get("stream") is True:
        _ask_for_usage(adapted, route)
    return body if adapted == body else adapted


def _unwanted(route: Route) -> list[str]:
    given = route.options.get("drop_params") or ()
    return [each for each in given if each not in _NEEDED]


def _ask_for_usage(body: JSON, route: Route) -> None:
    """Have a stream tell its usage, whether or not the client did: it is counted."""
    if _USAGE in route.avoid or route.options.get("include_usage") is False:
        body.pop(_USAGE, None)
        return
    options = body.get(_USAGE)
    if options is None or isinstance(options, dict):
        body[_USAGE] = {**(options or {}), "include_usage": True}


def _reply(body: JSON, route: Route) -> Reply:
    reply = Reply.of(body, route)
    return reply._replace(upstream_model=route.upstream_model)
