"""The wizard: Upload an agent's code, Wire its roles to models, Deploy.

What it knows of an agent is a draft in the database, so that leaving the page loses
nothing. The code itself is read in the request that brings it and kept nowhere.
"""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from providers import snippets
from runagents.agents import registration
from runagents.agents.detection import STAGES, Analysis, reading
from runagents.agents.models import Agent, Draft
from runagents.agents.starter.streams import event, event_stream, wants_events
from runagents.agents.wiring import dotenv, environment
from runagents.agents.wizard import drafts
from runagents.agents.wizard.forms import (
    DeployForm,
    NeedForm,
    SourceForm,
    page_offers,
)

STEPS = ("upload", "wire", "deploy")


def _draft(request: HttpRequest) -> Draft | None:
    return Draft.named_by(request.GET.get("draft", ""))


def _gone(request: HttpRequest) -> HttpResponse:
    message = _(
        "This draft is deployed or discarded. An agent's key is shown once: if it was "
        "not copied, make a new one on the agent's page."
    )
    messages.info(request, message)
    return redirect("agent-list")


def _frame(step: str, draft: Draft | None) -> dict[str, Any]:
    """Return what every page of the wizard shows: its steps and the draft."""
    return {
        "step": step,
        "draft": draft,
        "analysis": drafts.analysis_of(draft) if draft else None,
    }


# --- upload ---


@login_required
@require_safe
def agent_create(request: HttpRequest) -> HttpResponse:
    """Begin with the first step."""
    return redirect("agent-upload")


@login_required
@require_safe
def upload(request: HttpRequest) -> HttpResponse:
    """Ask for the code; with a draft, show what was found in its code, too."""
    return _upload_page(request, SourceForm(), _draft(request))


def _upload_page(
    request: HttpRequest, form: SourceForm, draft: Draft | None = None
) -> HttpResponse:
    context = {**_frame("upload", draft), "form": form}
    status = 422 if form.is_bound else 200
    return render(request, "agents/wizard_upload.html", context, status=status)


@login_required
@sensitive_post_parameters()
@require_POST
async def read(request: HttpRequest) -> HttpResponseBase:
    """Read the code, tell how far that is, and go on to the next step by itself."""
    form = SourceForm(request.POST, request.FILES)
    if not form.is_valid():
        if request.headers.get("HX-Request"):
            context = {"form": form}
            return render(request, "agents/_reading.html", context, status=422)
        return await sync_to_async(_upload_page)(request, form)
    items = _reading(form.sources())
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
    files: Mapping[str, str],
) -> AsyncGenerator[tuple[str, Analysis | None] | Draft, None]:
    """Yield the stages of reading `files`, what was found, and the draft of it."""
    stage = ""
    async with aclosing(reading.read(files)) as items:
        async for item in items:
            if isinstance(item, Analysis):
                yield "done", item
                yield await sync_to_async(drafts.begin)(item, files)
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


# --- wire ---


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def wire(request: HttpRequest) -> HttpResponse:
    """Show a card per role; POST stores all of them and does what the button says."""
    draft = _draft(request)
    if draft is None:
        return _gone(request)
    served = registration.served_models()
    if request.method != "POST":
        needs = drafts.refresh(draft, served)
        return _wire_page(request, draft, _cards(needs, served), served)
    cards = _cards(drafts.needs(draft), served, request.POST)
    mistaken = [card for card in cards if not card.is_valid()]
    drafts.store_needs(draft, _changed(request, cards))
    if set(request.POST) & {"add", "remove"}:
        return redirect(draft.url())
    if "refresh" in request.POST and not mistaken:
        return redirect(draft.url())
    problem = "" if mistaken else _problem(cards)
    if mistaken or problem:
        return _wire_page(request, draft, cards, served, problem)
    return redirect(draft.url("agent-deploy"))


def _cards(
    needs: list[drafts.Need], served: drafts.Served, data: Any = None
) -> list[NeedForm]:
    return [
        NeedForm(need, served, index=index, data=data)
        for index, need in enumerate(needs)
    ]


def _changed(request: HttpRequest, cards: list[NeedForm]) -> list[drafts.Need]:
    """Return the needs as posted, with one more or one less where that was asked."""
    removed = request.POST.get("remove", "")
    needs = [card.result() for card in cards if str(card.index) != removed]
    return drafts.added(needs) if "add" in request.POST or not needs else needs


def _problem(cards: list[NeedForm]) -> str:
    """Return what keeps the cards together from being deployed."""
    roles: list[str] = [card.cleaned_data["role"] for card in cards]
    for role in roles:
        if roles.count(role) > 1:
            return _("Two cards have the role `%s`. Give each its own.") % role
    if not any(card.result().is_wired for card in cards):
        return _("Choose a provider and model for at least one role.")
    return ""


def _wire_page(
    request: HttpRequest,
    draft: Draft,
    cards: list[NeedForm],
    served: drafts.Served,
    problem: str = "",
) -> HttpResponse:
    context = {
        **_frame("wire", draft),
        "cards": cards,
        "roles": registration.ROLES,
        "has_models": bool(served),
        "offers": page_offers(cards, served),
        "problem": problem,
        **_progress(draft),
    }
    is_wrong = problem or any(card.errors for card in cards if card.is_bound)
    status = 422 if is_wrong else 200
    return render(request, "agents/wizard_wire.html", context, status=status)


def _progress(draft: Draft) -> dict[str, int]:
    return {"wired": draft.wired, "total": len(draft.needs)}


@login_required
@require_POST
def card(request: HttpRequest) -> HttpResponse:
    """Store one card as it stands and return it, with the models of its provider."""
    draft = _draft(request)
    if draft is None:
        return _gone(request)
    served = registration.served_models()
    with transaction.atomic():
        # Two cards changed at once must not undo each other.
        draft = Draft.objects.select_for_update().get(pk=draft.pk)
        needs = drafts.needs(draft)
        index = int(request.GET.get("card", "")) if _is_index(request, needs) else 0
        posted = _card(needs, served, index, request.POST)
        posted.is_valid()
        needs[index] = posted.result()
        drafts.store_needs(draft, needs)
    context = {
        "draft": draft,
        "card": posted if posted.errors else _card(needs, served, index),
        "has_models": bool(served),
        "oob": True,
        **_progress(draft),
    }
    return render(request, "agents/_wire_card.html", context)


def _card(
    needs: list[drafts.Need], served: drafts.Served, index: int, data: Any = None
) -> NeedForm:
    return NeedForm(needs[index], served, index=index, data=data, is_alone=True)


def _is_index(request: HttpRequest, needs: list[drafts.Need]) -> bool:
    text = request.GET.get("card", "")
    return text.isdecimal() and int(text) < len(needs)


# --- deploy ---


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def deploy(request: HttpRequest) -> HttpResponse:
    """Sum the draft up; POST registers the agent and shows its key, once."""
    draft = _draft(request)
    if draft is None:
        return _gone(request)
    initial = {
        "name": draft.name,
        "system_prompt": drafts.analysis_of(draft).system_prompt,
    }
    form = DeployForm(request.POST or None, initial=initial)
    needs = drafts.still_wired(drafts.needs(draft))
    if not any(need.is_wired for need in needs):
        messages.info(request, _("Choose a provider and model for at least one role."))
        return redirect(draft.url())
    if form.is_valid():
        agent, key = drafts.deploy(draft, **form.cleaned_data)
        left = {
            "keys": drafts.analysis_of(draft).keys,
            "others": [need for need in needs if need.asks_for_another],
        }
        return _deployed(request, agent, key.plaintext, left)
    context = {
        **_frame("deploy", draft),
        "form": form,
        "wired": [need for need in needs if need.is_wired],
        "unwired": [need for need in needs if not need.is_wired],
    }
    status = 422 if form.is_bound else 200
    return render(request, "agents/wizard_deploy.html", context, status=status)


def _deployed(
    request: HttpRequest, agent: Agent, key: str, left: dict[str, Any]
) -> HttpResponse:
    """Show the key and the environment, and what is left to change in the code."""
    base = snippets.base_url(request)
    values = environment(
        agent.name,
        registration.connections(agent),
        base,
        key=key,
        system_prompt=agent.system_prompt,
    )
    model = values.get("LLM_MODEL", "MODEL")
    context = {
        "step": "deployed",
        "agent": agent,
        "new_key": key,
        "left": left,
        "environment": dotenv(values),
        "examples": snippets.examples(base, model, key),
    }
    response = render(request, "agents/wizard_deployed.html", context)
    response["Cache-Control"] = "no-store"
    return response


@login_required
@require_POST
def discard(request: HttpRequest) -> HttpResponse:
    """Forget a draft."""
    draft = _draft(request)
    if draft is not None:
        draft.delete()
        messages.success(request, _("The draft is discarded."))
    return redirect("agent-list")
