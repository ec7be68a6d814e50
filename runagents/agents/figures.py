"""What agents asked for lately, from the ledger."""

from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Count, DateTimeField, OuterRef, QuerySet, Subquery, Sum
from django.utils import timezone

from gateway.console.reports import DAY, FAILED, Traffic
from gateway.models import UsageRecord
from runagents.agents.models import Agent


class AgentDay(NamedTuple):
    """An agent's last 24 hours."""

    traffic: Traffic
    input_tokens: int
    output_tokens: int
    cost: Any


def with_last_call(agents: QuerySet[Agent]) -> QuerySet[Agent]:
    """Annotate when each agent called last, found by an index, not by counting."""
    newest = UsageRecord.objects.filter(caller=OuterRef("name"), caller_kind="agent")
    started = newest.order_by("-started_at").values("started_at")[:1]
    return agents.annotate(
        last_call=Subquery(started, output_field=DateTimeField(null=True))
    )


def by_agent() -> dict[str, Traffic]:
    """Return agent name -> traffic of the last 24 hours, in one query."""
    rows = (
        _last_day()
        .order_by()
        .values("caller")
        .annotate(requests=Count("pk"), failed=Count("pk", filter=FAILED))
    )
    return {row["caller"]: Traffic(row["requests"], row["failed"]) for row in rows}


def of_agent(name: str) -> AgentDay:
    """Return one agent's last 24 hours, in one query."""
    row = (
        _last_day()
        .filter(caller=name)
        .aggregate(
            requests=Count("pk"),
            failed=Count("pk", filter=FAILED),
            input=Sum("input_tokens"),
            output=Sum("output_tokens"),
            cost=Sum("cost"),
        )
    )
    traffic = Traffic(row["requests"], row["failed"])
    return AgentDay(traffic, row["input"] or 0, row["output"] or 0, row["cost"])


def _last_day() -> QuerySet[UsageRecord]:
    since: datetime = timezone.now() - DAY
    return UsageRecord.objects.filter(started_at__gte=since, caller_kind="agent")
