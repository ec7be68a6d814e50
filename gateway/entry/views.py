"""The gateway's views: HTTP in, HTTP out."""

import re
import time

from django.http.response import HttpResponseBase

from gateway.calls import completions, router
from gateway.calls.upstream import Call
from gateway.entry import bodies, hops
from gateway.entry.answer import JSONResponse
from gateway.entry.handler import endpoint
from gateway.entry.request import GatewayRequest
from gateway.errors import GatewayError, invalid_request
from gateway.ledger.spool import Entry
from gateway.wire.jsontext import JSON
from gateway.worker.call_settings import call_settings
from gateway.worker.capacity import capacity
from gateway.worker.draining import draining
from gateway.worker.registry import Caller, Target, registry
from gateway.worker.runtime import runtime

_IDEMPOTENCY_KEY = re.compile(r"[ -~]{1,255}")


@endpoint("POST")
async def chat_completions(
    request: GatewayRequest, provider: str = ""
) -> HttpResponseBase:
    """Answer a chat completion; `provider` pins one by its name."""
    received = time.monotonic()
    headers = _headers_for_upstream(request)
    capacity.enter(request.held, request.caller)
    body = bodies.parse(request.body)
    model = _model_of(body)
    caller = request.caller
    targets = await _find(model, caller, provider)
    entry = Entry(
        runtime.spool,
        received,
        request_id=request.request_id,
        caller=caller.name,
        caller_kind=caller.kind,
        key_hint=caller.hint,
        end_user_id=request.header("x-end-user-id"),
        run_id=request.header("x-run-id"),
    )
    call = Call(
        request_id=request.request_id,
        entry=entry,
        headers=headers,
        via=runtime.via,
        held=request.held,
    )
    limiter = runtime.limiter if call_settings.RATE_LIMIT_ENFORCEMENT else None
    return await completions.complete(body, targets, call, limiter)


@endpoint("GET")
async def models(request: GatewayRequest) -> JSONResponse:
    """List the models the caller may use."""
    found = router.visible(registry.snapshot, request.caller)
    return JSONResponse(
        {"object": "list", "data": [_model(name, t) for name, t in found]}
    )


@endpoint("GET")
async def model(request: GatewayRequest, model: str) -> JSONResponse:
    """Describe one model."""
    target = (await _find(model, request.caller))[0]
    return JSONResponse(_model(model, target))


@endpoint("GET", public=True)
async def healthz(request: GatewayRequest) -> JSONResponse:
    """Tell that the process is alive; touches nothing."""
    return JSONResponse({"status": "ok"})


@endpoint("GET", public=True)
async def readyz(request: GatewayRequest) -> JSONResponse:
    """Tell whether `/v1` can be served, which a warm worker can without database."""
    if registry.is_loaded and not draining.has_begun:
        return JSONResponse({"status": "ready"})
    return JSONResponse({"status": "not ready"}, status=503)


async def _find(model: str, caller: Caller, provider: str = "") -> tuple[Target, ...]:
    """Return who serves a model; one unknown may be newer than the snapshot."""
    try:
        return router.find(registry.snapshot, model, caller, provider)
    except GatewayError as error:
        if error.status != 404 or not await registry.catch_up():
            raise
    return router.find(registry.snapshot, model, caller, provider)


def _headers_for_upstream(request: GatewayRequest) -> dict[str, str]:
    """Return what of the client's headers goes on; raises GatewayError."""
    headers = {}
    if via := request.header_lists.get("via"):
        headers["via"] = hops.forwarded(via, runtime.via)
    if key := request.header("idempotency-key"):
        if not _IDEMPOTENCY_KEY.fullmatch(key):
            raise invalid_request(
                "The header Idempotency-Key must be 1 to 255 printable ASCII "
                "characters.",
                code="invalid_value",
            )
        headers["idempotency-key"] = key
    return headers


def _model_of(body: JSON) -> str:
    """Return the model's name; raises a 400 that names the wrong field."""
    name = body.get("model")
    if not isinstance(name, str) or not name:
        raise _field_error("model", name, "a model id, such as gpt-4o-mini")
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise _field_error("messages", messages, "a list with at least one message")
    stream = body.get("stream")
    if stream is not None and not isinstance(stream, bool):
        raise _field_error("stream", stream, "true or false")
    return name


def _field_error(field: str, value: object, wanted: str) -> GatewayError:
    if value is None:
        return invalid_request(
            f"{field} is required: {wanted}.", param=field, code="missing_field"
        )
    return invalid_request(
        f"{field} must be {wanted}.", param=field, code="invalid_value"
    )


def _model(name: str, target: Target) -> JSON:
    row = target.provider.row
    return {
        "id": name,
        "object": "model",
        "created": int(row.created_at.timestamp()),
        "owned_by": row.name,
    }
