"""Carries spooled usage to the database, exactly once per call.

One process of the host does it at a time (gateway/worker/leader.py). It remembers how
far it has read each file; lines leave the spool only after the transaction that stored
them, and rows are keyed by the call's id, so that reading a line again changes
nothing.
"""

import fcntl
import logging
import os
from dataclasses import dataclass, field
from pathlib import Path

from gateway.ledger import rows
from gateway.models import UsageRecord
from gateway.wire import jsontext
from gateway.wire.jsontext import JSON

BATCH = 500
BODIES = ("bodies", "answered", "frames", "received")
# Calls that cannot be stored, for whoever looks into why; no more than so much.
REFUSED = "refused.jsonl.bad"
REFUSED_BYTES = 16 * 1024 * 1024

logger = logging.getLogger(__name__)


@dataclass
class _Writer:
    """One process's files, as far as they have been read."""

    offsets: dict[Path, int] = field(default_factory=dict)
    open_calls: dict[str, JSON] = field(default_factory=dict)
    opened_in: dict[str, Path] = field(default_factory=dict)


class Flusher:
    """Reads the spool folder and stores what ended."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writers: dict[str, _Writer] = {}
        # For the upkeep, which empties them: hours since 1970 that rows were stored
        # for, and when each key was used last.
        self.touched_hours: set[int] = set()
        self.used_keys: dict[tuple[str, str, str], float] = {}

    def flush(self) -> int:
        """Store every call that ended since last time; returns how many (blocking).

        Raises django.db.Error when the database is away; nothing is lost then.
        """
        stored = 0
        files: dict[str, list[Path]] = {}
        for path in sorted(self._folder.glob("*.jsonl")):
            files.setdefault(path.name.rpartition("-")[0], []).append(path)
        for name in self._writers.keys() - files.keys():
            del self._writers[name]
        for name, paths in files.items():
            # Asked before reading: what a dead writer wrote is all there by then.
            alive = [path for path in paths if _is_locked(path)]
            stored += self._flush_writer(name, paths, alive)
        return stored

    def _flush_writer(self, name: str, paths: list[Path], alive: list[Path]) -> int:
        writer = self._writers.setdefault(name, _Writer())
        stored = 0
        for path in paths:
            while True:
                ended, offset = self._read(writer, path)
                self._keep(ended)
                stored += len(ended)
                done = offset == writer.offsets.get(path, 0)
                writer.offsets[path] = offset
                for line in ended:
                    writer.open_calls.pop(line["call_id"], None)
                    writer.opened_in.pop(line["call_id"], None)
                if done:
                    break
        if not alive:
            lost = [
                {**begin, "outcome": UsageRecord.Outcome.INTERRUPTED}
                for begin in writer.open_calls.values()
            ]
            self._keep(lost)
            stored += len(lost)
        needed = set(writer.opened_in.values()) if alive else set()
        for path in paths:
            if path not in alive and path not in needed:
                path.unlink(missing_ok=True)
                writer.offsets.pop(path, None)
        if not alive:
            del self._writers[name]
        return stored

    def _keep(self, lines: list[JSON]) -> None:
        """Store calls and note what the upkeep wants to know of them."""
        refused = rows.store(lines)
        if refused:
            self._set_aside(refused)
            lines = [line for line in lines if line not in refused]
        rows.store_bodies(lines)
        for line in lines:
            started_at = line.get("started_at", 0.0)
            self.touched_hours.add(int(started_at // 3600))
            if isinstance(hint := line.get("key_hint"), str) and hint:
                key = (line.get("caller_kind", ""), line.get("caller", ""), hint)
                self.used_keys[key] = max(started_at, self.used_keys.get(key, 0.0))

    def _set_aside(self, lines: list[JSON]) -> None:
        """Keep what cannot be stored, without the bodies, in a file of its own."""
        logger.error(
            "%d calls cannot be stored in the usage table; they are in %s.",
            len(lines),
            REFUSED,
        )
        try:
            file = os.open(
                self._folder / REFUSED, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600
            )
            with os.fdopen(file, "ab") as kept:
                for line in lines:
                    told = {name: line[name] for name in line if name not in BODIES}
                    if kept.tell() < REFUSED_BYTES:
                        kept.write(jsontext.encode(told) + b"\n")
        except OSError as error:
            logger.error("They cannot be written there: %s.", error.strerror)

    def _read(self, writer: _Writer, path: Path) -> tuple[list[JSON], int]:
        """Return up to BATCH calls that ended, and the offset behind them."""
        ended: list[JSON] = []
        offset = writer.offsets.get(path, 0)
        with path.open("rb") as file:
            file.seek(offset)
            for raw in file:
                if not raw.endswith(b"\n"):
                    break
                offset += len(raw)
                line = _decoded(raw)
                if call_id := line.pop("begin", None):
                    writer.open_calls[call_id] = {**line, "call_id": call_id}
                    writer.opened_in[call_id] = path
                elif call_id := line.pop("end", None):
                    begin = writer.open_calls.get(call_id, {"call_id": call_id})
                    ended.append({**begin, **line})
                if len(ended) >= BATCH:
                    break
        return ended, offset


def _decoded(raw: bytes) -> JSON:
    try:
        line = jsontext.decode(raw)
    except jsontext.JSONError:
        logger.error("A line of the usage spool is unreadable and was left out.")
        return {}
    return line if isinstance(line, dict) else {}


def _is_locked(path: Path) -> bool:
    """Tell whether a living process appends to `path`."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False
