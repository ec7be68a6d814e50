"""What Ollama's clients ask besides a conversation: models, one of them, vectors."""

import time

from gateway.calls import router
from gateway.calls.begin import find
from gateway.calls.embedding import embed
from gateway.doors import ollama as door
from gateway.doors.ollama import embeddings, former, listing, loading
from gateway.entry import bodies
from gateway.entry.request import Request
from gateway.entry.response import Response, json_response
from gateway.entry.streamed import StreamedAnswer
from gateway.entry.views import calls
from gateway.errors import GatewayError
from gateway.wire.jsontext import JSON
from gateway.worker.registry import registry

LONGEST_LOADING = 1024
"""Bytes of a request that says nothing; longer ones are not read twice."""

_converse = calls.through(door)


async def chat(request: Request) -> Response | StreamedAnswer:
    """Answer a conversation, or tell who sends none that the model is ready."""
    if len(request.body) <= LONGEST_LOADING:
        body = bodies.parse(request.body)
        if isinstance(body.get("model"), str) and body.get("messages") in (None, []):
            return await _loaded(request, body, loading.of_chat(body, time.time()))
    return await _converse(request)


async def tags(request: Request) -> Response:
    """List the models that the caller may use."""
    found = router.visible(registry.snapshot, request.caller)
    return json_response(
        listing.tags((name, target.provider.row.created_at) for name, target in found)
    )


async def show(request: Request) -> Response:
    """Describe one model."""
    model = listing.named(bodies.parse(request.body))
    target = (await find(model, request.caller))[0]
    since = target.provider.row.created_at
    return json_response(listing.shown(since, target.kind, target.capabilities))


async def version(request: Request) -> Response:
    """Tell which version of Ollama this door answers like."""
    return json_response({"version": listing.VERSION})


async def embed_texts(request: Request) -> Response:
    """Answer with the vectors of some texts."""
    asked, call = calls.asked_by(request, embeddings)
    answer = await embed(asked, call)
    body = embeddings.rendered(answer.body, asked.model)
    return json_response(body, headers=answer.headers)


async def generate(request: Request) -> Response:
    """Tell that a model is ready; raises for a prompt without a conversation."""
    body = bodies.parse(request.body)
    if body.get("prompt") or body.get("images"):
        raise former.generate()
    return await _loaded(request, body, loading.of_prompt(body, time.time()))


async def former_embeddings(request: Request) -> Response:
    """Answer as OpenAI's API does; raises a 400 for what Ollama's once took."""
    former.check_input(bodies.parse(request.body))
    return await calls.embeddings(request)


async def _loaded(request: Request, body: JSON, told: JSON) -> Response:
    """Return what was `told`, if the caller may use the model; nobody is asked."""
    model = listing.named(body)
    try:
        await find(model, request.caller)
    except GatewayError:
        # As a call for it would leave a row.
        call = calls.begun_by(request, door, request.sent())
        call.entry.fields["model"] = model
        raise
    return json_response(told)
