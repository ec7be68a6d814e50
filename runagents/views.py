"""The Dashboard."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from gateway.console import reports
from gateway.console.usage.periods import RANGES
from gateway.ledger.summaries import REACHED
from gateway.models import UsageRecord
from providers import snippets
from providers.models import ModelProvider, ProviderModel, WorkspaceKey
from runagents.agents import registration
from runagents.agents.models import Agent, AgentKey


@login_required
@require_safe
def dashboard(request: HttpRequest) -> HttpResponse:
    """Show where things stand: first steps, figures, what needs attention."""
    providers = _provider_counts()
    agents = _agent_counts()
    chosen = request.GET.get("range", "")
    if chosen not in reports.TRENDS:
        chosen = reports.TRENDS[0]
    trend = reports.trend(chosen)
    steps = _steps(providers, agents["total"], trend.now.requests > 0)
    context = {
        "is_first_visit": not agents["total"],
        "has_hello_world": agents["hello_world"] > 0,
        "steps": [] if all(step["done"] for step in steps) else steps,
        "steps_done": sum(step["done"] for step in steps),
        "providers": providers,
        "models": ProviderModel.objects.values("model_id").distinct().count(),
        "agents": agents["total"],
        "range": chosen,
        "ranges": [(name, RANGES[name].label) for name in reports.TRENDS],
        "trend": trend,
        **_troubles(trend),
        "errors": reports.recent_errors(),
        "examples": snippets.examples(snippets.base_url(request), _example_model()),
    }
    return render(request, "dashboard.html", context)


def _troubles(trend: reports.Trend) -> dict[str, Any]:
    """Return the providers that do not answer, and those of whose calls many fail."""
    failing = ModelProvider.objects.filter(
        enabled=True, status__in=["unavailable", "failed"]
    )[:5]
    names = {provider.name for provider in failing}
    losing = [each for each in trend.in_trouble.items() if each[0] not in names]
    return {"failing": failing, "losing": losing[:5]}


def _provider_counts() -> dict[str, int]:
    return ModelProvider.objects.aggregate(
        total=Count("pk"),
        checked=Count("pk", filter=~Q(status_checked_at=None)),
        available=Count("pk", filter=Q(status="available", enabled=True)),
    )


def _agent_counts() -> dict[str, int]:
    return Agent.objects.aggregate(
        total=Count("pk"),
        hello_world=Count("pk", filter=Q(builtin=registration.HELLO_WORLD)),
    )


def _steps(
    providers: dict[str, int], agents: int, has_calls: bool
) -> list[dict[str, Any]]:
    """Return the first steps and which of them are done, read from the data."""
    has_calls = has_calls or UsageRecord.objects.filter(REACHED).exists()
    has_key = bool(agents) or (
        AgentKey.objects.exists() or WorkspaceKey.objects.exists()
    )
    return [
        {"name": "provider", "done": providers["total"] > 0},
        {"name": "check", "done": providers["checked"] > 0},
        {"name": "key", "done": has_key},
        {"name": "request", "done": has_calls},
    ]


def _example_model() -> str:
    return (
        ProviderModel.objects.filter(provider__enabled=True)
        .values_list("model_id", flat=True)
        .first()
        or "gpt-4o-mini"
    )
