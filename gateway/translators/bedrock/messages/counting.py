"""How many tokens a Messages request has, as Bedrock counts them.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_CountTokens.html
"""

from base64 import b64encode

from gateway.errors import GatewayError, unsupported
from gateway.hub.protocol import JSON, Route, UpstreamRequest
from gateway.translators.anthropic.relay.request import Received
from gateway.translators.bedrock.api import CONVERSE
from gateway.translators.bedrock.headers import content_headers
from gateway.translators.bedrock.ids import foundation_model, path
from gateway.translators.bedrock.messages import converse_request, request, ways
from gateway.wire.jsontext import encode

_LIMIT = 1024
"""A limit of output, which is needed and does not count."""

_COUNTED = ("messages", "system", "toolConfig", "additionalModelRequestFields")


def render_count(received: Received, route: Route) -> UpstreamRequest:
    """Return the question for the count of a request to Claude.

    Raises a 400 for other models, and for what Claude cannot be asked here.
    """
    way, based = ways.way_of(received.body, route)
    if way == ways.HUB:
        raise _uncountable()
    asked = {"max_tokens": _LIMIT, **received.body, "stream": False}
    whole = Received(asked, b"", received.headers)
    counted: JSON
    if way == CONVERSE:
        body = converse_request.render_converse(whole, based, {}).body
        counted = {"converse": {name: body[name] for name in _COUNTED if name in body}}
    else:
        rendered = request.render_invoke(whole, based, {})
        counted = {"invokeModel": {"body": b64encode(rendered.raw).decode()}}
    body = {"input": counted}
    return UpstreamRequest(
        path(foundation_model(route.upstream_model), "count-tokens"),
        body,
        request.reply_of(route, request.WIRE, stream=False),
        content_headers(is_stream=False),
        raw=encode(body),
    )


def parse_count(payload: JSON) -> JSON | None:
    """Return the count as Anthropic tells it; None where there is none."""
    count = payload.get("inputTokens")
    return {"input_tokens": count} if isinstance(count, int) else None


def _uncountable() -> GatewayError:
    return unsupported("The provider counts the tokens of Claude only.", param="model")
