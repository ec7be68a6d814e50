"""Which request a task is at, for the lines that it logs."""

from contextvars import ContextVar

import msgspec


class Current(msgspec.Struct):
    """A request's id, its call's, and the trace that it belongs to, once known."""

    request_id: str
    call_id: str = ""
    trace_id: str = ""


_current: ContextVar[Current | None] = ContextVar("request", default=None)


def begin(request_id: str) -> None:
    """Have this task be at a request from here on."""
    _current.set(Current(request_id))


def join(call_id: str, trace_id: str) -> None:
    """Add what has become known of the request that this task is at."""
    current = _current.get()
    if current is not None:
        current.call_id, current.trace_id = call_id, trace_id


def told() -> dict[str, str]:
    """Return the ids by name, for a line of the log; none outside of a request."""
    current = _current.get()
    if current is None:
        return {}
    ids = {
        "request_id": current.request_id,
        "call_id": current.call_id,
        "trace_id": current.trace_id,
    }
    return {name: id for name, id in ids.items() if id}
