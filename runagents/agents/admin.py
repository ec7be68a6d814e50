"""Agents, their wires and keys in Django's admin."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from providers.admin.bases import IssuedKeyAdmin
from runagents.agents.models import Agent, AgentKey, Wire


class WireInline(admin.TabularInline):  # type: ignore[type-arg]
    """The models that an agent's roles use."""

    model = Wire
    extra = 0
    fields = ["role", "provider", "model_id", "file", "line"]
    # A menu in every row would hold every provider.
    autocomplete_fields = ["provider"]


@admin.register(Agent)
class AgentAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Agents with their wires."""

    list_display = ["name", "access", "wired_to", "builtin", "created_at"]
    list_filter = ["access", "builtin"]
    search_fields = ["name", "wires__model_id"]
    readonly_fields = ["builtin", "created_at"]
    inlines = [WireInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Agent]:
        """Fetch the wires along."""
        return super().get_queryset(request).prefetch_related("wires__provider")

    @admin.display(description="wired to")
    def wired_to(self, agent: Agent) -> str:
        """The agent's wires in short."""
        return ", ".join(map(str, agent.wires.all())) or "-"


@admin.register(AgentKey)
class AgentKeyAdmin(IssuedKeyAdmin):
    """Keys of agents."""

    list_display = [
        "shown",
        "agent",
        "live",
        "created_at",
        "expires_at",
        "last_used_at",
    ]
    list_filter = ["revoked_at"]
    list_select_related = ["agent"]
    search_fields = ["agent__name", "last4"]
    readonly_fields = (
        "agent",
        "shown",
        "live",
        "models",
        "created_at",
        "expires_at",
        "revoked_at",
        "last_used_at",
    )
    fields = readonly_fields
