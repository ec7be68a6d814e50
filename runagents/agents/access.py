"""Who may call the gateway, for its snapshot: every live key and what it reaches."""

from datetime import datetime

from django.db.models import Q
from django.utils import timezone

from gateway.worker.snapshot import Caller
from providers.models import WorkspaceKey
from runagents.agents.models import Agent, AgentKey, Wire

_KEY_COLUMNS = ("digest", "prefix", "last4", "expires_at")


def callers() -> dict[str, Caller]:
    """Return key digest -> caller for all keys neither revoked nor expired."""
    live = Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=timezone.now()))
    wires: dict[int, set[tuple[str, str]]] = {}
    for agent_id, provider, model in Wire.objects.values_list(
        "agent_id", "provider__name", "model_id"
    ):
        wires.setdefault(agent_id, set()).add((provider, model))
    reach = {agent_id: frozenset(pairs) for agent_id, pairs in wires.items()}
    found = {}
    # Values rather than instances: ten thousand keys are read on each change.
    for (
        digest,
        prefix,
        last4,
        expires_at,
        models,
        agent_id,
        name,
        access,
    ) in AgentKey.objects.filter(live).values_list(
        *_KEY_COLUMNS, "models", "agent_id", "agent__name", "agent__access"
    ):
        wired = access == Agent.Access.WIRED
        found[digest] = Caller(
            name=name,
            kind="agent",
            hint=f"{prefix}_…{last4}",
            wires=reach.get(agent_id, frozenset()) if wired else None,
            models=frozenset(models) if models else None,
            expires_at=_unix(expires_at),
        )
    for digest, prefix, last4, expires_at, name in WorkspaceKey.objects.filter(
        live
    ).values_list(*_KEY_COLUMNS, "name"):
        found[digest] = Caller(
            name=name,
            kind="workspace",
            hint=f"{prefix}_…{last4}",
            expires_at=_unix(expires_at),
        )
    return found


def _unix(moment: datetime | None) -> float | None:
    return moment.timestamp() if moment else None
