"""The wizard's second step: a model for each role, on a card each."""

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from providers.forms import entries
from providers.models import ModelProvider
from runagents.agents import registration
from runagents.agents.detection.obstacles import Obstacle
from runagents.agents.detection.vendors import bare
from runagents.agents.models import Draft
from runagents.agents.wizard import drafts
from runagents.agents.wizard.forms import NeedForm, page_offers
from runagents.agents.wizard.frame import draft_of, frame, gone


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def wire(request: HttpRequest) -> HttpResponse:
    """Show a card per role; POST stores all of them and does what the button says."""
    draft = draft_of(request)
    if draft is None:
        return gone(request)
    served = registration.served_models()
    if request.method != "POST":
        needs = drafts.refresh(draft, served)
        return _wire_page(request, draft, _cards(draft, needs, served), served)
    cards = _cards(draft, drafts.needs(draft), served, request.POST)
    mistaken = [card for card in cards if not card.is_valid()]
    drafts.store_needs(draft, _changed(request, cards))
    if "serve" in request.POST:
        _serve(request, draft, cards)
        return redirect(draft.url())
    if set(request.POST) & {"add", "remove"}:
        return redirect(draft.url())
    if "refresh" in request.POST and not mistaken:
        return redirect(draft.url())
    problem = "" if mistaken else _problem(cards)
    if mistaken or problem:
        return _wire_page(request, draft, cards, served, problem)
    return redirect(draft.url("agent-deploy"))


def _cards(
    draft: Draft, needs: list[drafts.Need], served: drafts.Served, data: Any = None
) -> list[NeedForm]:
    found, homes = drafts.obstacles_of(draft), registration.homes()
    return [
        NeedForm(need, served, index=index, data=data, obstacles=found, homes=homes)
        for index, need in enumerate(needs)
    ]


def _serve(request: HttpRequest, draft: Draft, cards: list[NeedForm]) -> None:
    """Let a provider serve the model of a card's code, and wire the card to it."""
    number, _colon, name = request.POST["serve"].partition(":")
    card = next((card for card in cards if str(card.index) == number), None)
    if card is None or name not in card.homes:
        messages.error(request, _("This provider cannot take the model now."))
        return
    model = bare(card.need.model)
    try:
        entries.parse([model])
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return
    ModelProvider.objects.get(name=name).serve(model)
    needs = drafts.needs(draft)
    needs[card.index] = replace(
        needs[card.index], provider=name, model_id=model, is_settled=True
    )
    drafts.store_needs(draft, needs)
    text = _("%(name)s serves %(model)s now, and the role is wired to it.")
    messages.success(request, text % {"name": name, "model": model})


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
        **frame("wire", draft),
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
    draft = draft_of(request)
    if draft is None:
        return gone(request)
    served = registration.served_models()
    with transaction.atomic():
        # Two cards changed at once must not undo each other.
        draft = Draft.objects.select_for_update().get(pk=draft.pk)
        needs = drafts.needs(draft)
        index = int(request.GET.get("card", "")) if _is_index(request, needs) else 0
        found = drafts.obstacles_of(draft)
        posted = _card(needs, served, index, found, request.POST)
        posted.is_valid()
        needs[index] = posted.result()
        drafts.store_needs(draft, needs)
    context = {
        "draft": draft,
        "card": posted if posted.errors else _card(needs, served, index, found),
        "has_models": bool(served),
        "oob": True,
        **_progress(draft),
    }
    return render(request, "agents/_wire_card.html", context)


def _card(
    needs: list[drafts.Need],
    served: drafts.Served,
    index: int,
    found: list[Obstacle],
    data: Any = None,
) -> NeedForm:
    return NeedForm(
        needs[index],
        served,
        index=index,
        data=data,
        is_alone=True,
        obstacles=found,
        homes=registration.homes(),
    )


def _is_index(request: HttpRequest, needs: list[drafts.Need]) -> bool:
    text = request.GET.get("card", "")
    return text.isdecimal() and int(text) < len(needs)
