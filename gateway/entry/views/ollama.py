"""What Ollama's clients ask besides a conversation: models, one of them, vectors."""

from gateway.calls import router
from gateway.calls.begin import find
from gateway.calls.embedding import embed
from gateway.doors.ollama import embeddings, former, listing
from gateway.entry import bodies
from gateway.entry.request import Request
from gateway.entry.response import Response, json_response
from gateway.entry.views import calls
from gateway.worker.registry import registry


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
    """Refuse a prompt without a conversation; always raises."""
    raise former.generate()


async def former_embeddings(request: Request) -> Response:
    """Answer as OpenAI's API does; raises a 400 for what Ollama's once took."""
    former.check_input(bodies.parse(request.body))
    return await calls.embeddings(request)
