"""What the tests of the console's pages share."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from gateway.models import UsageRecord


@pytest.fixture
def record(db: None) -> Callable[..., UsageRecord]:
    """Makes a row of the ledger: `record(minutes_ago=5, status=502, ...)`."""
    made = 0

    def make(minutes_ago: float = 1, **fields: Any) -> UsageRecord:
        nonlocal made
        made += 1
        defaults = {
            "call_id": f"{made:032x}",
            "request_id": f"req_{made}",
            "started_at": timezone.now() - timedelta(minutes=minutes_ago),
            "caller": "support-bot",
            "caller_kind": "agent",
            "provider": "openai",
            "model": "gpt-4o-mini",
            "upstream_model": "gpt-4o-mini",
            "status": 200,
            "input_tokens": 10,
            "output_tokens": 5,
            "duration_ms": 1240,
        }
        row = {**defaults, **fields}
        ended_well = row.get("outcome", "ok") in ("ok", "client_closed")
        row.setdefault("failed", row["status"] >= 400 or not ended_well)
        return UsageRecord.objects.create(**row)

    return make
