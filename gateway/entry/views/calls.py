"""The gateway's views: HTTP in, HTTP out."""

import re
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from django.conf import settings

from gateway.calls.begin import WholeAnswer, ask, begin
from gateway.calls.call import Call
from gateway.calls.embedding import embed
from gateway.calls.passages import between
from gateway.doors import chat
from gateway.doors import embeddings as embeddings_door
from gateway.doors.protocol import Asked, Door, Envelope, Sent
from gateway.entry import bodies, hops
from gateway.entry.request import Request
from gateway.entry.response import Response, json_response
from gateway.entry.streamed import StreamedAnswer
from gateway.entry.views.metrics import has_token
from gateway.errors import invalid_request
from gateway.tracing import current
from gateway.tracing.spans import tracing
from gateway.wire.framing import Shapes
from gateway.worker.draining import draining
from gateway.worker.registry import registry
from gateway.worker.runtime import runtime

_SHAPES: Mapping[Envelope, Shapes] = {chat: chat.SHAPES}
"""Of the doors whose long requests are read by their outlines."""
_OWN_COLUMNS = {"end_user_id": "x-end-user-id", "run_id": "x-run-id"}
_IDEMPOTENCY_KEY = re.compile(r"[ -~]{1,255}")


def through(door: Door) -> Callable[..., Awaitable[Response | StreamedAnswer]]:
    """Return the view that answers what comes in at `door`."""
    passage_to = partial(between, door)

    async def answer(request: Request, provider: str = "") -> Response | StreamedAnswer:
        """Answer a request; `provider` pins one by its name."""
        asked, call = asked_by(request, door)
        if asked.stream:
            request.wait_for(asked, door)
        answer = await ask(asked, call, passage_to, provider)
        if isinstance(answer, WholeAnswer):
            headers = door.answer_headers(answer.headers, request.sent())
            return json_response(answer.raw or answer.body, headers=headers)
        response = StreamedAnswer(answer)
        response.headers = door.answer_headers(response.headers, request.sent())
        return response

    return answer


async def embeddings(request: Request, provider: str = "") -> Response:
    """Answer with the vectors of some texts; `provider` pins one by its name."""
    asked, call = asked_by(request, embeddings_door)
    answer = await embed(asked, call, provider)
    return json_response(answer.body, headers=answer.headers)


async def alive(request: Request) -> Response:
    """Answer a client that asks whether anybody is there, and nothing else."""
    return Response(200, {"content-type": "text/plain; charset=utf-8"}, b"")


async def healthz(request: Request) -> Response:
    """Tell that the process is alive, and its version to whoever has METRICS_TOKEN."""
    if has_token(request):
        return json_response({"status": "ok", "version": settings.VERSION})
    return json_response({"status": "ok"})


async def readyz(request: Request) -> Response:
    """Tell whether `/v1` can be served, which a warm worker can without database.

    If not, why: `draining`, it ends; `starting`, the database was not read yet;
    `outdated`, not for a day.
    """
    if registry.is_loaded and not draining.has_begun:
        return json_response({"status": "ready"})
    why = "outdated" if registry.snapshot.version >= 0 else "starting"
    reason = "draining" if draining.has_begun else why
    return json_response({"status": "not ready", "reason": reason}, status=503)


def asked_by(request: Request, door: Envelope) -> tuple[Asked, Call]:
    """Return what a request asks for and the call that it begins.

    Raises GatewayError, with the request's line in the ledger prepared.
    """
    sent = request.sent()
    call = begun_by(request, door, sent)
    read = bodies.read(request.body, _SHAPES.get(door))
    body = read.body
    if isinstance(model := body.get("model"), str):
        call.entry.fields["model"] = model
    if read.members is not None:
        sent = sent._replace(members=read.members, is_outlined=read.is_outline)
    asked = door.parse_request(body, sent)
    request.let_go(asked.sent)
    return asked, call


def begun_by(request: Request, door: Envelope, sent: Sent) -> Call:
    """Return the call that a request begins; raises GatewayError."""
    columns, onward = _told_by_head(request, door, sent)
    call = begin(
        request.caller,
        request.request_id,
        time.monotonic(),
        request.held,
        onward,
        columns,
    )
    request.entry = call.entry
    if named := tracing.begin(call.entry, request.header_lists):
        call.headers = {**call.headers, **named}
    trace = call.entry.trace
    current.join(call.entry.call_id, trace.id if trace is not None else "")
    return call


def _told_by_head(
    request: Request, door: Envelope, sent: Sent
) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Return what the ledger is told of a request's headers, and those that go on.

    Raises GatewayError.
    """
    found = request.found
    if found is None:
        return about(request, door, sent), _headers_for_upstream(request)
    if found.told is None or found.told[0] is not door:
        told = about(request, door, sent)
        found.told = door, told, _headers_for_upstream(request)
    return found.told[1], found.told[2]


def about(request: Request, door: Envelope, sent: Sent) -> dict[str, str]:
    """Return what the ledger is told of what was `sent` at `door`, by column.

    Headers of our own go before those that only a door knows.
    """
    columns = {"door": door.NAME, **door.about(sent)}
    for column, header in _OWN_COLUMNS.items():
        if header in request.header_lists and (value := request.header(header)):
            columns[column] = value
    return columns


def _headers_for_upstream(request: Request) -> dict[str, str]:
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
