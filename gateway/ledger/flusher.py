"""Carries spooled usage to the database, exactly once per call.

One process of the host does it at a time (gateway/worker/leader.py). It remembers how
far it has read each file; lines leave the spool only after the transaction that stored
them, and rows are keyed by the call's id, so that reading a line again changes
nothing. What this process has just written itself it need not read (ledger/fresh.py).
"""

import logging
import os
from collections.abc import Iterable, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

from gateway import locks
from gateway.ledger import rows
from gateway.ledger.bodies.stored import store_bodies
from gateway.ledger.fresh import Fresh
from gateway.ledger.lines import PLACES, Line, Reading, named, opened, value
from gateway.models import UsageRecord
from gateway.wire import jsontext
from gateway.wire.jsontext import JSON

BATCH = 500
BODIES = ("bodies", "answered", "frames", "received")
# Calls that cannot be stored, for whoever looks into why; no more than so much.
REFUSED = "refused.jsonl.bad"
REFUSED_BYTES = 16 * 1024 * 1024

_CALL_ID = PLACES["call_id"]
_USE = ("started_at", "key_hint", "caller_kind", "caller")
_use = itemgetter(*map(PLACES.__getitem__, _USE))

_UNREADABLE = (*jsontext.JSONError, ValueError)

logger = logging.getLogger(__name__)


class _Writer:
    """One process's files, as far as they have been read."""

    def __init__(self) -> None:
        self.files: dict[Path, Reading] = {}

    def reading(self, path: Path) -> Reading:
        """Return what has been read of a file."""
        if path not in self.files:
            self.files[path] = Reading(self.begin_of)
        return self.files[path]

    def begin_of(self, call_id: str) -> bytes | None:
        """Return the first line of a call that has not ended, whichever file has it."""
        found = (file.begun.get(call_id) for file in self.files.values())
        return next(filter(None, found), None)

    def close(self, ended: Iterable[str]) -> None:
        """Forget the begins of calls that are stored."""
        begun = [file.begun for file in self.files.values()]
        for call_id in ended:
            for begins in begun:
                if begins.pop(call_id, None):
                    break


class Flusher:
    """Reads the spool folder and stores what ended."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writers: dict[str, _Writer] = {}
        self.costs: rows.Costs = {}
        self._fresh: dict[Path, Fresh] = {}
        # For the upkeep, which empties them: hours since 1970 that rows were stored
        # for, and when each key was used last.
        self.touched_hours: set[int] = set()
        self.used_keys: dict[tuple[str, str, str], float] = {}

    def flush(self, fresh: Sequence[Fresh] = ()) -> int:
        """Store every call that ended since last time; returns how many (blocking).

        `fresh` is what this process itself has appended lately. Raises django.db.Error
        when the database is away; nothing is lost then.
        """
        stored = 0
        self._fresh = {each.path: each for each in fresh}
        files: dict[str, list[Path]] = {}
        for path in sorted(self._folder.glob("*.jsonl")):
            files.setdefault(path.name.rpartition("-")[0], []).append(path)
        for name in self._writers.keys() - files.keys():
            del self._writers[name]
        for name, paths in files.items():
            # Asked before reading: what a dead writer wrote is all there by then.
            alive = [path for path in paths if locks.is_held(path)]
            stored += self._flush_writer(name, paths, alive)
        return stored

    def _flush_writer(self, name: str, paths: list[Path], alive: list[Path]) -> int:
        writer = self._writers.setdefault(name, _Writer())
        stored = 0
        for path in paths:
            stored += self._flush_file(writer, path)
            if path not in alive:
                # It may have been left since what stands in it was handed over.
                stored += self._read_on(writer, path, None)
        if not alive:
            lost = _interrupted(writer)
            self._keep(lost)
            stored += len(lost)
            del self._writers[name]
        for path in paths:
            if path not in alive and not (alive and writer.files[path].begun):
                path.unlink(missing_ok=True)
                del writer.files[path]
        return stored

    def _flush_file(self, writer: _Writer, path: Path) -> int:
        file, fresh = writer.reading(path), self._fresh.get(path)
        if fresh is None:
            return self._read_on(writer, path, None)
        stored = self._read_on(writer, path, fresh.start)
        if file.offset != fresh.start:
            return stored + self._read_on(writer, path, fresh.end)
        if fresh.rows:
            # All or none: where the database fails, all of them are read again.
            self._keep([*fresh.rows])
        file.begun.update(fresh.begun)
        writer.close(fresh.late)
        file.offset = fresh.end
        return stored + len(fresh.rows)

    def _read_on(self, writer: _Writer, path: Path, until: int | None) -> int:
        """Store what a file holds up to an offset, or all of it; returns how many."""
        file, stored = writer.reading(path), 0
        while until is None or file.offset < until:
            ended, offset = _read(file, path, until)
            self._keep(ended)
            stored += len(ended)
            writer.close(map(_call_id_of, ended))
            if offset == file.offset:
                break
            file.offset = offset
        return stored

    def _keep(self, ended: list[Line]) -> None:
        """Store calls and note what the upkeep wants to know of them."""
        refused = rows.store(ended, self.costs)
        if refused:
            self._set_aside(refused)
            ended = [line for line in ended if line not in refused]
        store_bodies([line for line in ended if isinstance(line, dict)])
        if ended:
            uses = [_use(e) if isinstance(e, list) else _use_told(e) for e in ended]
            self._note_use(*zip(*uses, strict=True))

    def _note_use(
        self,
        times: Sequence[float],
        hints: Sequence[Any],
        kinds: Sequence[Any],
        callers: Sequence[Any],
    ) -> None:
        """Note the hours that calls began in, and when each key was used last."""
        hours = {int(min(times) // 3600), int(max(times) // 3600)}
        if len(hours) > 1:
            hours = {int(each // 3600) for each in times}
        self.touched_hours |= hours
        latest: dict[tuple[str, str, str], float] = {}
        # What is no text is no key's.
        texts = (hint if type(hint) is str else "" for hint in hints)
        keys = zip(map(str, kinds), map(str, callers), texts, strict=True)
        for key, started_at in zip(keys, times, strict=True):
            if started_at > latest.get(key, 0.0):
                latest[key] = started_at
        used = self.used_keys
        for key, started_at in latest.items():
            if key[-1] and started_at > used.get(key, 0.0):
                used[key] = started_at

    def _set_aside(self, refused: list[Line]) -> None:
        """Keep what cannot be stored, without the bodies, in a file of its own."""
        logger.error(
            "%d calls cannot be stored in the usage table; they are in %s.",
            len(refused),
            REFUSED,
        )
        try:
            file = os.open(
                self._folder / REFUSED, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600
            )
            with os.fdopen(file, "ab") as kept:
                for line in refused:
                    told = {k: v for k, v in named(line).items() if k not in BODIES}
                    if kept.tell() < REFUSED_BYTES:
                        kept.write(jsontext.encode(told) + b"\n")
        except OSError as error:
            logger.error("They cannot be written there: %s.", error.strerror)


def _use_told(line: JSON) -> tuple[Any, ...]:
    """Return what the upkeep wants to know of a call that is told by names."""
    return tuple(value(line, name) for name in _USE)


def _call_id_of(line: Line) -> str:
    call_id: str = line[_CALL_ID] if isinstance(line, list) else line["call_id"]
    return call_id


def _read(file: Reading, path: Path, until: int | None) -> tuple[list[Line], int]:
    """Return up to BATCH calls that ended, and the offset behind them.

    Lines that begin at `until` or behind it are left for later.
    """
    ended: list[Line] = []
    offset = file.offset
    with path.open("rb") as opened_file:
        opened_file.seek(offset)
        for raw in opened_file:
            if offset == until or not raw.endswith(b"\n"):
                break
            offset += len(raw)
            try:
                line = file.read(raw)
            except _UNREADABLE:
                logger.error("A line of the usage spool is unreadable and left out.")
                continue
            if line is not None:
                ended.append(line)
                if len(ended) >= BATCH:
                    break
    return ended, offset


def _interrupted(writer: _Writer) -> list[Line]:
    """Return the calls that a process left open when it died."""
    lost: list[Line] = []
    for file in writer.files.values():
        for begin in file.begun.values():
            try:
                lost.append(
                    opened(begin) | {"outcome": UsageRecord.Outcome.INTERRUPTED}
                )
            except _UNREADABLE:
                logger.error("A line of the usage spool is unreadable and left out.")
    return lost
