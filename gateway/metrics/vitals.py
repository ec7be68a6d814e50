"""How a worker and its host are: what is open, held, late, closed."""

import os
import resource
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings

from gateway.worker.call_settings import call_settings
from gateway.worker.capacity import capacity
from gateway.worker.draining import draining
from gateway.worker.gates import gates
from gateway.worker.registry import registry
from gateway.worker.runtime import runtime
from providers.auth import keyed

PAGE = os.sysconf("SC_PAGE_SIZE")


def of_worker() -> dict[str, Any]:
    """Return what this worker tells of itself, as JSON."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "pid": os.getpid(),
        "calls_open": capacity.calls_open,
        "bytes_held": capacity.bytes_held,
        "registry_age_seconds": registry.age_seconds,
        "is_leader": runtime.is_leader,
        "is_draining": draining.has_begun,
        "usage_lines_dropped": runtime.spool.dropped,
        "stored_ago_seconds": runtime.stored_ago_seconds,
        "closed_gates": sorted(_closed_gates()),
        "proposals": runtime.proposals,
        "resting_keys": keyed.resting(),
        "cpu_seconds": used.ru_utime + used.ru_stime,
        "resident_bytes": _resident_bytes(),
        "descriptors": len(os.listdir("/proc/self/fd")),
    }


def spool_bytes() -> int:
    """Return how many bytes of usage lines this host holds, stored or not yet."""
    sizes = 0
    for path in (settings.DATA_DIR / "spool").glob("*.jsonl"):
        with suppress(FileNotFoundError):
            sizes += path.stat().st_size
    return sizes


def statuses() -> dict[str, str]:
    """Return each provider's status by its name, as the registry has it."""
    return {
        target.provider.name: target.provider.row.status
        for target in registry.snapshot.pinned.values()
    }


def _closed_gates() -> set[str]:
    """Return the names of providers that this worker leaves alone for now."""
    limit = call_settings.UNAVAILABLE_AFTER
    closed = {
        key[:36] for key, failures in gates.failing.items() if failures >= limit > 0
    }
    if not closed:
        return set()
    return {
        target.provider.name
        for target in registry.snapshot.pinned.values()
        if target.provider.uid in closed
    }


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE
