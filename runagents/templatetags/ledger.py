"""Template tags that read the ledger, for pages of apps that do not know of it."""

from django import template
from django.db.models import QuerySet

from gateway.console import reports
from gateway.ledger import prices
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
