"""What a person decides about a provider's list: changed here, or left as it is."""

from collections.abc import Collection
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from providers.model_lists import differences, looking
from providers.model_lists.differences import GONE, NEW, PRICES, Price
from providers.models import ModelList, ModelProvider, ProviderModel
from providers.models.announced import dismissed

SIXTH = Decimal("0.000001")


@transaction.atomic
def accept(provider: ModelProvider, kind: str, ids: Collection[str]) -> list[str]:
    """Change the registry as was proposed; return why what was not changed was not.

    A new model is served, one that is gone is not any more, and a price that was
    entered becomes the list's. Where the list's holds anyway it is only noted.
    """
    row = looking.locked(provider)
    waiting = _waiting(row, provider, kind, ids)
    match kind:
        case differences.NEW:
            problems = _serve(provider, waiting)
        case differences.GONE:
            problems = _drop(provider, waiting)
        case _:
            problems = _price(row, provider, waiting)
    _edited(provider)
    looking.settle(row, provider, list(provider.provider_models.all()))
    return problems


@transaction.atomic
def dismiss(provider: ModelProvider, kind: str, ids: Collection[str]) -> None:
    """Leave the registry as it is; the same is not proposed again."""
    row = looking.locked(provider)
    waiting = _waiting(row, provider, kind, ids)
    if not waiting:
        return
    if kind == NEW:
        row.new = [each for each in row.new if each not in waiting]
    elif kind == GONE:
        row.kept = sorted({*row.kept, *waiting})
    elif kind == PRICES:
        row.prices |= {each: row.listed_prices[each] for each in waiting}
    looking.settle(row, provider, list(provider.provider_models.all()))
    label = f"{provider}: {', '.join(waiting)}"
    dismissed.send(ModelList, kind="model list", label=label)


def _waiting(
    row: ModelList, provider: ModelProvider, kind: str, ids: Collection[str]
) -> list[str]:
    """Return which of `ids` wait for a decision of a kind."""
    models = list(provider.provider_models.all())
    found = differences.of(row, models, provider.vendor)
    wanted = set(ids)
    return [each for each in found.ids(kind) if each in wanted]


def _serve(provider: ModelProvider, ids: Collection[str]) -> list[str]:
    problems = []
    for each in ids:
        try:
            provider.serve(each)
        except ValidationError as error:
            problems.append(f"{each[:80]}: {' '.join(error.messages)}")
    return problems


def _drop(provider: ModelProvider, ids: Collection[str]) -> list[str]:
    """Serve models no more, but for those that agents are wired to."""
    wires = provider.wires.select_related("agent").filter(model_id__in=ids)
    wired: dict[str, str] = {wire.model_id: str(wire.agent) for wire in wires}
    text = _("%(agent)s is wired to %(model)s. Rewire it first.")
    if not wired and not provider.provider_models.exclude(model_id__in=ids).exists():
        return [_("%s would serve no model: disable or delete it.") % provider]
    for model in provider.provider_models.filter(model_id__in={*ids} - wired.keys()):
        model.delete()
    return [text % {"agent": agent, "model": each} for each, agent in wired.items()]


def _price(row: ModelList, provider: ModelProvider, ids: Collection[str]) -> list[str]:
    models = list(provider.provider_models.all())
    found = differences.of(row, models, provider.vendor)
    rows = {model.model_id: model for model in models}
    for change in found.prices:
        if change.model_id in ids and change.own is not None:
            _enter(rows[change.model_id], change.after)
    row.prices |= {each: row.listed_prices[each] for each in ids}
    return []


def _enter(model: ProviderModel, price: Price) -> None:
    """Store a price as one that somebody entered."""
    names = ("input_price", "output_price", "cached_input_price")
    for name, value in zip(names, price, strict=True):
        setattr(model, name, None if value is None else value.quantize(SIXTH))
    model.save(update_fields=names)


def _edited(provider: ModelProvider) -> None:
    """Count an edit, so that a form which was opened before it is told."""
    provider.refresh_from_db(fields=["version"])
    provider.version += 1
    provider.save(update_fields=["version", "updated_at"])
