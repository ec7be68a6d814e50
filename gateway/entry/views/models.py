"""What is told of models without asking any: which there are, how long a prompt is.

A list has the shape of who asks: OpenAI's, or the Messages API's, whose clients are
known by the version that they name.
"""

from collections.abc import Mapping
from datetime import UTC
from urllib.parse import parse_qsl

from gateway.calls import router
from gateway.calls.begin import find
from gateway.calls.counting import count
from gateway.doors import messages
from gateway.doors.messages import models as listing
from gateway.doors.messages.estimate import estimated
from gateway.entry import bodies
from gateway.entry.request import Request
from gateway.entry.response import Response, json_response
from gateway.wire.jsontext import JSON
from gateway.worker.registry import registry
from gateway.worker.snapshot import Target

MESSAGES_VERSION = "anthropic-version"
"""The header by which clients of the Messages API are known, wherever they ask."""

_CODEX_VERSION = "client_version"
"""The query by which Codex asks for its catalog of models."""

_ESTIMATED = {"x-gateway-estimated": "input_tokens"}


async def models(request: Request, provider: str = "") -> Response:
    """List the models the caller may use; `provider` leaves those of one.

    Raises GatewayError (404) where that is nobody's name, or hidden from the caller.
    """
    found = router.visible(registry.snapshot, request.caller, provider)
    if provider and not found:
        raise router.nobody(provider)
    query = dict(parse_qsl(request.query))
    if _speaks_messages(request):
        return _message(
            listing.page([_listed(*each) for each in found], query), request
        )
    told: JSON = {"object": "list", "data": [_model(name, t) for name, t in found]}
    if _CODEX_VERSION in query:
        # It takes this for its catalog, and complains of a list without. One of ours
        # would replace its own instructions.
        told["models"] = []
    return json_response(told)


async def model(request: Request, model: str, provider: str = "") -> Response:
    """Describe one model."""
    target = (await find(model, request.caller, provider))[0]
    if _speaks_messages(request):
        return _message(listing.described(_listed(model, target)), request)
    return json_response(_model(model, target))


async def count_tokens(request: Request, provider: str = "") -> Response:
    """Tell how many tokens a request of the Messages API comes to, or about how many.

    It is no call: nothing is limited or booked. Coding agents ask thirty at once.
    """
    body = bodies.parse(request.body)
    asked = messages.parse_request(body, request.sent())
    target, *_ = await find(asked.model, request.caller, provider)
    if (counted := await count(asked, target)) is not None:
        return _message(counted, request)
    return _message({"input_tokens": estimated(body)}, request, _ESTIMATED)


def _speaks_messages(request: Request) -> bool:
    return MESSAGES_VERSION in request.header_lists


def _message(
    body: JSON, request: Request, headers: Mapping[str, str] | None = None
) -> Response:
    """Return a response as clients of the Messages API expect it."""
    response = json_response(body, headers=headers)
    response.headers = messages.answer_headers(response.headers, request.sent())
    return response


def _listed(name: str, target: Target) -> listing.Listed:
    row, most = target.provider.row, target.capabilities.get("max_output")
    return listing.Listed(
        name,
        row.name,
        row.created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        most if isinstance(most, int) else None,
    )


def _model(name: str, target: Target) -> JSON:
    row = target.provider.row
    return {
        "id": name,
        "object": "model",
        "created": int(row.created_at.timestamp()),
        "owned_by": row.name,
        "kind": target.kind,
    }
