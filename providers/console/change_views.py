"""What providers list that is not registered so: shown, accepted or dismissed."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from providers.model_lists import decisions, differences
from providers.model_lists.differences import (
    GONE,
    KINDS,
    NEW,
    PRICES,
    Difference,
    PriceChange,
)
from providers.models import ModelList, ModelProvider

PAGE_SIZE = 20
MOST_SHOWN = 100
"""Of a kind of difference, on one page."""
MOST_TOLD = 5

TITLES = {
    NEW: gettext_lazy("New at the provider"),
    GONE: gettext_lazy("Not listed by the provider"),
    PRICES: gettext_lazy("List price changed"),
}
NOTES = {
    NEW: gettext_lazy("Accept: the model is served here. Dismiss: it is not."),
    GONE: gettext_lazy(
        "Accept: the model is removed here, unless agents are wired to it. Dismiss: it "
        "stays."
    ),
    PRICES: gettext_lazy(
        "Accept: the new list price replaces one that was entered here. Dismiss: that "
        "one stays. A model without one is counted at the list price anyway."
    ),
}


class Item(NamedTuple):
    """One difference: a model, and its prices where these are what differs."""

    id: str
    change: PriceChange | None


class Group(NamedTuple):
    """One kind of difference: the first models of it, and how many there are."""

    kind: str
    title: Any
    note: Any
    shown: list[Item]
    total: int

    @property
    def more(self) -> int:
        """How many are not shown."""
        return self.total - len(self.shown)


class Changes(NamedTuple):
    """What waits at one provider, and what is known of its list."""

    provider: ModelProvider
    row: ModelList
    groups: list[Group]
    served: int

    @property
    def seen(self) -> str:
        """Which list this is about, for a form to say."""
        return self.row.asked_at.isoformat() if self.row.asked_at else ""


def changes_of(provider: ModelProvider) -> Changes | None:
    """Return what waits at a provider, None while its list was never asked for."""
    row = ModelList.objects.filter(provider=provider).first()
    if row is None or row.asked_at is None:
        return None
    models = list(provider.provider_models.all())
    found = differences.of(row, models, provider.vendor)
    return Changes(provider, row, _groups(found), len(models))


def _groups(found: Difference) -> list[Group]:
    prices = {each.model_id: each for each in found.prices}
    groups = []
    for kind in KINDS:
        ids = found.ids(kind)
        changes = prices if kind == PRICES else {}
        shown = [Item(each, changes.get(each)) for each in ids[:MOST_SHOWN]]
        groups.append(Group(kind, TITLES[kind], NOTES[kind], shown, len(ids)))
    return [group for group in groups if group.total]


@login_required
@require_safe
def provider_changes(request: HttpRequest) -> HttpResponse:
    """Show what waits at all providers, one after the other."""
    rows = ModelProvider.objects.filter(model_list__proposals__gt=0)
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    found = [changes for each in page if (changes := changes_of(each))]
    context = {
        "page": page,
        "all_changes": [each for each in found if each.groups],
        "stay": "list",
    }
    return render(request, "providers/provider_changes.html", context)


@login_required
@require_POST
def provider_decide(request: HttpRequest, name: str) -> HttpResponse:
    """Accept or dismiss one difference, or all of a kind as they were shown.

    `accept` or `dismiss` holds the kind and, apart by a space, a model's id for one.
    `seen` says which list the page was about: of another nothing is decided.
    """
    provider = get_object_or_404(ModelProvider, name=name)
    accepts = "accept" in request.POST
    what = request.POST.get("accept" if accepts else "dismiss", "")
    kind, _space, model_id = what.partition(" ")
    changes = changes_of(provider)
    if kind not in KINDS or changes is None:
        reason = _("accept or dismiss must name a kind of change.")
        return render(request, "400.html", {"reason": reason}, status=400)
    if request.POST.get("seen") != changes.seen:
        messages.warning(
            request, _("The list was asked for anew meanwhile. Look again.")
        )
    elif accepts:
        _tell(request, decisions.accept(provider, kind, _ids(changes, kind, model_id)))
    else:
        decisions.dismiss(provider, kind, _ids(changes, kind, model_id))
    if request.POST.get("stay") == "list":
        return redirect("provider-changes")
    return redirect(f"{provider.get_absolute_url()}?tab=models")


def _ids(changes: Changes, kind: str, model_id: str) -> list[str]:
    """Return the model that was named, or all of a kind."""
    if model_id:
        return [model_id]
    models = list(changes.provider.provider_models.all())
    found = differences.of(changes.row, models, changes.provider.vendor)
    return found.ids(kind)


def _tell(request: HttpRequest, problems: Iterable[str]) -> None:
    """Tell why some of what was accepted was not changed."""
    told = list(problems)
    for each in told[:MOST_TOLD]:
        messages.warning(request, each)
    more = len(told) - MOST_TOLD
    if more > 0:
        text = ngettext("%d more stayed.", "%d more stayed.", more)
        messages.warning(request, text % more)
