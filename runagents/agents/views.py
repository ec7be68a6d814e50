"""The Agents pages."""

from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from gateway.models import UsageRecord
from providers import snippets
from runagents import rotation, shown_once
from runagents.agents import figures, registration
from runagents.agents.forms import FilterForm, WiresForm
from runagents.agents.models import Agent, AgentKey, Draft
from runagents.agents.starter import running
from runagents.agents.starter.running import Run
from runagents.agents.wiring import dotenv
from runagents.settings_pages.key_forms import AgentKeyForm, KeyForm

RECENT = 10
PAGE_SIZE = 50


def _agents() -> QuerySet[Agent]:
    live = Q(keys__revoked_at=None, keys__paused_at=None) & (
        Q(keys__expires_at=None) | Q(keys__expires_at__gt=timezone.now())
    )
    rows = Agent.objects.prefetch_related("wires__provider").order_by("name")
    return rows.annotate(live_keys=Count("keys", filter=live, distinct=True))


def _wired(agent: Agent) -> dict[str, str]:
    """Return role -> ``provider/model``, as the forms name what is chosen."""
    return {
        wire.role: f"{wire.provider.name}/{wire.model_id}"
        for wire in agent.wires.select_related("provider")
    }


def agent_page(
    request: HttpRequest,
    agent: Agent,
    *,
    run: Run | None = None,
    wires_form: WiresForm | None = None,
) -> HttpResponse:
    """Return the agent's page; a key just made is on this one answer only."""
    base = snippets.base_url(request)
    shown = shown_once.take(request, _keys_page(agent))
    key = shown.get("key", "")
    values = registration.environment_of(agent, base, key)
    keys = agent.keys.order_by(*AgentKey.LISTED)
    wires = list(agent.wires.select_related("provider"))
    context = {
        "agent": agent,
        "is_wired": "LLM_MODEL" in values,
        "wires": wires,
        "unserved": agent.unserved(),
        "places": {wire.role: wire for wire in wires if wire.file},
        "day": figures.of_agent(agent.name),
        "graces": rotation.GRACES,
        "keys": Paginator(keys, PAGE_SIZE).get_page(request.GET.get("page")),
        "new_key": key,
        "replaced": agent.keys.filter(pk=shown.get("replaced", 0)).first(),
        "environment": dotenv(values),
        "examples": snippets.examples(base, values.get("LLM_MODEL", "MODEL"), key),
        "wires_form": wires_form or WiresForm(wired=_wired(agent)),
        "is_runnable": agent.builtin in running.SOURCES,
        "run": run,
        "records": UsageRecord.objects.filter(caller=agent.name, caller_kind="agent")[
            :RECENT
        ],
    }
    is_wrong = wires_form is not None and bool(wires_form.errors)
    response = render(
        request, "agents/agent_detail.html", context, status=422 if is_wrong else 200
    )
    return shown_once.unstored(response) if shown else response


def _keys_page(agent: Agent) -> str:
    return f"agent {agent.pk}"


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
    """Show one agent: environment, keys, wires, recent requests."""
    return agent_page(request, get_object_or_404(Agent, name=name))


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
    form = WiresForm(request.POST, wired=_wired(agent))
    if not form.is_valid():
        return agent_page(request, agent, wires_form=form)
    with transaction.atomic():
        registration.wire(agent, form.targets())
    messages.success(request, _("Wires saved. They hold within two seconds."))
    return redirect(agent)


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


@login_required
@require_POST
def key_create(request: HttpRequest, name: str) -> HttpResponse:
    """Issue a key of the agent, which its page shows once."""
    agent = get_object_or_404(Agent, name=name)
    key = AgentKey.issue(agent)
    shown_once.keep(request, _keys_page(agent), key=key.plaintext)
    return redirect(agent)


@login_required
@require_POST
def key_rotate(request: HttpRequest, name: str, pk: int) -> HttpResponse:
    """Issue a new key with the same models; the old one is refused after a grace."""
    row = get_object_or_404(AgentKey, pk=pk, agent__name=name, revoked_at=None)
    grace = rotation.chosen_grace(request.POST)
    if grace is None:
        return HttpResponseBadRequest("grace must be 0, 1 or 24 hours.")
    with transaction.atomic():
        ends = rotation.own_end(row.expires_at)
        key = AgentKey.issue(row.agent, row.models, row.name, ends)
        row.retire(grace)
    shown_once.keep(request, _keys_page(row.agent), key=key.plaintext, replaced=row.pk)
    return redirect(row.agent)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def key_edit(request: HttpRequest, name: str, pk: int) -> HttpResponse:
    """Change a key's name, its last day, and what it reaches."""
    row = get_object_or_404(AgentKey, pk=pk, agent__name=name, revoked_at=None)
    form = AgentKeyForm(request.POST or None, initial=KeyForm.initial_of(row))
    if form.is_valid():
        form.save(row)
        messages.success(request, _("Key %s is changed.") % row)
        return redirect(row.agent)
    context = {"key": row, "form": form, "back_label": name}
    context["back"] = row.agent.get_absolute_url()
    status = 422 if form.errors else 200
    return render(request, "settings/key_edit.html", context, status=status)


@login_required
@require_POST
def key_pause(request: HttpRequest, name: str, pk: int) -> HttpResponse:
    """Refuse a key until it is resumed, or resume it."""
    row = get_object_or_404(AgentKey, pk=pk, agent__name=name, revoked_at=None)
    row.pause(paused=request.POST.get("paused") == "1")
    return redirect(row.agent)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def key_revoke(request: HttpRequest, name: str, pk: int) -> HttpResponse:
    """Ask, then refuse a key from now on."""
    row = get_object_or_404(AgentKey, pk=pk, agent__name=name, revoked_at=None)
    if request.method == "POST":
        row.revoke()
        messages.success(request, _("Key %s is revoked.") % row)
        return redirect(row.agent)
    context = {"key": row, "back": row.agent.get_absolute_url(), "back_label": name}
    return render(request, "settings/key_revoke.html", context)
