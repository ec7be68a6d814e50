"""What a process has just appended to its spool, for the flusher of the same process.

That one need not read again what was a row a moment ago, which is half of what the
lines of a call cost. The file stays the truth: what stands here is used only where it
is all that a part of the file holds. It is let go at once where anything else is
written there, or dropped, or where too much comes together, and it is gone when the
database was away: then the file is read.
"""

from pathlib import Path

from gateway.ledger.lines import Row

MANY = 500
"""Rows that are worth a flush of their own."""
MOST = 4 * MANY
"""Rows that are kept, 2 MB."""


class Fresh:
    """The lines of a file from `start` to `end`, in bytes.

    `begun` are those of calls that have not ended; `late` are calls that ended and
    began before `start`.
    """

    __slots__ = ("begun", "end", "late", "path", "rows", "start")

    def __init__(self, path: Path, start: int) -> None:
        self.path = path
        self.start = self.end = start
        self.rows: list[Row] = []
        self.begun: dict[str, bytes] = {}
        self.late: list[str] = []

    def close(self, call_id: str, row: Row) -> int:
        """Note the row of a call that ended; return how many there are."""
        if self.begun.pop(call_id, None) is None:
            self.late.append(call_id)
        self.rows.append(row)
        return len(self.rows)
