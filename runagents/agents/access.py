"""Who may call the gateway, for its snapshot: every live key and what it reaches."""

from datetime import datetime

from gateway.worker.snapshot import Caller
from providers.models import WorkspaceKey
from runagents.agents.models import Agent, AgentKey, Wire

_KEY_COLUMNS = ("digest", "prefix", "last4", "expires_at", "paused_at", "models")


def callers() -> dict[str, Caller]:
    """Return key digest -> caller for all keys that are not revoked.

    Expired and paused ones are refused with their own words.
    """
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
        paused_at,
        models,
        agent_id,
        name,
        access,
    ) in AgentKey.objects.filter(revoked_at=None).values_list(
        *_KEY_COLUMNS, "agent_id", "agent__name", "agent__access"
    ):
        wired = access == Agent.Access.WIRED
        found[digest] = Caller(
            name=name,
            kind="agent",
            hint=f"{prefix}_…{last4}",
            wires=reach.get(agent_id, frozenset()) if wired else None,
            models=frozenset(models) if models else None,
            expires_at=_unix(expires_at),
            is_paused=paused_at is not None,
        )
    rows = WorkspaceKey.objects.filter(revoked_at=None)
    for (
        digest,
        prefix,
        last4,
        expires_at,
        paused_at,
        models,
        name,
    ) in rows.values_list(*_KEY_COLUMNS, "name"):
        found[digest] = Caller(
            name=name,
            kind="workspace",
            hint=f"{prefix}_…{last4}",
            models=frozenset(models) if models else None,
            expires_at=_unix(expires_at),
            is_paused=paused_at is not None,
        )
    return found


def _unix(moment: datetime | None) -> float | None:
    return moment.timestamp() if moment else None
