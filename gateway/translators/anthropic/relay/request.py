"""A request of the Messages API as its upstream gets it: as it came.

What may change is the model's name, and what the upstream is known to refuse.
https://platform.claude.com/docs/en/api/messages
"""

from collections.abc import Mapping

from gateway.hub.answers.names import Names
from gateway.hub.protocol import JSON, Reply, Route, UpstreamRequest
from gateway.translators.anthropic.relay import headers, history
from gateway.translators.anthropic.requests.leaving_out import without
from gateway.translators.anthropic.requests.request import PATH
from gateway.values import Value
from gateway.wire.jsontext import decode_exactly, encode
from gateway.wire.members import Members

WIRE = "messages"
"""By which an answer that is passed on is known."""

_LISTED = frozenset({headers.BETA})


class Received(Value, frozen=True):
    """A request as it came: `body` is what `raw` says, `headers` have lists.

    `members` tells where in `raw` its values stand, where that is known.
    """

    body: JSON
    raw: bytes
    headers: Mapping[str, list[str]]
    members: Members | None = None


def render_request(received: Received, route: Route) -> UpstreamRequest:
    """Return the request as it is passed on."""
    shortened = _shortened(received, route)
    body = {**shortened.body, "model": route.upstream_model}
    names = Names(route.model, route.upstream_model)
    given = headers.for_upstream(received.headers, route.options)
    query = "?beta=true" if headers.BETA in received.headers else ""
    return UpstreamRequest(
        PATH + query,
        body,
        _reply(body, route),
        given,
        shortened.dropped,
        shortened.downgraded,
        listed_headers=_LISTED,
        raw=names.for_upstream(shortened.raw, shortened.body, shortened.members),
    )


def names_of(reply: Reply) -> Names:
    """Return the names of the model that an answer is told by."""
    return Names(reply.model, reply.upstream_model)


def _reply(body: JSON, route: Route) -> Reply:
    stream = body.get("stream") is True
    return Reply(
        route.model,
        route.completion_id,
        route.created,
        stream,
        wire=WIRE,
        options=route.options,
        largest=route.largest,
        upstream_model=route.upstream_model,
    )


class _Shortened(Value, frozen=True):
    body: JSON
    raw: bytes
    members: Members | None
    dropped: tuple[str, ...] = ()
    downgraded: tuple[str, ...] = ()


def _shortened(received: Received, route: Route) -> _Shortened:
    """Return a request without what would be refused, the same bytes where it can."""
    body = received.body
    dropped: tuple[str, ...] = ()
    if unwanted := route.options.get("drop_params"):
        body, dropped = without(body, unwanted)
    messages = body["messages"]
    own = history.acceptable(messages)
    if own is messages and not dropped:
        return _Shortened(received.body, received.raw, received.members)
    # Numbers keep the client's own digits.
    exact, _ = without(decode_exactly(received.raw), dropped)
    exact["messages"] = history.acceptable(exact["messages"])
    downgraded = () if own is messages else ("thinking",)
    shortened = {**body, "messages": own}
    return _Shortened(shortened, encode(exact), None, dropped, downgraded)
