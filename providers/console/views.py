"""The page of one provider, and what can be done to it there."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import ProtectedError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)
from django.views.decorators.vary import vary_on_headers

from providers import options, snippets
from providers.console.change_views import changes_of
from providers.forms.filters import ModelFilterForm
from providers.forms.prices import ModelSettingsFormSet
from providers.models import ModelProvider, ProviderModel, ProviderRename, sharing
from providers.network import expiry

PAGE_SIZE = 50
MAX_SHOWN = 100
"""Models on the overview; the others stand under *Models & prices*."""
# The parts of a provider's page, as they stand in its address.
TABS = {
    "overview": gettext_lazy("Overview"),
    "models": gettext_lazy("Models & prices"),
    "usage": gettext_lazy("Usage"),
    "requests": gettext_lazy("Requests"),
    "connect": gettext_lazy("Connect"),
}


@login_required
@vary_on_headers("HX-Request")
@require_http_methods(["GET", "HEAD", "POST"])
def provider_detail(request: HttpRequest, name: str) -> HttpResponse:
    """Show one part of a provider; POST stores the settings and prices of its models.

    `tab` in the address says which; each part asks only for what it shows.
    """
    rows = ModelProvider.objects.select_related("secret", "oauth_token")
    provider = rows.filter(name=name).first()
    if provider is None:
        heir = ProviderRename.heir_of(name)
        if heir is None:
            raise Http404
        query = request.META["QUERY_STRING"]
        return redirect(f"{heir.get_absolute_url()}{query and f'?{query}'}")
    tab = "models" if request.method == "POST" else request.GET.get("tab", "")
    if tab not in TABS:
        tab = next(iter(TABS))
    models_tab = _models_tab(request, provider) if tab == "models" else {}
    is_wrong = False
    if request.method == "POST":
        if models_tab["formset"].is_valid():
            with transaction.atomic():
                models_tab["formset"].save()
            messages.success(request, _("Model settings saved."))
            return redirect(f"{provider.get_absolute_url()}?{models_tab['address']}")
        is_wrong = True
    context = {
        "provider": provider,
        "certificate": expiry.ending(provider),
        "tab": tab,
        "tab_template": f"providers/_tab_{tab}.html",
        "tabs": [
            {"label": label, "url": f"?tab={key}", "is_current": key == tab}
            for key, label in TABS.items()
        ],
        **models_tab,
        # Asked by the part that shows them, or not at all.
        "models": _models(provider) if tab == "overview" else [],
        "wires": provider.wires.select_related("agent"),
        "options": options.told(provider.options),
        "token": getattr(provider, "oauth_token", None),
        "redirect_url": snippets.base_url(request) + reverse("provider-oauth-callback"),
        "examples": _examples(request, provider) if tab == "connect" else None,
    }
    template = "_tabs" if request.headers.get("HX-Request") else "provider_detail"
    status = 422 if is_wrong else 200
    return render(request, f"providers/{template}.html", context, status=status)


def _models(provider: ModelProvider) -> list[ProviderModel]:
    """Return a provider's models; those that are shown know who else serves them."""
    models = list(provider.provider_models.all())
    shown = models[:MAX_SHOWN]
    serving = sharing.serving({each.model_id for each in shown})
    sharing.tell(shown, provider.name, serving)
    return models


def _models_tab(request: HttpRequest, provider: ModelProvider) -> dict[str, Any]:
    """Return the part of a provider's page that edits its models, a page of them."""
    form = ModelFilterForm(request.GET)
    rows = form.narrow(provider.provider_models.all())
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    query = {"tab": "models", **form.query()}
    if request.method == "POST":
        formset = ModelSettingsFormSet(request.POST, instance=provider)
    else:
        shown = ProviderModel.objects.filter(pk__in=[row.pk for row in page])
        formset = ModelSettingsFormSet(instance=provider, queryset=shown)
    return {
        "formset": formset,
        "page": page,
        "filter_form": form,
        "is_filtered": bool(form.query()),
        "changes": changes_of(provider),
        "query": urlencode(query),
        "address": urlencode(
            query if page.number == 1 else {**query, "page": page.number}
        ),
    }


def _examples(request: HttpRequest, provider: ModelProvider) -> dict[str, str]:
    model = provider.provider_models.first()
    return snippets.examples(
        snippets.base_url(request), model.model_id if model is not None else "MODEL"
    )


@login_required
@require_safe
def provider_status(request: HttpRequest, name: str) -> HttpResponse:
    """Return the status of one provider, for its page while a check is pending."""
    provider = get_object_or_404(ModelProvider, name=name)
    return render(request, "providers/_status_line.html", {"provider": provider})


@login_required
@require_POST
def provider_toggle(request: HttpRequest, name: str) -> HttpResponse:
    """Enable or disable a provider: `enabled` says which, whatever it is now.

    A second press, or one on a page that is out of date, undoes nothing.
    """
    provider = get_object_or_404(ModelProvider, name=name)
    enabled = request.POST.get("enabled", "")
    if enabled not in ("0", "1"):
        reason = _("enabled must be 0 or 1.")
        return render(request, "400.html", {"reason": reason}, status=400)
    provider.set_enabled(enabled == "1")
    text = _("%s is enabled.") if provider.enabled else _("%s is disabled.")
    messages.success(request, text % provider.name)
    return redirect("provider-list" if "stay" in request.POST else provider)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def provider_delete(request: HttpRequest, name: str) -> HttpResponse:
    """Ask before deleting; refuse while agents are wired to the provider."""
    provider = get_object_or_404(ModelProvider, name=name)
    wires = list(provider.wires.select_related("agent"))
    secret = provider.secret
    is_last_user = secret is not None and not (
        secret.providers.exclude(pk=provider.pk).exists()
    )
    error = ""
    if request.method == "POST":
        error = _delete(request, provider, is_last_user)
        if not error:
            messages.success(request, _("%s is deleted.") % name)
            return redirect("provider-list")
    context = {
        "provider": provider,
        "wires": wires,
        "is_last_user": is_last_user,
        "error": error,
    }
    status = 422 if error else 200
    return render(request, "providers/provider_delete.html", context, status=status)


def _delete(request: HttpRequest, provider: ModelProvider, is_last_user: bool) -> str:
    """Delete the provider and, if asked, its secret; return why not."""
    if request.POST.get("confirm", "").strip() != provider.name:
        return _("Type %s to confirm.") % provider.name
    secret = provider.secret
    try:
        with transaction.atomic():
            provider.delete()
            if secret is not None and is_last_user and request.POST.get("secret"):
                secret.delete()
    except ProtectedError:
        return _("Agents are wired to this provider. Rewire them, or disable it.")
    return ""
