"""The paths of the offline sandbox, and of the starter kit's echo tool.

The sandbox lets somebody register, wire, call and test everything without an account
or a network. It is an upstream that this server offers itself.
"""

import hmac
import time
from collections.abc import AsyncIterator

from gateway.doors import chat
from gateway.doors import embeddings as embeddings_door
from gateway.entry.request import Request
from gateway.entry.response import Response, json_response
from gateway.entry.streamed import STREAM_HEADERS, Write
from gateway.errors import GatewayError, invalid_request
from gateway.sandbox import answers
from gateway.sandbox.vectors import embedded
from gateway.wire.jsontext import JSON, JSONError, decode
from providers import starter

NOT_FOR_AGENTS = (
    "This is the gateway's own offline sandbox. It answers the Playground LLM only; "
    "call the gateway at /v1/chat/completions instead."
)


class _SandboxStream:
    """A streamed answer of the sandbox; a `StreamedResponse`."""

    def __init__(self, chunks: list[JSON]) -> None:
        self._renderer = chat.ChatRenderer()
        media_type = self._renderer.media_type
        self.headers = {"content-type": media_type, **STREAM_HEADERS}
        self._chunks = chunks

    async def parts(self, write: Write | None) -> AsyncIterator[bytes]:
        """Yield the frames of its chunks."""
        for chunk in self._chunks:
            yield self._renderer.render([chunk])
        yield self._renderer.end()

    async def whole(self) -> bytes | None:
        """Return nothing: it comes by parts."""
        return None

    def sent(self) -> None:
        """Note nothing."""

    def stall(self) -> None:
        """Note nothing: it costs nobody anything."""

    def fail(self, error: GatewayError) -> bytes:
        """Return the frame that tells `error`."""
        return self._renderer.fail(error)

    async def aclose(self) -> None:
        """Let go of nothing."""


async def chat_completions(request: Request) -> Response | _SandboxStream:
    """Answer a chat completion, whole or streamed, without any model."""
    _authenticate(request)
    body = _body(request)
    created = int(time.time())
    if not body.get("stream"):
        return json_response(answers.complete(body, created))
    return _SandboxStream(answers.stream(body, created))


async def embeddings(request: Request) -> Response:
    """Answer with vectors that are equal for equal texts and mean nothing."""
    _authenticate(request)
    asked = embeddings_door.parse_request(_body(request), request.sent())
    vectors = embedded(asked.own)
    return json_response(
        embeddings_door.render_answer([vectors], asked.model, vectors.tokens or 0)
    )


async def models(request: Request) -> Response:
    """List the models that the Playground LLM starts with."""
    _authenticate(request)
    models = [
        {"id": name, "object": "model", "created": 0, "owned_by": "sandbox"}
        for name in (starter.MODEL, starter.EMBEDDING_MODEL)
    ]
    return json_response({"object": "list", "data": models})


async def echo(request: Request) -> Response:
    """The starter kit's echo tool: ``{"message"}`` in, ``{"reply"}`` out."""
    try:
        body = decode(request.body)
    except JSONError:
        return json_response({"error": "The body is not valid JSON."}, 400)
    if not isinstance(body, dict) or not isinstance(body.get("message"), str):
        return json_response({"error": "message is required and must be text"}, 400)
    return json_response({"reply": f"Echo: {body['message']}"})


def _authenticate(request: Request) -> None:
    """Ask for the sandbox's key, which its provider holds; raises a 401."""
    scheme, _, key = request.header("authorization").partition(" ")
    is_ours = hmac.compare_digest(key.strip().encode(), starter.sandbox_key().encode())
    if scheme.lower() != "bearer" or not is_ours:
        raise GatewayError(
            401, "authentication_error", NOT_FOR_AGENTS, "invalid_api_key"
        )


def _body(request: Request) -> JSON:
    try:
        body = decode(request.body)
    except JSONError:
        raise invalid_request(
            "The body is not valid JSON.", code="invalid_json"
        ) from None
    if not isinstance(body, dict):
        raise invalid_request("The body must be a JSON object.", code="invalid_json")
    return body
