"""The Settings pages: keys of the workspace, stored secrets, how the gateway is set."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Prefetch, ProtectedError, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from providers.models import ModelProvider, Secret, WorkspaceKey
from providers.roles import Role, may
from runagents import rotation, shown_once
from runagents.settings_pages import body_views, health
from runagents.settings_pages.forms import SecretForm
from runagents.settings_pages.key_forms import KeyForm

PAGE_SIZE = 50
KEYS_PAGE = "api-keys"

# --- API keys ---


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def api_key_list(request: HttpRequest) -> HttpResponse:
    """Show the workspace's keys, a new one once; POST makes one."""
    form = KeyForm(request.POST or None)
    if form.is_valid():
        data = form.cleaned_data
        key = WorkspaceKey.issue(data["name"], data["reach"], data["expires_on"])
        shown_once.keep(request, KEYS_PAGE, key=key.plaintext)
        return redirect("api-key-list")
    rows = WorkspaceKey.objects.order_by(*WorkspaceKey.LISTED)
    shown = shown_once.take(request, KEYS_PAGE)
    context = {
        "form": form,
        "keys": Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page")),
        "new_key": shown.get("key", ""),
        "replaced": WorkspaceKey.objects.filter(pk=shown.get("replaced", 0)).first(),
        "graces": rotation.GRACES,
    }
    status = 422 if form.errors else 200
    response = render(request, "settings/api_key_list.html", context, status=status)
    return shown_once.unstored(response) if shown else response


@login_required
@require_POST
def api_key_rotate(request: HttpRequest, pk: int) -> HttpResponse:
    """Make a key of the same name; the old one is refused after a grace."""
    old = _live_key(pk)
    grace = rotation.chosen_grace(request.POST)
    if grace is None:
        return render(request, "400.html", {"reason": rotation.OFFERED}, status=400)
    with transaction.atomic():
        ends = rotation.own_end(old.expires_at)
        key = WorkspaceKey.issue(old.name, old.models, ends)
        old.retire(grace)
    shown_once.keep(request, KEYS_PAGE, key=key.plaintext, replaced=old.pk)
    return redirect("api-key-list")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def api_key_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a key's name, its last day, and what it reaches."""
    key = get_object_or_404(WorkspaceKey, pk=pk, revoked_at=None)
    form = KeyForm(request.POST or None, initial=KeyForm.initial_of(key))
    if form.is_valid():
        form.save(key)
        messages.success(request, _("%s is changed.") % key)
        return redirect("api-key-list")
    context = {"key": key, "form": form, "back_label": _("API keys")}
    context["back"] = reverse("api-key-list")
    status = 422 if form.errors else 200
    return render(request, "settings/key_edit.html", context, status=status)


@login_required
@require_POST
def api_key_pause(request: HttpRequest, pk: int) -> HttpResponse:
    """Refuse a key until it is resumed, or resume it."""
    _live_key(pk).pause(paused=request.POST.get("paused") == "1")
    return redirect("api-key-list")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def api_key_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask, then refuse a key from now on."""
    key = _live_key(pk)
    if request.method == "POST":
        key.revoke()
        messages.success(request, _("%s is revoked.") % key)
        return redirect("api-key-list")
    back = reverse("api-key-list")
    context = {"key": key, "back": back, "back_label": _("API keys")}
    return render(request, "settings/key_revoke.html", context)


def _live_key(pk: int) -> WorkspaceKey:
    return get_object_or_404(WorkspaceKey, pk=pk, revoked_at=None)


# --- secrets ---


@login_required
@require_safe
def secret_list(request: HttpRequest) -> HttpResponse:
    """Show the stored secrets: what they are for, never what they are."""
    secrets = Paginator(_secrets(), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"secrets": secrets}
    return render(request, "settings/secret_list.html", context)


@login_required
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def secret_replace(request: HttpRequest, name: str) -> HttpResponse:
    """Show one secret; POST takes new values for the same addresses."""
    secret = get_object_or_404(_secrets(), name=name)
    if secret.is_of_network and not may(request.user, Role.ADMINISTRATOR):
        raise PermissionDenied(
            _("What connections are made with is for administrators.")
        )
    form = SecretForm(request.POST or None, secret=secret)
    if form.is_valid():
        form.save()
        messages.success(
            request, _("%s has new values. Its providers are checked.") % name
        )
        return redirect("secret-list")
    context = {"secret": secret, "form": form}
    status = 422 if form.errors else 200
    return render(request, "settings/secret_replace.html", context, status=status)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def secret_delete(request: HttpRequest, name: str) -> HttpResponse:
    """Ask before deleting; refuse while providers use the secret."""
    secret = get_object_or_404(_secrets(), name=name)
    if request.method == "POST":
        try:
            secret.delete()
        except ProtectedError:
            pass
        else:
            messages.success(request, _("%s is deleted.") % name)
            return redirect("secret-list")
    context = {"secret": secret}
    status = 422 if request.method == "POST" else 200
    return render(request, "settings/secret_delete.html", context, status=status)


def _secrets() -> QuerySet[Secret]:
    users = ModelProvider.objects.only(
        "name", "secret_id", "network_secret_id", "enabled"
    )
    return Secret.objects.defer("sealed").prefetch_related(
        Prefetch("providers", queryset=users), Prefetch("networks", queryset=users)
    )


# --- health ---


@login_required
@require_safe
def health_page(request: HttpRequest) -> HttpResponse:
    """Show how this host and what it depends on are."""
    return render(request, "settings/health.html", {"groups": health.groups()})


# --- gateway ---


@login_required
@require_safe
def gateway_settings(request: HttpRequest) -> HttpResponse:
    """Show how the gateway is set; it is set through the environment."""
    return render(request, "settings/gateway_settings.html", body_views.context())
