"""What a provider's list and the registry disagree about. Pure."""

from collections.abc import Collection, Iterable
from decimal import Decimal
from typing import NamedTuple

from providers.models.model_list import ModelList
from providers.models.provider import ProviderModel
from providers.vendors import Vendor

NEW, GONE, PRICES = "new", "gone", "prices"
KINDS = (GONE, PRICES, NEW)

Price = tuple[Decimal | None, Decimal | None, Decimal | None]
"""US dollars per million tokens of input, output and cached input."""


class PriceChange(NamedTuple):
    """A list price that is another than a person knows.

    `own` is what the model is counted at where somebody entered a price of their own.
    """

    model_id: str
    before: Price
    after: Price
    own: Price | None


class Difference(NamedTuple):
    """What waits for a person: ids that came up, ids that are gone, prices."""

    new: list[str]
    gone: list[str]
    prices: list[PriceChange]

    def __len__(self) -> int:
        """How many decisions there are."""
        return len(self.new) + len(self.gone) + len(self.prices)

    def ids(self, kind: str) -> list[str]:
        """Return the ids of the models of a kind of difference."""
        if kind == PRICES:
            return [each.model_id for each in self.prices]
        return self.new if kind == NEW else self.gone


def of(row: ModelList, models: Collection[ProviderModel], vendor: Vendor) -> Difference:
    """Return what `row` and the registered `models` disagree about."""
    return Difference(
        _new(row, models, vendor), _gone(row, models, vendor), _prices(row, models)
    )


def unlisted(
    offered: Collection[str], models: Iterable[ProviderModel], vendor: Vendor
) -> list[str]:
    """Return the ids of `models` that are not among what is offered."""
    known = set(offered)
    return [
        model.model_id
        for model in models
        if not vendor.is_listed(model.upstream_id or model.model_id, known)
    ]


def _new(
    row: ModelList, models: Collection[ProviderModel], vendor: Vendor
) -> list[str]:
    served = {model.upstream_id or model.model_id for model in models}
    served |= {model.model_id for model in models}
    return [
        offered
        for offered in row.new
        if offered not in served
        and not any(vendor.is_listed(each, [offered]) for each in served)
    ]


def _gone(
    row: ModelList, models: Collection[ProviderModel], vendor: Vendor
) -> list[str]:
    if not row.offered:
        return []
    kept = set(row.kept)
    gone = unlisted(row.offered, models, vendor)
    return [model_id for model_id in gone if model_id not in kept]


def _prices(row: ModelList, models: Iterable[ProviderModel]) -> list[PriceChange]:
    found = []
    for model in models:
        before = _price(row.prices.get(model.model_id))
        after = _price(row.listed_prices.get(model.model_id))
        if before and after and before != after:
            found.append(PriceChange(model.model_id, before, after, own_price(model)))
    return found


def own_price(model: ProviderModel) -> Price | None:
    """Return the price that somebody entered for a model, None where the list holds."""
    if model.input_price is None or model.output_price is None:
        return None
    return model.input_price, model.output_price, model.cached_input_price


def _price(stored: list[str | None] | None) -> Price | None:
    """Return a stored price; None where it is unknown."""
    if not stored or None in stored[:2]:
        return None
    first, second, third = (None if each is None else Decimal(each) for each in stored)
    return first, second, third
