"""A line of the log for each call that is over, where somebody wants them.

A record of its own for each would cost 70 µs, a quarter of a short call: the lines are
made here, and some at once are one record, which the formatter only puts down.
"""

import asyncio
import json
import logging
import time
from typing import Any

from gateway.ledger.spool import Entry
from gateway.wire.jsontext import encode

COLUMNS = (
    "request_id",
    "caller",
    "door",
    "provider",
    "model",
    "stream",
    "status",
    "outcome",
    "error_code",
    "input_tokens",
    "output_tokens",
    "first_byte_ms",
    "duration_ms",
)
"""What a line tells, as the ledger does; what does not apply is left out."""

TIME_FORMAT = "%Y-%m-%dT%H:%M:%S%z"
WAIT_SECONDS = 0.1

logger = logging.getLogger("gateway.access")


class AccessLog:
    """Makes lines of calls that are over, and logs them a moment later."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._second = 0
        self._time = ""

    def note(self, entry: Entry) -> None:
        """Log a call that is over, unless nobody reads such lines."""
        if not logger.isEnabledFor(logging.INFO):
            return
        self._lines.append(self._line(entry))
        if len(self._lines) == 1:
            try:
                asyncio.get_running_loop().call_later(WAIT_SECONDS, self.flush)
            except RuntimeError:  # No loop: nobody would come back.
                self.flush()

    def flush(self) -> None:
        """Log what waits."""
        lines, self._lines = self._lines, []
        if lines:
            logger.info("Calls over: %d", len(lines), extra={"lines": lines})

    def _line(self, entry: Entry) -> str:
        fields = entry.fields
        asked = fields.get("model") or "A call"
        told: dict[str, Any] = {
            "time": self._now(),
            "level": "INFO",
            "logger": logger.name,
            "message": f"{asked}: {fields['outcome']}",
            "call_id": entry.call_id,
        }
        for name in COLUMNS:
            if (value := fields.get(name)) is not None and value != "":
                told[name] = value
        if entry.trace is not None:
            told["trace_id"] = entry.trace.id
        line = encode(told)
        # Some of what is not ASCII is a terminal's command.
        return line.decode() if line.isascii() else json.dumps(told)

    def _now(self) -> str:
        now = time.time()
        if int(now) != self._second:
            self._second = int(now)
            self._time = time.strftime(TIME_FORMAT, time.localtime(now))
        return self._time


access_log = AccessLog()
"""That of this worker."""
