"""The Models list."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.module_loading import import_string
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from providers import starter, vendors
from providers.console import sorting
from providers.forms.filters import DISABLED, FilterForm
from providers.models import ModelList, ModelProvider, ProviderModel, sharing

PAGE_SIZE = 50
# The models of one provider that pages show at once; templates slice by it.
MAX_SHOWN = 100


def _providers() -> QuerySet[ModelProvider]:
    return ModelProvider.objects.select_related("secret").prefetch_related(
        "provider_models"
    )


@login_required
@require_safe
def provider_list(request: HttpRequest) -> HttpResponse:
    """Show all providers with status and models; says which one wins a shared model."""
    form = FilterForm(request.GET)
    traffic = last_day()
    rows = form.narrow(ModelProvider.objects.all())
    ids = sorting.in_order(rows, form.order, traffic)
    page = Paginator(ids, PAGE_SIZE).get_page(request.GET.get("page"))
    providers = _annotated(page)
    query = form.query()
    headings = sorting.headings(form.order)
    others = {name: value for name, value in query.items() if name != "sort"}
    context = {
        "providers": providers,
        "last_day": traffic,
        "page": page,
        "form": form,
        "is_filtered": form.is_filtered,
        "query": urlencode(query),
        "unsorted": urlencode(others),
        "headings": headings,
        "columns": [headings[key] for key in ("models", "status", "requests")],
        "totals": _totals(),
        "waiting": _waiting(),
        "offers_starter": _offers_starter(),
        "types": vendors.choices(),
        "type_names": get_text_list(
            [label for _type, label in vendors.choices()], _("or")
        ),
    }
    return render(request, "providers/provider_list.html", context)


def _waiting() -> dict[str, Any]:
    """Return how many changes of model lists wait for a decision, and at whom."""
    found = ModelList.waiting()
    return {"count": sum(found.values()), "names": [*found.items()]}


def last_day() -> Mapping[str, Any]:
    """Return what the last day's calls came to, by provider name."""
    by_provider: Callable[[], Mapping[str, Any]] = import_string(
        settings.PROVIDER_TRAFFIC
    )
    return by_provider()


def _annotated(ids: Iterable[int]) -> list[ModelProvider]:
    """Return the providers of these ids, in their order, as their rows want them."""
    found = _providers().in_bulk(list(ids))
    providers = list(found.values())
    serving = _serving(providers)
    for provider in providers:
        _annotate(provider, serving)
    return [found[pk] for pk in ids if pk in found]


def _offers_starter() -> bool:
    """Tell whether pressing the starter button would change something.

    It would without a Playground LLM, and for one in the sandbox once a key is set.
    """
    found = ModelProvider.objects.filter(name=starter.NAME).first()
    if found is None:
        return True
    return bool(settings.PLAYGROUND_LLM_API_KEY) and starter.is_sandbox(found)


def _serving(providers: list[ModelProvider]) -> dict[str, list[sharing.Serving]]:
    """Return who serves each of the models of `providers` that are shown."""
    return sharing.serving({row.model_id for each in providers for row in _shown(each)})


def _shown(provider: ModelProvider) -> list[ProviderModel]:
    return list(provider.provider_models.all())[:MAX_SHOWN]


def _annotate(
    provider: ModelProvider, serving: dict[str, list[sharing.Serving]]
) -> None:
    """Tell its row whether no real model answers, and who is asked for each model."""
    provider.is_sandbox = starter.is_sandbox(provider)  # type: ignore[attr-defined]
    sharing.tell(_shown(provider), provider.name, serving)


@login_required
@require_safe
def provider_row(request: HttpRequest, name: str) -> HttpResponse:
    """Return one row of the list, for the page that polls while a check is pending.

    `names` in the address holds the provider's own where its row is ticked.
    """
    provider = get_object_or_404(_providers(), name=name)
    _annotate(provider, _serving([provider]))
    context = {"provider": provider, "is_ticked": name in request.GET.getlist("names")}
    return render(request, "providers/_provider_row.html", context)


@login_required
@require_safe
def provider_totals(request: HttpRequest) -> HttpResponse:
    """Return how many providers are in which state, while some are being checked."""
    return render(request, "providers/_totals.html", {"totals": _totals()})


def _totals() -> dict[str, Any]:
    """Return how many there are: providers, by state, and models by their id."""
    rows = ModelProvider.objects.order_by().values_list("enabled", "status")
    counts: dict[str, int] = {}
    for enabled, status, number in rows.annotate(number=Count("pk")):
        state = status if enabled else DISABLED
        counts[state] = counts.get(state, 0) + number
    labels = {**dict(ModelProvider.Status.choices), DISABLED: _("Disabled")}
    ids = ProviderModel.objects.aggregate(number=Count("model_id", distinct=True))
    return {
        "providers": sum(counts.values()),
        "models": ids["number"],
        "pending": counts.get(ModelProvider.Status.PENDING, 0),
        "states": [
            (state, label, counts[state])
            for state, label in labels.items()
            if state in counts
        ],
    }


@login_required
@require_POST
def starter_create(request: HttpRequest) -> HttpResponse:
    """Add the built-in Playground LLM; pressing twice is harmless."""
    provider = starter.add_playground_llm()
    messages.success(request, _("%s is ready to use.") % provider.name)
    return redirect("provider-list")
