"""The Playground: a chat with one model or two, streamed into the page.

Asynchronous views under the console's own handler: a chat holds no thread while the
model speaks. Without JavaScript each message is answered by a whole page.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence

from asgiref.sync import sync_to_async
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.html import escape
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from gateway.calls.begin import find
from gateway.calls.targets import MAX_ATTEMPTS
from gateway.console import replay
from gateway.console.playground_call import Piece, PlaygroundAnswer, PlaygroundCall
from gateway.console.playground_form import (
    SIDES,
    PlaygroundForm,
    served_models,
    shown,
)
from gateway.errors import GatewayError
from gateway.identifiers import token
from gateway.wire.jsontext import JSON
from gateway.worker.snapshot import Caller
from providers import snippets

KEEP_ALIVE_SECONDS = 15.0
KEEP_ALIVE = b": keep-alive\n\n"


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
async def playground(request: HttpRequest) -> HttpResponse:
    """Show the Playground; POST answers a message, clears, or shows the code."""
    if request.method != "POST":
        return await _first_page(request)
    data = request.POST.copy()
    match data.get("action"):
        case "clear":
            for name in ("said", *SIDES):
                data.pop(name, None)
            return await _page(request, await _next(data))
        case "code":
            return await _code_page(request, data)
    form, is_valid = await _validated(data)
    if not is_valid:
        return await _page(request, form, status=422)
    caller = await _caller(request)
    calls = [PlaygroundCall(body, caller) for body in form.bodies()]
    answers = await asyncio.gather(*(each.ask(_ignore) for each in calls))
    said = form.cleaned_data["message"]
    return await _page(request, await _next(data), said=said, answers=list(answers))


@login_required
@require_safe
async def playground_route(request: HttpRequest) -> HttpResponse:
    """Show who would answer the model of the query, as a part of the page."""
    providers = await _route(request.GET.get("model", ""), await _caller(request))
    context = {"providers": providers}
    return await sync_to_async(render)(request, "playground/_route.html", context)


@login_required
@require_POST
async def playground_stream(request: HttpRequest) -> HttpResponseBase:
    """Answer a message as server-sent events of HTML that htmx puts in place."""
    form, is_valid = await _validated(request.POST)
    if not is_valid:
        response = await _page(request, form, status=422)
        for header in ("HX-Retarget", "HX-Reselect"):
            response[header] = "#playground-form"
        response["HX-Reswap"] = "outerHTML"
        return response
    caller = await _caller(request)
    options = {"stream": True, "stream_options": {"include_usage": True}}
    calls = [PlaygroundCall({**body, **options}, caller) for body in form.bodies()]
    return StreamingHttpResponse(
        _events(form.cleaned_data["message"], calls),
        content_type="text/event-stream; charset=utf-8",
        headers={
            "Cache-Control": "no-cache, no-transform",
            "X-Accel-Buffering": "no",
        },
    )


async def _first_page(request: HttpRequest) -> HttpResponse:
    """Return the page without a conversation, or with that of a kept request."""
    call_id = request.GET.get("replay", "")

    def filled() -> tuple[PlaygroundForm, list[str]]:
        if not call_id:
            return PlaygroundForm(initial={"model": request.GET.get("model", "")}), []
        found = replay.of_call(call_id, served_models().known)
        form = PlaygroundForm(initial=found.initial)
        form.turns = found.turns
        return form, found.notes

    form, notes = await sync_to_async(filled)()
    return await _page(request, form, notes=notes)


async def _route(model: str, caller: Caller) -> list[str]:
    """Return the names of the providers that would be asked, in this order."""
    if not model:
        return []
    try:
        found = await find(model, caller)
    except GatewayError:
        return []
    return [target.provider.name for target in found[:MAX_ATTEMPTS]]


async def _next(data: QueryDict) -> PlaygroundForm:
    return await sync_to_async(PlaygroundForm.again)(data)


async def _validated(
    data: QueryDict, needs_message: bool = True
) -> tuple[PlaygroundForm, bool]:
    """Return the form of `data` and whether it can be sent."""

    def validate() -> tuple[PlaygroundForm, bool]:
        form = PlaygroundForm(data)
        form.fields["message"].required = needs_message
        return form, form.is_valid()

    return await sync_to_async(validate)()


async def _code_page(request: HttpRequest, data: QueryDict) -> HttpResponse:
    """Return the page with the request as code; nothing is sent."""
    form, is_valid = await _validated(data, needs_message=False)
    return await _page(request, form, bodies=form.bodies() if is_valid else [])


async def _caller(request: HttpRequest) -> Caller:
    user = await request.auser()
    return Caller(user.get_username(), "console")


def _ignore(piece: Piece) -> None:
    """Take a piece of an answer that is shown as a whole."""


async def _page(
    request: HttpRequest,
    form: PlaygroundForm,
    *,
    said: str = "",
    answers: list[PlaygroundAnswer] | None = None,
    bodies: list[JSON] | None = None,
    notes: Sequence[str] = (),
    status: int = 200,
) -> HttpResponse:
    """Return the page with the conversation so far, a new turn, or code."""
    turns = [shown(turn) for turn in form.turns]
    if answers:
        turns.append({"said": said, "answers": answers, "is_new": True})
    base = snippets.base_url(request)
    model = form["model"].value() or ""
    context = {
        "form": form,
        "notes": notes,
        "providers": await _route(model, await _caller(request)),
        "turns": turns,
        "sides": SIDES,
        "codes": [
            {"model": b["model"], **snippets.of_request(base, b)} for b in bodies or []
        ],
        "wants_code": bodies is not None,
    }
    # Templates ask for the user and the like, which may read the database.
    return await sync_to_async(render)(
        request, "playground/playground.html", context, status=status
    )


async def _events(said: str, calls: list[PlaygroundCall]) -> AsyncIterator[bytes]:
    """Give the turn, then what its answers say as it arrives, then how they ended.

    Asking begins with the first event, so that nothing is open before somebody reads.
    """
    turn = f"turn-{token(8)}"
    arrived: asyncio.Queue[tuple[int, Piece | None]] = asyncio.Queue()
    tasks = [
        asyncio.create_task(_ask(number, call, arrived))
        for number, call in enumerate(calls)
    ]
    try:
        answers = [call.answer for call in calls]
        context = {"said": said, "answers": answers, "turn": turn, "is_open": True}
        yield _event(render_to_string("playground/_turn_begins.html", context))
        missing = len(tasks)
        while missing:
            pieces = await _take(arrived)
            if not pieces:
                yield KEEP_ALIVE
                continue
            html = ""
            for number, piece in pieces:
                target = f"{turn}-{number + 1}"
                if piece is not None:
                    html += _said(target, piece)
                    continue
                missing -= 1
                # Raises what nobody expected; a failed call is part of the answer.
                await tasks[number]
                html += await asyncio.to_thread(
                    _ended, target, number, answers[number], missing == 0
                )
            yield _event(html)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _ask(
    number: int,
    call: PlaygroundCall,
    arrived: asyncio.Queue[tuple[int, Piece | None]],
) -> None:
    try:
        await call.ask(lambda piece: arrived.put_nowait((number, piece)))
    finally:
        arrived.put_nowait((number, None))


async def _take(
    arrived: asyncio.Queue[tuple[int, Piece | None]],
) -> list[tuple[int, Piece | None]]:
    """Return all that is there, one per answer and kind; nothing after a silence."""
    try:
        async with asyncio.timeout(KEEP_ALIVE_SECONDS):
            taken = [await arrived.get()]
    except TimeoutError:
        return []
    while not arrived.empty():
        number, piece = arrived.get_nowait()
        before = taken[-1]
        if before[0] == number and before[1] is not None and piece is not None:
            joined = Piece(
                before[1].text + piece.text, before[1].thinking + piece.thinking
            )
            taken[-1] = (number, joined)
        else:
            taken.append((number, piece))
    return taken


def _said(target: str, piece: Piece) -> str:
    html = ""
    for kind, text in (("thinking", piece.thinking), ("text", piece.text)):
        if text:
            # Carriage returns would end a line of the event.
            safe = escape(text.replace("\r\n", "\n").replace("\r", "\n"))
            html += (
                f'<hx-partial hx-target="#{target}-{kind}" hx-swap="beforeend">'
                f"<span>{safe}</span></hx-partial>"
            )
    return html


# Of a long answer this takes a while: in a thread, beside which other calls go on.
def _ended(target: str, number: int, answer: PlaygroundAnswer, is_last: bool) -> str:
    context = {
        "answer": answer,
        "target": target,
        "side": SIDES[number],
        "is_last": is_last,
        "is_new": True,
    }
    return render_to_string("playground/_answer_ends.html", context)


def _event(html: str) -> bytes:
    """Return one server-sent event; its lines become one text again."""
    lines = html.replace("\r", "").split("\n")
    return "".join(f"data: {line}\n" for line in lines).encode() + b"\n"
