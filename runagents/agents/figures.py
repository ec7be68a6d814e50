"""What agents asked for lately, from the ledger."""

from django.db.models import DateTimeField, OuterRef, QuerySet, Subquery

from gateway.ledger import totals
from gateway.ledger.sums import Totals
from gateway.models import CallerKind, UsageRecord
from runagents.agents.models import Agent


def with_last_call(agents: QuerySet[Agent]) -> QuerySet[Agent]:
    """Annotate when each agent called last, found by an index, not by counting."""
    newest = UsageRecord.objects.filter(
        caller=OuterRef("name"), caller_kind=CallerKind.AGENT
    )
    started = newest.order_by("-started_at").values("started_at")[:1]
    return agents.annotate(
        last_call=Subquery(started, output_field=DateTimeField(null=True))
    )


def by_agent() -> dict[str, Totals]:
    """Return agent name -> what its calls of the last 24 hours came to."""
    found = totals.last_day("caller", caller_kind=CallerKind.AGENT)
    return {name: each for (name,), each in found.items()}


def of_agent(name: str) -> Totals:
    """Return what one agent's calls of the last 24 hours came to."""
    found = totals.last_day(caller_kind=CallerKind.AGENT, caller=name)
    return found.get((), Totals())
