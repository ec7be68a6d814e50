"""The Connect page, the key it makes, and its waiting for the first request."""

from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from gateway.console.requests import causes
from providers import snippets
from runagents import shown_once
from runagents.agents.models import Agent, AgentKey
from runagents.connect import arrival
from runagents.connect.forms import ChoiceForm
from runagents.connect.recipes import GROUPS, RECIPES

PAGE = "connect"


@login_required
@require_safe
def connect(request: HttpRequest) -> HttpResponse:
    """Show a recipe per client, with a key just made in it, and wait for a request."""
    form = ChoiceForm(request.GET)
    shown = shown_once.take(request, PAGE)
    key = shown.get("key", "")
    agent = form.data["agent"]
    context = {
        "form": form,
        "agent": agent,
        "model": form.chosen_model,
        "new_key": key,
        "note": snippets.note(key),
        "base": snippets.base_url(request),
        "groups": _groups(request, form, key),
        **_arrival(request, agent),
    }
    response = render(request, "connect/connect.html", context)
    return shown_once.unstored(response) if shown else response


def _groups(request: HttpRequest, form: ChoiceForm, key: str) -> list[dict[str, Any]]:
    """Return the recipes by group; the one that the address names is open.

    Without that it is the first whose client asks for such a model as is chosen.
    """
    base = snippets.base_url(request)
    opened = request.GET.get("client", "")
    if opened not in RECIPES:
        kind = form.chosen_kind
        opened = next(name for name, each in RECIPES.items() if each.kind == kind)
    rows: list[dict[str, Any]] = [
        {
            "name": name,
            "recipe": recipe,
            "text": recipe.text(base, form.model_of(recipe.kind), key),
            "is_open": name == opened,
        }
        for name, recipe in RECIPES.items()
    ]
    return [
        {"label": label, "rows": [row for row in rows if row["recipe"].group == label]}
        for label in GROUPS
    ]


@login_required
@require_safe
def connect_arrival(request: HttpRequest) -> HttpResponse:
    """Return what came since the page was opened; the page asks every other second."""
    context = _arrival(request, request.GET.get("agent", ""))
    return render(request, "connect/_arrival.html", context)


def _arrival(request: HttpRequest, agent: str) -> dict[str, Any]:
    moment = arrival.since(request.GET.get("since", ""))
    record = arrival.newest(moment, agent)
    asked = {"since": moment.timestamp(), "agent": agent}
    return {
        "record": record,
        "has_arrived": record is not None and not record.failed,
        "cause": causes.explain(record) if record is not None else "",
        "since": moment,
        "now": timezone.now(),
        "arrival_url": f"{reverse('connect-arrival')}?{urlencode(asked)}",
        "look_url": f"{reverse('connect')}?{urlencode(_kept(request, asked))}",
    }


def _kept(request: HttpRequest, asked: dict[str, Any]) -> dict[str, Any]:
    """Return what the page's address says already, with what is asked."""
    names = ("model", "client")
    return {**{n: request.GET[n] for n in names if request.GET.get(n)}, **asked}


@login_required
@require_POST
def connect_key(request: HttpRequest) -> HttpResponse:
    """Issue a key of an agent, which the recipes show once."""
    agent = get_object_or_404(Agent, name=request.POST.get("agent", ""))
    key = AgentKey.issue(agent)
    shown_once.keep(request, PAGE, key=key.plaintext)
    names = ("agent", "model", "client")
    chosen = {name: request.POST.get(name, "") for name in names}
    return redirect(f"{reverse('connect')}?{urlencode(chosen)}")
