"""A line of the log for each call that is over, where somebody wants them."""

import logging

from gateway.ledger.spool import Entry

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

logger = logging.getLogger("gateway.access")


def note(entry: Entry) -> None:
    """Log a call that is over, unless nobody reads such lines."""
    if not logger.isEnabledFor(logging.INFO):
        return
    fields = entry.fields
    told = {
        name: fields[name] for name in COLUMNS if fields.get(name) not in (None, "")
    }
    told["call_id"] = entry.call_id
    if entry.trace is not None:
        told["trace_id"] = entry.trace.id
    asked = fields.get("model") or "A call"
    logger.info("%s: %s", asked, fields["outcome"], extra={"told": told})
