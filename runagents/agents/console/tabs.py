"""An agent's page, a part at a time: each asks only for what it shows."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy

from gateway.models import CallerKind, UsageRecord
from providers import snippets
from runagents import rotation, shown_once
from runagents.agents import figures, registration
from runagents.agents.forms import WiresForm
from runagents.agents.models import Agent, AgentKey
from runagents.agents.starter import running
from runagents.agents.starter.running import Run
from runagents.agents.wiring import dotenv
from runagents.settings_pages.key_forms import AgentKeyForm

RECENT = 10
PAGE_SIZE = 50
# The parts of an agent's page, as they stand in its address.
TABS = {
    "overview": gettext_lazy("Overview"),
    "wires": gettext_lazy("Wires"),
    "keys": gettext_lazy("Keys"),
    "connect": gettext_lazy("Connect"),
}


def address(agent: Agent, tab: str) -> str:
    """Return where a part of the agent's page is."""
    return f"{agent.get_absolute_url()}?tab={tab}"


def keys_page(agent: Agent) -> str:
    """Return the name under which a new key waits for the agent's page."""
    return f"agent {agent.pk}"


def run_page(agent: Agent) -> str:
    """Return the name under which a run's outcome waits for the agent's page."""
    return f"run of agent {agent.pk}"


def page(
    request: HttpRequest,
    agent: Agent,
    tab: str = "",
    *,
    wires_form: WiresForm | None = None,
    key_form: AgentKeyForm | None = None,
) -> HttpResponse:
    """Return a part of the agent's page, with a form on it that was wrong."""
    tab = tab if tab in TABS else next(iter(TABS))
    match tab:
        case "wires":
            shown = _wires_tab(agent, wires_form)
        case "keys":
            shown = _keys_tab(request, agent, key_form)
        case "connect":
            shown = connection(request, agent)
        case _:
            shown = _overview_tab(request, agent)
    context = {
        "agent": agent,
        "tab": tab,
        "tab_template": f"agents/_tab_{tab}.html",
        "tabs": [
            {"label": label, "url": address(agent, key), "is_current": key == tab}
            for key, label in TABS.items()
        ],
        "unserved": agent.unserved(),
        "is_wired": agent.access == Agent.Access.ALL or agent.wires.exists(),
        "is_runnable": agent.builtin in running.SOURCES,
        **shown,
    }
    forms = (wires_form, key_form)
    is_wrong = any(form is not None and form.errors for form in forms)
    status = 422 if is_wrong else 200
    response = render(request, "agents/agent_detail.html", context, status=status)
    is_once = shown.get("new_key") or shown.get("run")
    return shown_once.unstored(response) if is_once else response


def _overview_tab(request: HttpRequest, agent: Agent) -> dict[str, Any]:
    calls = UsageRecord.objects.filter(caller=agent.name, caller_kind=CallerKind.AGENT)
    run = shown_once.take(request, run_page(agent)).get("run")
    return {
        "day": figures.of_agent(agent.name),
        "wires": agent.wires.select_related("provider"),
        "records": calls[:RECENT],
        "run": Run(*run) if run else None,
    }


def _wires_tab(agent: Agent, form: WiresForm | None) -> dict[str, Any]:
    wires = list(agent.wires.select_related("provider"))
    return {
        "wires": wires,
        "places": {wire.role: wire for wire in wires if wire.file},
        "wires_form": form or WiresForm(wired=wired(agent)),
    }


def wired(agent: Agent) -> dict[str, str]:
    """Return role -> ``provider/model``, as the forms name what is chosen."""
    return {
        wire.role: f"{wire.provider.name}/{wire.model_id}"
        for wire in agent.wires.select_related("provider")
    }


def _keys_tab(
    request: HttpRequest, agent: Agent, form: AgentKeyForm | None
) -> dict[str, Any]:
    """Return the keys; one just made with all that it is put into, on this answer."""
    shown = shown_once.take(request, keys_page(agent))
    rows = agent.keys.order_by(*AgentKey.LISTED)
    new_key = shown.get("key", "")
    return {
        "key_form": form or AgentKeyForm(),
        "graces": rotation.GRACES,
        "keys": Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page")),
        "query": "tab=keys",
        "new_key": new_key,
        "replaced": agent.keys.filter(pk=shown.get("replaced", 0)).first(),
        **(connection(request, agent, new_key) if new_key else {}),
    }


def connection(request: HttpRequest, agent: Agent, key: str = "") -> dict[str, Any]:
    """Return what a program needs to call as the agent, `key` in it if it is known."""
    base = snippets.base_url(request)
    values = registration.environment_of(agent, base, key)
    return {
        "environment": dotenv(values),
        "examples": snippets.examples(base, values.get("LLM_MODEL", "MODEL"), key),
    }
