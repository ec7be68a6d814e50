"""Where a host's workers put their counts, for whichever is asked to tell them all.

Each worker replaces a file of its own once a second and holds a lock beside it while it
lives. What a worker counted outlives it: a counter must not fall. The files of the dead
are summed up in one, which names them, so that a crash between its two steps counts
nobody twice.
"""

import fcntl
import json
import logging
import os
from pathlib import Path
from typing import Any

from gateway import locks
from gateway.identifiers import token
from gateway.metrics.counts import Counts

GONE = "gone.json"

logger = logging.getLogger(__name__)


class Shelf:
    """The files of a host; `put` is this worker's, `read` is everybody's."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._name = ""
        self._lock = -1

    def open(self) -> None:
        """Take a place in this process; a worker goes on without one."""
        self._name = f"{os.getpid()}-{token(8)}"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = self._folder / f"{self._name}.lock"
            self._lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            logger.warning("Metrics are not told to others: %s.", error.strerror)

    def close(self) -> None:
        """Leave; what was put stays, as that of a worker that is gone."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def put(self, told: dict[str, Any]) -> None:
        """Replace what this worker tells; nothing happens where the disk is full."""
        draft = self._folder / f".{self._name}"
        try:
            draft.write_text(json.dumps(told))
            draft.replace(self._folder / f"{self._name}.json")
        except OSError as error:
            logger.warning("Metrics are not told to others: %s.", error.strerror)

    def read(self) -> tuple[Counts, list[dict[str, Any]]]:
        """Return the sum of all counts, and what the living workers tell besides."""
        gone = _parsed(self._folder / GONE)
        while True:
            told = self._read(gone)
            # Whom somebody summed up meanwhile may be in neither.
            before, gone = gone, _parsed(self._folder / GONE)
            if gone == before:
                return told

    def _read(self, gone: dict[str, Any]) -> tuple[Counts, list[dict[str, Any]]]:
        counts, living = Counts(), []
        counts.merge(gone)
        for path in self._workers(gone):
            told = _parsed(path)
            counts.merge(told)
            if locks.is_held(path.with_suffix(".lock")):
                living.append(told.get("worker", {}))
        return counts, living

    def sweep(self) -> None:
        """Sum up what the dead have left; one process of a host does it at a time."""
        gone = _parsed(self._folder / GONE)
        for name in gone.get("names", ()):
            self._forget(name)
        dead = [
            path
            for path in self._workers(gone)
            if not locks.is_held(path.with_suffix(".lock"))
        ]
        if not dead:
            return
        counts = Counts()
        for each in (gone, *map(_parsed, dead)):
            counts.merge(each)
        names = [path.stem for path in dead]
        draft = self._folder / f".{GONE}"
        draft.write_text(json.dumps({**counts.dump(), "names": names}))
        draft.replace(self._folder / GONE)
        for name in names:
            self._forget(name)

    def _workers(self, gone: dict[str, Any]) -> list[Path]:
        """Return the files of workers that are not summed up yet."""
        counted = {*gone.get("names", ()), Path(GONE).stem}
        return [p for p in self._folder.glob("*.json") if p.stem not in counted]

    def _forget(self, name: str) -> None:
        (self._folder / f"{name}.json").unlink(missing_ok=True)
        (self._folder / f"{name}.lock").unlink(missing_ok=True)


def _parsed(path: Path) -> dict[str, Any]:
    try:
        told = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}
