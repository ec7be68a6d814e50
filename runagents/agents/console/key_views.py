"""What can be done to an agent's keys."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from runagents import rotation, shown_once
from runagents.agents.console import tabs
from runagents.agents.console.tabs import page
from runagents.agents.models import Agent, AgentKey
from runagents.settings_pages.key_forms import AgentKeyForm, KeyForm


@login_required
@require_POST
def key_create(request: HttpRequest, name: str) -> HttpResponse:
    """Issue a key of the agent, which its page shows once."""
    agent = get_object_or_404(Agent, name=name)
    form = AgentKeyForm(request.POST)
    if not form.is_valid():
        return page(request, agent, "keys", key_form=form)
    data = form.cleaned_data
    key = AgentKey.issue(agent, data["reach"], data["name"], data["expires_on"])
    shown_once.keep(request, tabs.keys_page(agent), key=key.plaintext)
    return redirect(tabs.address(agent, "keys"))


@login_required
@require_POST
def key_rotate(request: HttpRequest, name: str, pk: int) -> HttpResponse:
    """Issue a new key with the same models; the old one is refused after a grace."""
    row = get_object_or_404(AgentKey, pk=pk, agent__name=name, revoked_at=None)
    grace = rotation.chosen_grace(request.POST)
    if grace is None:
        return render(request, "400.html", {"reason": rotation.OFFERED}, status=400)
    with transaction.atomic():
        ends = rotation.own_end(row.expires_at)
        key = AgentKey.issue(row.agent, row.models, row.name, ends)
        row.retire(grace)
    shown_once.keep(
        request, tabs.keys_page(row.agent), key=key.plaintext, replaced=row.pk
    )
    return redirect(tabs.address(row.agent, "keys"))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def key_edit(request: HttpRequest, name: str, pk: int) -> HttpResponse:
    """Change a key's name, its last day, and what it reaches."""
    row = get_object_or_404(AgentKey, pk=pk, agent__name=name, revoked_at=None)
    form = AgentKeyForm(request.POST or None, initial=KeyForm.initial_of(row))
    if form.is_valid():
        form.save(row)
        messages.success(request, _("Key %s is changed.") % row)
        return redirect(tabs.address(row.agent, "keys"))
    context = {"key": row, "form": form, "back_label": name}
    context["back"] = tabs.address(row.agent, "keys")
    status = 422 if form.errors else 200
    return render(request, "settings/key_edit.html", context, status=status)


@login_required
@require_POST
def key_pause(request: HttpRequest, name: str, pk: int) -> HttpResponse:
    """Refuse a key until it is resumed, or resume it."""
    row = get_object_or_404(AgentKey, pk=pk, agent__name=name, revoked_at=None)
    row.pause(paused=request.POST.get("paused") == "1")
    return redirect(tabs.address(row.agent, "keys"))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def key_revoke(request: HttpRequest, name: str, pk: int) -> HttpResponse:
    """Ask, then refuse a key from now on."""
    row = get_object_or_404(AgentKey, pk=pk, agent__name=name, revoked_at=None)
    if request.method == "POST":
        row.revoke()
        messages.success(request, _("Key %s is revoked.") % row)
        return redirect(tabs.address(row.agent, "keys"))
    context = {"key": row, "back": tabs.address(row.agent, "keys"), "back_label": name}
    return render(request, "settings/key_revoke.html", context)
