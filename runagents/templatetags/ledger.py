"""Template tags that read the ledger, for pages of apps that do not know of it."""

from itertools import chain

from django import template
from django.conf import settings
from django.db.models import QuerySet

from gateway.console import reports
from gateway.ledger import prices
from gateway.metrics.shelf import Shelf
from gateway.models import UsageRecord
from providers.models import ModelProvider, ProviderModel

register = template.Library()

RECENT = 10


@register.simple_tag
def provider_day(name: str) -> reports.ProviderDay:
    """Return what a provider's last 24 hours came to, as a whole and by model."""
    return reports.of_provider(name)


@register.simple_tag
def list_price(provider: ModelProvider, model: ProviderModel) -> prices.ListPrice:
    """Return what a model costs where its provider's own prices do not say."""
    name = model.base_model or model.upstream_id or model.model_id
    return prices.listed(provider.provider_type, provider.endpoint, name)


@register.simple_tag
def recent_requests(name: str) -> QuerySet[UsageRecord]:
    """Return a provider's newest requests."""
    return UsageRecord.objects.filter(provider=name)[:RECENT]


@register.simple_tag
def resting_keys(name: str) -> list[tuple[str, int]]:
    """Return which keys of a provider rest on this host: their ends, and seconds."""
    _counts, workers = Shelf(settings.DATA_DIR / "metrics").read()
    found: dict[str, int] = {}
    for provider, hint, seconds in chain(*(x.get("resting_keys", ()) for x in workers)):
        if provider == name:
            found[hint] = max(seconds, found.get(hint, 0))
    return sorted(found.items())
