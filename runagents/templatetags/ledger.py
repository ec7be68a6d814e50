"""Template tags that read the ledger, for pages of apps that do not know of it."""

from django import template
from django.db.models import QuerySet

from gateway.console import reports
from gateway.models import UsageRecord

register = template.Library()

RECENT = 10


@register.simple_tag
def provider_day(name: str) -> reports.ProviderDay:
    """Return what a provider's last 24 hours came to, as a whole and by model."""
    return reports.of_provider(name)


@register.simple_tag
def recent_requests(name: str) -> QuerySet[UsageRecord]:
    """Return a provider's newest requests."""
    return UsageRecord.objects.filter(provider=name)[:RECENT]
