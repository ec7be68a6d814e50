"""Calls that this gateway refused itself: kept, but never without bound.

A refusal of somebody known is a row like every call. Nobody known (no key, a wrong one,
a path that does not exist) may come as often as the network allows: of those the first
of a kind is a row at once, so that who tries sees it, and what follows within the
minute is one more row that says how many they were.
"""

import time

from gateway.errors import GatewayError
from gateway.ledger.spool import Entry

SECONDS = 60.0
MAX_KINDS = 100
"""Kinds of refusals counted apart at once; more share the last row's minute."""


class Refusals:
    """The refused calls of one worker."""

    def __init__(self) -> None:
        self._counted: dict[tuple[int, str], _Count] = {}

    def note(self, entry: Entry, error: GatewayError) -> None:
        """Record a refused call; `entry` tells what is known of it.

        Ignored where it has begun: it reached a provider, and has its row.
        """
        if entry.fields.get("caller"):
            entry.refused(error)
            return
        kind = (error.status, error.code or error.type)
        count = self._counted.get(kind)
        if count is not None:
            count.add(entry, error)
        elif len(self._counted) < MAX_KINDS:
            self._counted[kind] = _Count()
            entry.refused(error)

    def settle(self, *, at_once: bool = False) -> None:
        """Write the rows of the minutes that are over, or of all."""
        for kind, count in list(self._counted.items()):
            if at_once or count.is_over():
                del self._counted[kind]
                count.write()


class _Count:
    """How many calls of a kind followed its first within the minute."""

    def __init__(self) -> None:
        self._ends = time.monotonic() + SECONDS
        self._calls = 0
        self._last: tuple[Entry, GatewayError] | None = None

    def add(self, entry: Entry, error: GatewayError) -> None:
        self._calls += 1
        entry.fields["duration_ms"] = entry.elapsed_ms()
        self._last = entry, error

    def is_over(self) -> bool:
        return time.monotonic() >= self._ends

    def write(self) -> None:
        if self._last is not None:
            entry, error = self._last
            entry.fields["calls"] = self._calls
            entry.refused(error)
