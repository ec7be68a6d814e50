"""The headers by which a caller names the trace that its request belongs to.

https://www.w3.org/TR/trace-context/
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

# Version 00, and later ones as far as they begin like it.
_PARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?"
)
_STATE = re.compile(r"[ -~]{1,512}")
_NO_TRACE, _NO_SPAN = "0" * 32, "0" * 16
_SAMPLED = 1


class Parent(NamedTuple):
    """The caller's trace and span, in hexadecimal, and whether it is written down."""

    trace_id: str
    span_id: str
    is_sampled: bool
    state: str

    def headers(self) -> dict[str, str]:
        """Return the headers that pass it on as it came."""
        flags = "01" if self.is_sampled else "00"
        return headers(self.trace_id, self.span_id, flags, self.state)


def parent(header_lists: Mapping[str, list[str]]) -> Parent | None:
    """Return what the request's headers name; None where they name nothing sound."""
    given = header_lists.get("traceparent", ())
    if len(given) != 1 or not (found := _PARENT.fullmatch(given[0].strip())):
        return None
    trace_id, span_id, flags, rest = found.groups()
    is_first = given[0].strip().startswith("00")
    if trace_id == _NO_TRACE or span_id == _NO_SPAN or (is_first and rest):
        return None
    state = ",".join(header_lists.get("tracestate", ()))
    return Parent(
        trace_id,
        span_id,
        bool(int(flags, 16) & _SAMPLED),
        state if _STATE.fullmatch(state) else "",
    )


def headers(trace_id: str, span_id: str, flags: str, state: str) -> dict[str, str]:
    """Return the headers that name a span to whoever is called from it."""
    told = {"traceparent": f"00-{trace_id}-{span_id}-{flags}"}
    return {**told, "tracestate": state} if state else told
