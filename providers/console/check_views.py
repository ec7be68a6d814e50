"""Asking a provider: *Test connection*, *Fetch models* and *Test now*."""

from typing import Any

from asgiref.sync import async_to_sync
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from providers import snippets, status
from providers.attempts import checks
from providers.console.form_views import form_for, page
from providers.forms.provider import ProviderForm
from providers.models import ModelProvider
from providers.models.kinds import CHAT, kind_of
from providers.status import responses_api, trial


@login_required
@sensitive_post_parameters()
@require_POST
def provider_test(request: HttpRequest) -> HttpResponse:
    """Check the connection as the form stands, without saving anything."""
    form = form_for(request)
    draft, problems = _draft(request, form)
    context: dict[str, Any] = {"tested": True, "test_errors": problems}
    if draft is not None:
        result = async_to_sync(status.check)(draft, models=form.model_ids())
        context["result"] = result
        context["curl"] = snippets.check_curl(draft, result.request)
        context["note"] = _responses_note(draft, result)
        if request.POST.get("trial") and result.stage not in ("connect", "credentials"):
            context["trial"] = _trial(draft, form)
    if request.headers.get("HX-Request"):
        return render(request, "providers/_test_result.html", context)
    return page(request, form, **context)


def _responses_note(provider: ModelProvider, result: status.CheckResult) -> str:
    """Return what there is to say about the Responses API of a server that answers."""
    return async_to_sync(responses_api.told)(provider) if result.is_available else ""


def _trial(draft: ModelProvider, form: ProviderForm) -> trial.Trial | None:
    """Call the first model entered, by the id that the provider knows it by.

    One that chats goes before those that make vectors.
    """
    models, edited = form.model_ids(), form.original
    if not models:
        return None
    stored = edited.provider_models.filter(model_id__in=models) if edited.pk else ()
    rows = {row.model_id: row for row in stored}
    kinds = {
        model: rows[model].kind if model in rows else kind_of(model) for model in models
    }
    model = next((each for each in models if kinds[each] == CHAT), models[0])
    row = rows.get(model)
    upstream_id = row.upstream_id if row is not None and row.upstream_id else model
    return async_to_sync(trial.call)(draft, upstream_id, kinds[model])


@login_required
@sensitive_post_parameters()
@require_POST
def provider_discover(request: HttpRequest) -> HttpResponse:
    """List the provider's models to pick from."""
    form = form_for(request)
    draft, problems = _draft(request, form)
    context: dict[str, Any] = {"discovered": True, "discover_errors": problems}
    if draft is not None:
        context |= _discovered(draft, set(form.model_ids()))
    if request.headers.get("HX-Request"):
        return render(request, "providers/_picker.html", context)
    return page(request, form, **context)


def _draft(
    request: HttpRequest, form: ProviderForm
) -> tuple[ModelProvider | None, list[str]]:
    """Return the provider to ask as entered, or None and why nobody is asked."""
    draft = form.draft()
    if draft is None:
        return None, _summary(form)
    if not may_ask(request):
        return None, [too_often()]
    return draft, []


def _discovered(draft: ModelProvider, present: set[str]) -> dict[str, Any]:
    try:
        found = async_to_sync(status.discover)(draft)
    except status.DiscoveryFailed as error:
        return {"discover_errors": [str(error)]}
    return {"found": [(name, name in present) for name in found]}


def _summary(form: ProviderForm) -> list[str]:
    """Return the form's mistakes as sentences, apart from the name and the models."""
    return [
        f"{form.fields[name].label or name}: {error}"
        if name in form.fields
        else str(error)
        for name, errors in form.errors.items()
        if name not in {"name", "models"}
        for error in errors
    ]


def may_ask(request: HttpRequest) -> bool:
    """Count a question to a provider; False beyond a person's ten a minute."""
    return not checks.add_now(f"user-{request.user.pk}")


def too_often() -> str:
    return _("Ten checks a minute are the limit. Wait a moment and try again.")


@login_required
@require_POST
def provider_check(request: HttpRequest, name: str) -> HttpResponse:
    """Check a stored provider now and keep the outcome as its status."""
    provider = get_object_or_404(ModelProvider, name=name)
    if not may_ask(request):
        messages.warning(request, too_often())
        return redirect(provider)
    result = async_to_sync(status.check)(provider)
    status.keep(provider, result, by_hand=True)
    note = _responses_note(provider, result)
    if request.headers.get("HX-Request"):
        context = {
            "result": result,
            "note": note,
            "curl": snippets.check_curl(provider, result.request),
            "provider": provider,
            "is_stored": True,
        }
        return render(request, "providers/_test_result.html", context)
    level = messages.SUCCESS if provider.status == "available" else messages.WARNING
    text = f"{provider.get_status_display()}. {result.message} {note}".rstrip()
    messages.add_message(request, level, text)
    return redirect(provider)
