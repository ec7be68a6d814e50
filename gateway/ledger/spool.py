"""The usage ledger's near end: what a request costs to record, and nothing more.

A call writes two lines to this process's spool file, one before anything is sent
upstream and one when it ended. Plain appends survive a killed process. The flusher
(gateway/ledger/flusher.py) carries them to the database.

File names: ``<writer>-<sequence>.jsonl``. The writer holds a lock on the file it
appends to, which is how the flusher knows that a writer is alive.
"""

import errno
import fcntl
import logging
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gateway.errors import GatewayError
from gateway.identifiers import ordered_token, token
from gateway.ledger import lines
from gateway.ledger.fresh import MANY, MOST, Fresh
from gateway.ledger.lines import Row
from gateway.wire import jsontext
from gateway.wire.jsontext import JSON
from providers.attempts import Allowance

SEGMENT_BYTES = 4 * 1024 * 1024

logger = logging.getLogger(__name__)


class Entry:
    """One call's line in the ledger, filled in while the call goes on.

    `began` and `ended` write the two lines; each writes once, and the second tells all
    (gateway/ledger/lines.py). A call that is refused before it begins has the one of
    `refused`. Fields are named as the columns of UsageRecord. `received` is when the
    request was there in full, on the monotonic clock: all times of the call count from
    it. `trace` is the trace that the call belongs to (gateway/tracing), `row` what was
    written once it has ended, None where that was no row.
    """

    __slots__ = (
        "_has_told",
        "_received",
        "_state",
        "call_id",
        "fields",
        "row",
        "spool",
        "trace",
    )

    def __init__(
        self, spool: "Spool", received: float | None = None, **fields: Any
    ) -> None:
        self.spool = spool
        self.call_id = ordered_token(24)
        self.fields: JSON = fields
        self._received = time.monotonic() if received is None else received
        self._state = "new"
        self._has_told = False
        self.trace: Any = None
        self.row: Row | None = None

    @property
    def has_begun(self) -> bool:
        """Whether there will be a row of this call."""
        return self._state != "new"

    def elapsed_ms(self) -> int:
        """Return the milliseconds since the request arrived."""
        return int((time.monotonic() - self._received) * 1000)

    def began(self) -> None:
        """Record that a request is about to go upstream."""
        if self._state == "new":
            self._state = "begun"
            self.fields["started_at"] = self._started_at()
            self.spool.begin(self.call_id, self.fields)
            if "bodies" in self.fields:
                # Not held, nor written twice: the second line does without them.
                self._has_told = True
                self.fields = {**self.fields}
                del self.fields["bodies"]

    def ended(self, outcome: str, **fields: Any) -> None:
        """Record how the call ended; ignored when it never began."""
        if self._state == "begun":
            self._state = "ended"
            self._end(outcome, fields)

    def refused(self, error: GatewayError) -> None:
        """Record that nothing was sent because of `error`; ignored once it began."""
        if self._state != "new":
            return
        self._state = "ended"
        told = {
            "status": error.status,
            "error_code": error.code or error.type,
            "error_message": error.message,
        }
        self.fields["started_at"] = self._started_at()
        self._end("refused", told)

    def _end(self, outcome: str, fields: JSON) -> None:
        told = self.fields
        told.update(fields)
        # A member of an enumeration would have its row mended: 25 µs.
        told["outcome"] = str(outcome)
        # One that stands for several (ledger/refusals.py) took its time before.
        if "duration_ms" not in told:
            told["duration_ms"] = self.elapsed_ms()
        self.row = self.spool.end(self.call_id, told, is_rest=self._has_told)
        for watch in self.spool.watchers:
            watch(self)

    def _started_at(self) -> float:
        return time.time() - (time.monotonic() - self._received)


class Spool:
    """The append-only files of one process.

    `watchers` are told of each call that is over. `call_flusher` is called when many
    rows wait for whoever takes them (`take`).
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.watchers: list[Callable[[Entry], None]] = []
        self.call_flusher: Callable[[], None] = _nobody
        self.dropped = 0
        self.trouble = ""
        """Why lines are dropped at the moment; empty while they are written."""
        self._writer = ""
        self._sequence = 0
        self._size = 0
        self._file = -1
        self._path = folder
        self._cut = False
        self._most = -1
        """Bytes of the file up to which a line is put there without asking more."""
        self._fresh: Fresh | None = None
        self._full: Fresh | None = None
        self._complaints = Allowance(1)

    def begin(self, call_id: str, fields: JSON) -> None:
        """Append the line of a call that is about to go upstream.

        A full disk costs lines, never a request.
        """
        text = lines.begin(call_id, fields)
        if self._put(text) and self._fresh is not None:
            self._fresh.begun[call_id] = text

    def end(self, call_id: str, fields: JSON, *, is_rest: bool) -> Row | None:
        """Append the line of a call that ended; return the row that it is, if one.

        `is_rest` where `fields` do not tell again what the line of its begin did.
        """
        row = None if is_rest else lines.row(call_id, fields)
        if row is None:
            self._put(lines.rest(call_id, fields))
            self._fresh = None
        elif self._put(lines.end(row)) and self._fresh is not None:
            count = self._fresh.close(call_id, row)
            if count == MANY:
                self.call_flusher()
            elif count > MOST:
                self._fresh = None
        return row

    def write(self, line: JSON) -> None:
        """Append one line."""
        self._put(jsontext.encode(line) + b"\n")
        self._fresh = None

    def take(self) -> list[Fresh]:
        """Return what was appended since the last time, and keep it from now on.

        For the thread that appends. Behind the last of it nothing is to be read until
        the next time, which goes on from there.
        """
        if self._file < 0:
            return []
        last = self._fresh or Fresh(self._path, self._size)
        last.end = self._size
        taken = [last] if self._full is None else [self._full, last]
        self._fresh, self._full = Fresh(self._path, self._size), None
        return taken

    def _put(self, text: bytes) -> bool:
        """Append the text of one line; tell whether all of it is there."""
        try:
            if self._size >= self._most:
                self._append(text)
                return True
            # What nearly every line takes.
            written = os.write(self._file, text)
            self._size += written
            if written < len(text):
                self._fall_short(written)
        except OSError as error:
            self._complain(error)
            self._fresh = None
            return False
        return True

    def recover(self) -> None:
        """Find out whether lines are written again; nothing to do while they are."""
        if not self.trouble:
            return
        try:
            # A line of no call.
            self._fresh = None
            self._append(b"{}\n")
        except OSError as error:
            self.trouble = _words(error)
        else:
            self.trouble = ""

    def close(self) -> None:
        """Let go of the current file; the flusher then sees this writer as gone."""
        if self._file >= 0:
            os.close(self._file)
            self._file = self._most = -1

    def _append(self, text: bytes) -> None:
        """Append `text`; the rest of a line cut short must not spoil the next one."""
        if self._file < 0 or self._size >= SEGMENT_BYTES:
            self._next_segment()
        if self._cut:
            text = b"\n" + text
        written = os.write(self._file, text)
        self._size += written
        if written < len(text):
            self._fall_short(written)
        self._cut, self._most = False, SEGMENT_BYTES

    def _fall_short(self, written: int) -> None:
        """Note that no more than so much of a line was written; raises OSError."""
        self._cut, self._most = written > 0 or self._cut, -1
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _next_segment(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._sequence += 1
        # Not before: what is made with the application is made once for all workers.
        self._writer = self._writer or f"{os.getpid()}.{token(8)}"
        path = self.folder / f"{self._writer}-{self._sequence:06}.jsonl"
        draft = path.with_suffix(".new")
        file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            # Locked and headed before it has its name: nobody sees it without.
            fcntl.flock(file, fcntl.LOCK_EX)
            if os.write(file, lines.HEAD) < len(lines.HEAD):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.rename(draft, path)
        except OSError:
            os.close(file)
            draft.unlink(missing_ok=True)
            raise
        if self._fresh is not None:
            self._fresh.end = self._size
            self._full, self._fresh = self._fresh, Fresh(path, len(lines.HEAD))
        old, self._file, self._path = self._file, file, path
        self._size, self._cut = len(lines.HEAD), False
        if old >= 0:
            os.close(old)

    def _complain(self, error: OSError) -> None:
        self.dropped += 1
        self.trouble = _words(error)
        if not self._complaints.add():
            logger.error(
                "Usage cannot be recorded (%s); %d lines dropped so far.",
                error.strerror,
                self.dropped,
            )


def _nobody() -> None:
    """Where nobody takes what was appended."""


def _words(error: OSError) -> str:
    return error.strerror or type(error).__name__
