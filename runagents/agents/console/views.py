"""The list of agents, and what can be done to one."""

from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from providers import snippets
from runagents.agents import figures, registration
from runagents.agents.console import tabs
from runagents.agents.console.tabs import page
from runagents.agents.forms import FilterForm, WiresForm
from runagents.agents.models import Agent, Draft
from runagents.agents.wiring import dotenv

RECENT = 10
PAGE_SIZE = 50


def _agents() -> QuerySet[Agent]:
    live = Q(keys__revoked_at=None, keys__paused_at=None) & (
        Q(keys__expires_at=None) | Q(keys__expires_at__gt=timezone.now())
    )
    rows = Agent.objects.prefetch_related("wires__provider").order_by("name")
    return rows.annotate(live_keys=Count("keys", filter=live, distinct=True))


@login_required
@require_safe
def agent_list(request: HttpRequest) -> HttpResponse:
    """Show all agents with their models and keys."""
    form = FilterForm(request.GET)
    rows = figures.with_last_call(form.narrow(_agents()))
    query = form.query()
    context = {
        "agents": Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page")),
        "form": form,
        "is_filtered": bool(query),
        "query": urlencode(query),
        "last_day": figures.by_agent(),
        "drafts": Draft.objects.all(),
        "has_hello_world": Agent.objects.filter(
            builtin=registration.HELLO_WORLD
        ).exists(),
    }
    return render(request, "agents/agent_list.html", context)


@login_required
@require_safe
def agent_detail(request: HttpRequest, name: str) -> HttpResponse:
    """Show one part of an agent; `tab` in the address says which."""
    agent = get_object_or_404(Agent, name=name)
    return page(request, agent, request.GET.get("tab", ""))


@login_required
@require_safe
def agent_environment(request: HttpRequest, name: str) -> HttpResponse:
    """Return the agent's environment as a `.env` file, without a key."""
    agent = get_object_or_404(Agent, name=name)
    return HttpResponse(
        dotenv(registration.environment_of(agent, snippets.base_url(request))),
        content_type="text/plain; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{agent.name}.env"'},
    )


@login_required
@require_POST
def agent_wire(request: HttpRequest, name: str) -> HttpResponse:
    """Store which model each role of the agent uses."""
    agent = get_object_or_404(Agent, name=name)
    form = WiresForm(request.POST, wired=tabs.wired(agent))
    if not form.is_valid():
        return page(request, agent, "wires", wires_form=form)
    with transaction.atomic():
        registration.wire(agent, form.targets())
    messages.success(request, _("Wires saved. They hold within two seconds."))
    return redirect(tabs.address(agent, "wires"))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def agent_delete(request: HttpRequest, name: str) -> HttpResponse:
    """Ask, then delete the agent with its keys and wires.

    One that is in use is named once more by whoever deletes it.
    """
    agent = get_object_or_404(_agents(), name=name)
    day = figures.of_agent(agent.name)
    in_use = bool(day.requests)
    error = ""
    if request.method == "POST":
        if not in_use or request.POST.get("confirm", "").strip() == agent.name:
            agent.delete()
            messages.success(request, _("%s and its keys are deleted.") % name)
            return redirect("agent-list")
        error = _("Type %s to confirm.") % agent.name
    context = {"agent": agent, "day": day, "in_use": in_use, "error": error}
    status = 422 if error else 200
    return render(request, "agents/agent_delete.html", context, status=status)
