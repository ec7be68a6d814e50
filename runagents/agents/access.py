"""Who may call the gateway, for its snapshot: every live key and what it reaches."""

from django.db.models import Q
from django.utils import timezone

from gateway.registry import Caller
from providers.models import IssuedKey, WorkspaceKey
from runagents.agents.models import Agent, AgentKey, Wire


def callers() -> dict[str, Caller]:
    """Return key digest -> caller for all keys neither revoked nor expired."""
    live = Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=timezone.now()))
    wires: dict[int, set[tuple[str, str]]] = {}
    for agent_id, provider, model in Wire.objects.values_list(
        "agent_id", "provider__name", "model_id"
    ):
        wires.setdefault(agent_id, set()).add((provider, model))
    found = {}
    for key in AgentKey.objects.filter(live).select_related("agent"):
        wired = key.agent.access == Agent.Access.WIRED
        found[key.digest] = Caller(
            name=key.agent.name,
            kind="agent",
            hint=str(key),
            wires=frozenset(wires.get(key.agent_id, ())) if wired else None,
            models=frozenset(key.models) if key.models else None,
            expires_at=_unix(key),
        )
    for workspace_key in WorkspaceKey.objects.filter(live):
        found[workspace_key.digest] = Caller(
            name=workspace_key.name,
            kind="workspace",
            hint=f"{workspace_key.prefix}_…{workspace_key.last4}",
            expires_at=_unix(workspace_key),
        )
    return found


def _unix(key: IssuedKey) -> float | None:
    return key.expires_at.timestamp() if key.expires_at else None
