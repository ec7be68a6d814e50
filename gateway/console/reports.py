"""Figures from the ledger, for the console's pages."""

from datetime import timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import Count, Q, Sum
from django.utils import timezone

from gateway.models import UsageRecord

DAY = timedelta(hours=24)

# Its index holds the few that failed; the flusher says which (ledger/flusher.py).
FAILED = Q(failed=True)


class Traffic(NamedTuple):
    """Requests of the last 24 hours, and how many of them failed."""

    requests: int
    failed: int

    @property
    def error_percent(self) -> float:
        """The share that failed, in percent."""
        return 100 * self.failed / self.requests if self.requests else 0.0


class ModelTotals(NamedTuple):
    """What one model's calls of the last 24 hours came to."""

    model: str
    requests: int
    input_tokens: int
    output_tokens: int
    cost: Decimal | None


class Totals(NamedTuple):
    """What the last 24 hours came to."""

    requests: int
    failed: int
    input_tokens: int
    output_tokens: int
    cost: Decimal | None


def totals() -> Totals:
    """Return the totals of the last 24 hours, in one query."""
    row: dict[str, Any] = _last_day().aggregate(
        requests=Count("pk"),
        failed=Count("pk", filter=FAILED),
        input_tokens=Sum("input_tokens"),
        output_tokens=Sum("output_tokens"),
        cost=Sum("cost"),
    )
    row["input_tokens"] = row["input_tokens"] or 0
    row["output_tokens"] = row["output_tokens"] or 0
    return Totals(**row)


def by_provider() -> dict[str, Traffic]:
    """Return provider name -> traffic of the last 24 hours, in one query."""
    rows = (
        _last_day()
        .order_by()
        .values("provider")
        .annotate(requests=Count("pk"), failed=Count("pk", filter=FAILED))
    )
    return {row["provider"]: Traffic(row["requests"], row["failed"]) for row in rows}


def top_models(limit: int = 5) -> list[ModelTotals]:
    """Return the models asked for most in the last 24 hours, in one query."""
    rows = (
        _last_day()
        .order_by()
        .values("model")
        .annotate(
            requests=Count("pk"),
            tokens_in=Sum("input_tokens", default=0),
            tokens_out=Sum("output_tokens", default=0),
            dollars=Sum("cost"),
        )
        .order_by("-requests", "model")
        .values_list("model", "requests", "tokens_in", "tokens_out", "dollars")
    )
    return [ModelTotals(*row) for row in rows[:limit]]


def recent_errors(limit: int = 5) -> list[UsageRecord]:
    """Return the newest failed calls of the last 24 hours."""
    return list(_last_day().filter(FAILED)[:limit])


def _last_day() -> Any:
    return UsageRecord.objects.filter(started_at__gte=timezone.now() - DAY)
