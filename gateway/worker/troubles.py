"""What a worker is in trouble with, told to all workers of the host.

The console is served by whichever worker a browser reaches, so each worker keeps what
it lacks in a small file of its own. The file has its size from the start and is written
in place: that works on a full disk, too. Its lock tells that its worker is alive.
"""

import fcntl
import json
import logging
import os
from pathlib import Path

USAGE, LIMITS, REGISTRY = "usage", "limits", "registry"
"""Usage is not recorded; Redis does not count; the database is not read."""

SIZE = 1024
LONGEST_WORD = 40

logger = logging.getLogger(__name__)


class Board:
    """One worker's troubles, by kind, with a word on each."""

    def __init__(self, folder: Path) -> None:
        self.own: dict[str, str] = {}
        self._folder = folder
        self._file = -1

    def open(self) -> None:
        """Take a place on the host's board; a worker goes on without one."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = self._folder / f"{os.getpid()}.json"
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            logger.warning("Troubles are not told to others: %s.", error.strerror)
        self._write()

    def close(self) -> None:
        """Leave the board."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
            (self._folder / f"{os.getpid()}.json").unlink(missing_ok=True)

    def show(self, troubles: dict[str, str]) -> None:
        """Tell what this worker is in trouble with now, and nothing else."""
        if troubles != self.own:
            self.own = troubles
            self._write()

    def seen(self) -> dict[str, str]:
        """Return the troubles of all living workers of the host."""
        found = dict(self.own)
        for path in self._folder.glob("*.json"):
            found |= _read(path)
        return found

    def _write(self) -> None:
        if self._file < 0:
            return
        try:
            os.pwrite(self._file, self._text(), 0)
        except OSError as error:
            logger.warning("Troubles are not told to others: %s.", error.strerror)

    def _text(self) -> bytes:
        """Return what is told, as long as ever: shorter words end where they must."""
        told = {kind: word[:LONGEST_WORD] for kind, word in self.own.items()}
        return json.dumps(told).encode().ljust(SIZE)


def _read(path: Path) -> dict[str, str]:
    """Return what a worker told; that of a dead one is thrown away."""
    try:
        with path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                told = json.loads(file.read(SIZE))
                return told if isinstance(told, dict) else {}
            path.unlink()
    except (OSError, ValueError):
        # Gone meanwhile, or written this moment: the next page tells.
        pass
    return {}
