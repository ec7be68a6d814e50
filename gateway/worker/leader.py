"""One process of the host does the chores: storing usage, checking providers.

The processes contend for a lock file; the system gives it to another when its holder
dies.
"""

import fcntl
import os
from pathlib import Path


class Leadership:
    """The right to do the host's chores, held by one process at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = -1

    @property
    def is_held(self) -> bool:
        """Whether this process is the leader."""
        return self._file >= 0

    def acquire(self) -> bool:
        """Return whether this process is the leader, becoming it when nobody is."""
        if self._file >= 0:
            return True
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return False
        self._file = file
        return True

    def release(self) -> None:
        """Let another process take over."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
