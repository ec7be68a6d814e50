"""The wizard's last step: the agent is registered and its key shown, once."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from providers import snippets
from runagents.agents import registration
from runagents.agents.models import Agent
from runagents.agents.wiring import dotenv
from runagents.agents.wizard import drafts
from runagents.agents.wizard.forms import DeployForm
from runagents.agents.wizard.frame import draft_of, frame, gone


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def deploy(request: HttpRequest) -> HttpResponse:
    """Sum the draft up; POST registers the agent and shows its key, once."""
    draft = draft_of(request)
    if draft is None:
        return gone(request)
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
        left = {
            "keys": drafts.analysis_of(draft).keys,
            "obstacles": drafts.obstacles_of(draft),
            "others": [need for need in needs if need.asks_for_another],
        }
        agent, key = drafts.deploy(draft, **form.cleaned_data)
        return _deployed(request, agent, key.plaintext, left)
    context = {
        **frame("deploy", draft),
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
    values = registration.environment_of(agent, base, key)
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
    draft = draft_of(request)
    if draft is not None:
        draft.delete()
        messages.success(request, _("The draft is discarded."))
    return redirect("agent-list")
