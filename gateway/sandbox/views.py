"""The paths of the offline sandbox, and of the starter kit's echo tool.

The sandbox lets somebody register, wire, call and test everything without an account
or a network.
"""

import hmac
import time
from collections.abc import AsyncIterator, Awaitable, Callable

from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase

from gateway.entry.answer import JSONResponse
from gateway.errors import GatewayError, invalid_request
from gateway.sandbox import answers
from gateway.wire import sse
from gateway.wire.jsontext import JSON, JSONError, decode
from providers import starter

NOT_FOR_AGENTS = (
    "This is the gateway's own offline sandbox. It answers the Playground LLM only; "
    "call the gateway at /v1/chat/completions instead."
)

View = Callable[[HttpRequest], Awaitable[HttpResponseBase]]


def _guarded(view: View) -> View:
    """Turn GatewayErrors into OpenAI's envelope; ask for the sandbox's key first."""

    async def guarded(request: HttpRequest) -> HttpResponseBase:
        try:
            _authenticate(request)
            return await view(request)
        except GatewayError as error:
            return JSONResponse(error.body(), error.status)

    return guarded


def _authenticate(request: HttpRequest) -> None:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    is_ours = hmac.compare_digest(key.strip().encode(), starter.sandbox_key().encode())
    if scheme.lower() != "bearer" or not is_ours:
        raise GatewayError(
            401, "authentication_error", NOT_FOR_AGENTS, "invalid_api_key"
        )


def _require(request: HttpRequest, method: str) -> None:
    if request.method != method:
        raise GatewayError(405, "invalid_request_error", f"Use {method}.")


def _body(request: HttpRequest) -> JSON:
    try:
        body = decode(request.body)
    except JSONError:
        raise invalid_request(
            "The body is not valid JSON.", code="invalid_json"
        ) from None
    if not isinstance(body, dict):
        raise invalid_request("The body must be a JSON object.", code="invalid_json")
    return body


@_guarded
async def sandbox_chat_completions(request: HttpRequest) -> HttpResponseBase:
    """Answer a chat completion, whole or streamed, without any model."""
    _require(request, "POST")
    body = _body(request)
    created = int(time.time())
    if not body.get("stream"):
        return JSONResponse(answers.complete(body, created))
    return StreamingHttpResponse(
        _events(answers.stream(body, created)),
        content_type="text/event-stream",
        headers={"Cache-Control": "no-cache, no-transform"},
    )


async def _events(chunks: list[JSON]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield sse.encode([chunk])
    yield sse.DONE


@_guarded
async def sandbox_models(request: HttpRequest) -> HttpResponseBase:
    """List the one model that the Playground LLM starts with."""
    _require(request, "GET")
    model = {
        "id": starter.MODEL,
        "object": "model",
        "created": 0,
        "owned_by": "sandbox",
    }
    return JSONResponse({"object": "list", "data": [model]})


async def echo(request: HttpRequest) -> HttpResponseBase:
    """The starter kit's echo tool: ``{"message"}`` in, ``{"reply"}`` out."""
    if request.method != "POST":
        return JSONResponse({"error": "Use POST."}, 405)
    try:
        body = decode(request.body)
    except JSONError:
        return JSONResponse({"error": "The body is not valid JSON."}, 400)
    if not isinstance(body, dict) or not isinstance(body.get("message"), str):
        return JSONResponse({"error": "message is required and must be text"}, 400)
    return JSONResponse({"reply": f"Echo: {body['message']}"})
