"""When each key was used last, as the gateway's ledger tells."""

from collections.abc import Mapping
from datetime import UTC, datetime

from django.db.models import Q

from providers.models import WorkspaceKey
from runagents.agents.models import AgentKey


def mark_used(used: Mapping[tuple[str, str, str], float]) -> None:
    """Store the time of the last call of keys: (kind, caller, hint) -> Unix time."""
    for (kind, name, hint), moment in used.items():
        prefix, _, last4 = hint.partition("_…")
        at = datetime.fromtimestamp(moment, UTC)
        older = Q(last_used_at=None) | Q(last_used_at__lt=at)
        match kind:
            case "agent":
                agent_keys = AgentKey.objects.filter(agent__name=name)
                agent_keys.filter(older, prefix=prefix, last4=last4).update(
                    last_used_at=at
                )
            case "workspace":
                keys = WorkspaceKey.objects.filter(name=name)
                keys.filter(older, prefix=prefix, last4=last4).update(last_used_at=at)
