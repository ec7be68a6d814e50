"""The wizard's first step: the code, which is read and kept nowhere."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from runagents.agents.detection import STAGES, Analysis, reading
from runagents.agents.models import Draft
from runagents.agents.starter.streams import event, event_stream, wants_events
from runagents.agents.wizard import drafts
from runagents.agents.wizard.forms import SourceForm
from runagents.agents.wizard.frame import draft_of, frame
from runagents.agents.wizard.uploads import Source


@login_required
@require_safe
def agent_create(request: HttpRequest) -> HttpResponse:
    """Begin with the first step."""
    return redirect("agent-upload")


@login_required
@require_safe
def upload(request: HttpRequest) -> HttpResponse:
    """Ask for the code; with a draft, show what was found in its code, too."""
    return _upload_page(request, SourceForm(), draft_of(request))


def _upload_page(
    request: HttpRequest, form: SourceForm, draft: Draft | None = None
) -> HttpResponse:
    context = {**frame("upload", draft), "form": form}
    status = 422 if form.is_bound else 200
    return render(request, "agents/wizard_upload.html", context, status=status)


@login_required
@sensitive_post_parameters()
@require_POST
async def read(request: HttpRequest) -> HttpResponseBase:
    """Read the code, tell how far that is, and go on to the next step by itself."""
    form = SourceForm(request.POST, request.FILES)
    # In a thread: an archive takes a while to unpack.
    if not await sync_to_async(form.is_valid)():
        if request.headers.get("HX-Request"):
            context = {"form": form}
            return render(request, "agents/_reading.html", context, status=422)
        return await sync_to_async(_upload_page)(request, form)
    items = _reading(form.read())
    if wants_events(request):
        return event_stream(_told(items))
    async with aclosing(items):
        async for item in items:
            if isinstance(item, Draft):
                return redirect(item.url())
    raise RuntimeError("reading ended without an analysis")


@login_required
@require_POST
def begin_by_hand(request: HttpRequest) -> HttpResponse:
    """Go on to the next step without any code."""
    return redirect(drafts.begin(Analysis(), []).url())


async def _reading(
    source: Source,
) -> AsyncGenerator[tuple[str, Analysis | None] | Draft, None]:
    """Yield the stages of reading `source`, what was found, and the draft of it."""
    stage = ""
    async with aclosing(reading.read(source.texts)) as items:
        async for item in items:
            if isinstance(item, Analysis):
                found = replace(item, left_out=source.left_out)
                yield "done", found
                yield await sync_to_async(drafts.begin)(found, source.texts)
            elif item.stage != stage:
                stage = item.stage
                yield stage, None


async def _told(
    items: AsyncGenerator[tuple[str, Analysis | None] | Draft, None],
) -> AsyncGenerator[bytes, None]:
    """Yield each stage as an event of HTML; the last one leads to the next step."""
    context: dict[str, Any] = {"analysis": None}
    async with aclosing(items):
        async for item in items:
            if isinstance(item, Draft):
                context["next"] = item.url()
            else:
                stage, context["analysis"] = item
                done = len(STAGES) if stage == "done" else STAGES.index(stage)
                context["stages"] = [
                    (name, "done" if n < done else "now" if n == done else "")
                    for n, name in enumerate(STAGES)
                ]
            yield event(render_to_string("agents/_reading.html", context))
