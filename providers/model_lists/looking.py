"""What a check brought of a provider's models is kept, once a day.

Every host's leader checks providers. Whichever comes first after a day takes the list;
the row's lock keeps the others from taking it, too.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from providers import starter
from providers.model_lists import differences
from providers.models import ModelList, ModelProvider, ProviderModel
from providers.status import CheckResult

DAY = timedelta(days=1)
AGAIN = timedelta(hours=1)
"""When a list that could not be read is looked at again."""
CLOCKS_APART = timedelta(minutes=1)


def note(
    sender: Any,
    provider: ModelProvider,
    result: CheckResult,
    by_hand: bool,
    **told: Any,
) -> None:
    """Keep the list that a check has brought, where it is time or somebody asked."""
    if starter.is_sandbox(provider):
        return
    rows = ModelList.objects.filter(provider=provider)
    row = rows.defer("offered").first()
    now = timezone.now()
    is_due = row is None or _is_due(row, provider, now)
    if is_due or by_hand:
        _take(provider, result, now, by_hand)
    elif row is not None and (row.proposals or row.version != provider.version):
        count(provider)


def _is_due(row: ModelList, provider: ModelProvider, now: datetime) -> bool:
    """Tell whether it is time; a look of the future was before a clock was set."""
    if row.asked_at is None or row.endpoint != provider.endpoint:
        return True
    ago = now - row.asked_at
    return ago >= (AGAIN if row.trouble else DAY) or ago < -CLOCKS_APART


@transaction.atomic
def _take(
    provider: ModelProvider, result: CheckResult, now: datetime, by_hand: bool
) -> None:
    """Store what a provider lists, unless another host has just done so."""
    row = locked(provider)
    if not (by_hand or _is_due(row, provider, now)):
        return
    if row.endpoint != provider.endpoint:
        row.endpoint, row.listed_at = provider.endpoint, None
        row.offered, row.new, row.kept = [], [], []
    models = list(provider.provider_models.all())
    row.asked_at, row.trouble = now, _trouble(result)
    if not row.trouble:
        _take_list(row, result.models, models, provider)
        row.listed_at = now
    _take_prices(row, models, provider)
    settle(row, provider, models)


def _trouble(result: CheckResult) -> str:
    """Return why a check brought no list that says what is gone; empty if it did."""
    if result.is_list_whole:
        return ""
    if result.models:
        return str(_("Only a part of it was read."))
    said = " ".join(filter(None, (result.message, result.hint)))
    if result.is_available and not result.models:
        said = _("It answers and lists no models. %s") % said
    return said[:1000]


def _take_list(
    row: ModelList,
    listed: list[str],
    models: list[ProviderModel],
    provider: ModelProvider,
) -> None:
    """Compare with the list of before; what was there at first is not new."""
    before = set(row.offered if row.listed_at else listed)
    row.new = [each for each in listed if each in {*row.new} or each not in before]
    row.offered = listed
    unlisted = differences.unlisted(listed, models, provider.vendor)
    # One that came back and goes again is told anew.
    row.kept = [each for each in row.kept if each in unlisted]


def _take_prices(
    row: ModelList, models: list[ProviderModel], provider: ModelProvider
) -> None:
    """Note the list prices of now; a model's first is one that a person knows."""
    listed: Callable[[str, str, str], Any] = import_string(settings.LIST_PRICES)
    found = {}
    for model in models:
        name = model.base_model or model.upstream_id or model.model_id
        price = listed(provider.provider_type, provider.endpoint, name)
        found[model.model_id] = [None if x is None else str(x) for x in price]
    row.listed_prices = found
    known = {name: row.prices.get(name) for name in found}
    row.prices = {
        name: price if price and price[0] is not None else found[name]
        for name, price in known.items()
    }


@transaction.atomic
def count(provider: ModelProvider) -> None:
    """Count anew what waits, after the registry has changed."""
    settle(locked(provider), provider, list(provider.provider_models.all()))


def locked(provider: ModelProvider) -> ModelList:
    """Return a provider's row for one writer at a time, within a transaction."""
    ModelList.objects.get_or_create(
        provider=provider, defaults={"endpoint": provider.endpoint}
    )
    return ModelList.objects.select_for_update().get(provider=provider)


def settle(
    row: ModelList, provider: ModelProvider, models: list[ProviderModel]
) -> None:
    """Save the row with what waits now."""
    found = differences.of(row, models, provider.vendor)
    row.new = found.new
    row.proposals, row.version = len(found), provider.version
    row.save()
