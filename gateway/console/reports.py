"""Figures of the last 24 hours, for the console's pages."""

from datetime import timedelta
from typing import NamedTuple

from django.utils import timezone

from gateway.console.usage import periods, report
from gateway.console.usage.dimensions import DIMENSIONS
from gateway.ledger import totals
from gateway.ledger.sums import Totals, together
from gateway.ledger.totals import FAILED
from gateway.models import UsageRecord

DAY = timedelta(hours=24)


class ModelTotals(NamedTuple):
    """A model and what its calls came to."""

    model: str
    totals: Totals


class ProviderDay(NamedTuple):
    """What a provider's calls came to; `first_token` is a median in milliseconds."""

    totals: Totals
    models: list[ModelTotals]
    first_token: int | None


def of_everything() -> Totals:
    """Return what all calls came to."""
    return totals.last_day().get((), Totals())


def by_provider() -> dict[str, Totals]:
    """Return provider name -> what its calls came to."""
    return {name: each for (name,), each in totals.last_day("provider").items()}


def top_models(limit: int = 5) -> list[ModelTotals]:
    """Return the models asked for most."""
    return _ranked(totals.last_day("model"))[:limit]


def of_provider(name: str) -> ProviderDay:
    """Return what a provider's calls came to, the busiest models first."""
    models = _ranked(totals.last_day("model", provider=name))
    period, by_model = periods.of_range("24h"), DIMENSIONS["model"]
    parts = report.parts(period, by_model, {"provider": name})
    return ProviderDay(
        together([Totals(), *(each.totals for each in models)]),
        models,
        report.report(period, by_model, parts).first_token,
    )


def _ranked(found: totals.Found) -> list[ModelTotals]:
    models = [ModelTotals(model, each) for (model,), each in found.items()]
    return sorted(models, key=lambda each: (-each.totals.requests, each.model))


def recent_errors(limit: int = 5) -> list[UsageRecord]:
    """Return the newest failed calls."""
    rows = UsageRecord.objects.filter(started_at__gte=timezone.now() - DAY)
    return list(rows.filter(FAILED)[:limit])
