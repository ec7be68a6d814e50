"""A Messages request to Claude on Bedrock, by InvokeModel.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html
"""

from collections.abc import Mapping

from gateway.errors import GatewayError
from gateway.hub.answers.names import Names
from gateway.hub.protocol import Reply, Route, UpstreamRequest
from gateway.hub.requests.losses import Losses
from gateway.translators.anthropic.relay.request import Received
from gateway.translators.bedrock.headers import (
    content_headers,
    guardrail_headers,
    metadata_headers,
)
from gateway.translators.bedrock.ids import path
from gateway.translators.bedrock.messages.body.adaptation import Adapted, adapted
from gateway.wire.jsontext import encode

WIRE = "messages"
"""By which an answer that is passed on is known."""

_LARGEST = 20 * 1024 * 1024
_TIER = "x-amzn-bedrock-service-tier"
_OPERATIONS = {False: "invoke", True: "invoke-with-response-stream"}


def render_invoke(
    received: Received, route: Route, fetched: Mapping[str, str]
) -> UpstreamRequest:
    """Return the request to the model of `route`, whose base model is known.

    Raises a 400 for what cannot be said there, a 413 for what is too large.
    """
    losses = Losses(route)
    rendered = adapted(received, route, fetched, losses)
    stream = received.body.get("stream") is True
    raw = encode(rendered.body)
    check_size(raw)
    return UpstreamRequest(
        path(route.upstream_model, _OPERATIONS[stream]),
        rendered.body,
        reply_of(route, WIRE, stream=stream),
        _headers(rendered, route, stream),
        losses.dropped,
        losses.downgraded,
        raw=raw,
    )


def reply_of(route: Route, wire: str, *, stream: bool) -> Reply:
    """Return what the parser of the answer must know."""
    return Reply(
        route.model,
        route.completion_id,
        route.created,
        stream,
        wire=wire,
        options=route.options,
        largest=route.largest,
    )


def names_of(reply: Reply) -> Names:
    """Return the names of the model: whatever Bedrock tells, the client's is shown."""
    return Names(reply.model, "")


def check_size(raw: bytes, largest: int = _LARGEST) -> None:
    """Raise a 413 for a body that AWS would not take."""
    if len(raw) > largest:
        raise GatewayError(
            413,
            "invalid_request_error",
            "Request exceeds the maximum size: Amazon Bedrock takes "
            f"{largest >> 20} MB.",
            code="request_too_large",
        )


def _headers(rendered: Adapted, route: Route, stream: bool) -> dict[str, str]:
    headers = content_headers(is_stream=stream)
    if stream:
        headers["x-amzn-bedrock-accept"] = "application/json"
    if rendered.tier:
        headers[_TIER] = rendered.tier
    headers |= guardrail_headers(route)
    return headers | metadata_headers(rendered.body.get("metadata"), route)
