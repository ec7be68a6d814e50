"""Template tags that read the ledger, for pages of apps that do not know of it."""

from typing import Any

from django import template
from django.db.models import Avg, Count, QuerySet, Sum
from django.utils import timezone

from gateway.console.reports import DAY, FAILED
from gateway.models import UsageRecord

register = template.Library()

RECENT = 10


@register.simple_tag
def provider_day(name: str) -> dict[str, Any]:
    """Return a provider's last 24 hours: requests, failed, tokens, cost, first byte."""
    since = timezone.now() - DAY
    rows = UsageRecord.objects.filter(provider=name, started_at__gte=since)
    return rows.aggregate(
        requests=Count("pk"),
        failed=Count("pk", filter=FAILED),
        input_tokens=Sum("input_tokens"),
        output_tokens=Sum("output_tokens"),
        cost=Sum("cost"),
        first_byte_ms=Avg("first_byte_ms"),
    )


@register.simple_tag
def provider_models_day(name: str) -> list[Any]:
    """Return a provider's last 24 hours by model, the busiest first."""
    since = timezone.now() - DAY
    rows = UsageRecord.objects.filter(provider=name, started_at__gte=since)
    sums = (
        rows.order_by()
        .values("model")
        .annotate(
            requests=Count("pk"),
            failed=Count("pk", filter=FAILED),
            input_tokens=Sum("input_tokens"),
            output_tokens=Sum("output_tokens"),
            cost=Sum("cost"),
        )
        .order_by("-requests", "model")
    )
    return list(sums)


@register.simple_tag
def recent_requests(name: str) -> QuerySet[UsageRecord]:
    """Return a provider's newest requests."""
    return UsageRecord.objects.filter(provider=name)[:RECENT]
