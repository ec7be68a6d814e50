"""Log lines: one JSON object each, control characters escaped by JSON itself."""

import json
import logging
import re
from typing import Any

from django.core.exceptions import PermissionDenied
from gunicorn.glogging import Logger

from gateway.tracing import current
from gateway.tracing.access import TIME_FORMAT

# The address of an invitation is its password; Django logs the paths that it refuses.
_INVITATION = re.compile(r"(/join/)[\w-]+")


class JSONFormatter(logging.Formatter):
    """Formats a record as one line of JSON with time, level, logger and message."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; a traceback goes into the key ``traceback``.

        What somebody may not do is no fault of the program, and has none.

        `lines` of a record are some that are made already, and stand for it.
        """
        if lines := getattr(record, "lines", None):
            return "\n".join(lines)
        line = {
            "time": self.formatTime(record, TIME_FORMAT),
            "level": record.levelname,
            "logger": record.name,
            "message": _INVITATION.sub(r"\1•••", record.getMessage()),
            **current.told(),
        }
        if record.exc_info and not isinstance(record.exc_info[1], PermissionDenied):
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=True)


class ServerLogger(Logger):  # type: ignore[misc]
    """gunicorn's own lines in the same form; every request is in the ledger already."""

    access_log_enabled = False

    def setup(self, cfg: Any) -> None:
        """Set gunicorn's logging up and replace the form of its lines."""
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(JSONFormatter())
