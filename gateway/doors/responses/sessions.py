"""What the headers of a request tell of its conversation, for the ledger.

Codex numbers its sessions, and the threads of agents within them. None of it goes to a
provider: it names installations and repositories.
"""

import re
from collections.abc import Mapping
from typing import Any

from gateway.doors.protocol import Sent
from gateway.hub.protocol import NOTHING
from gateway.wire import jsontext

_is_label = re.compile(r"[ -~]{1,128}").fullmatch
_is_class = re.compile(r"[ -~]{1,64}").fullmatch

_METADATA = "x-codex-turn-metadata"
_TELLING = frozenset({"thread-id", "originator", "session-id", _METADATA})

LONGEST_METADATA = 64 * 1024


def about(sent: Sent) -> Mapping[str, str]:
    """Return the session, its thread, the client and the class of the request."""
    if _TELLING.isdisjoint(sent.headers):
        return NOTHING
    thread = sent.header("thread-id")
    told = {
        "client": sent.header("originator"),
        "session_id": sent.header("session-id"),
        "agent_id": thread,
        "run_id": thread,
    }
    columns = {name: value for name, value in told.items() if _is_label(value)}
    if not _is_class(columns.get("client", "")):
        columns.pop("client", None)
    kind = _request_kind(sent.header(_METADATA))
    if _is_class(kind):
        columns["request_class"] = kind
    return columns


def _request_kind(metadata: str) -> str:
    if not metadata or len(metadata) > LONGEST_METADATA:
        return ""
    try:
        told: Any = jsontext.decode(metadata)
    except jsontext.JSONError:
        return ""
    kind = told.get("request_kind") if isinstance(told, dict) else None
    return kind if isinstance(kind, str) else ""
