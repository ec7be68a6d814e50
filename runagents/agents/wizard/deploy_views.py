"""The wizard's last step: the agent is registered and its key shown, once."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from runagents import shown_once
from runagents.agents.console import tabs
from runagents.agents.models import Agent
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
        left = drafts.left_to_do(draft)
        agent, key = drafts.deploy(draft, **form.cleaned_data)
        shown_once.keep(request, _page(agent), key=key.plaintext, left=left)
        return redirect("agent-deployed", agent.name)
    context = {
        **frame("deploy", draft),
        "form": form,
        "wired": [need for need in needs if need.is_wired],
        "unwired": [need for need in needs if not need.is_wired],
    }
    status = 422 if form.is_bound else 200
    return render(request, "agents/wizard_deploy.html", context, status=status)


@login_required
@require_safe
def deployed(request: HttpRequest, name: str) -> HttpResponse:
    """Show the key and the environment, and what is left to change in the code.

    The agent's page says where to get another key to whoever comes again.
    """
    agent = get_object_or_404(Agent, name=name)
    shown = shown_once.take(request, _page(agent))
    if not shown:
        text = _("An agent's key is shown once. If it was not copied, make a new one.")
        messages.info(request, text)
        return redirect(tabs.address(agent, "keys"))
    context = {
        "step": "deployed",
        "agent": agent,
        "new_key": shown["key"],
        "left": shown["left"],
        **tabs.connection(request, agent, shown["key"]),
    }
    response = render(request, "agents/wizard_deployed.html", context)
    return shown_once.unstored(response)


def _page(agent: Agent) -> str:
    return f"deployed agent {agent.pk}"


@login_required
@require_POST
def discard(request: HttpRequest) -> HttpResponse:
    """Forget a draft."""
    draft = draft_of(request)
    if draft is not None:
        draft.delete()
        messages.success(request, _("The draft is discarded."))
    return redirect("agent-list")
