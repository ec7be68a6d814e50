"""Locks on files, which tell the living from the dead: the system lets go of a lock
when its holder ends, however it does."""

import fcntl
from pathlib import Path


def is_held(path: Path) -> bool:
    """Tell whether a living process holds the lock of the file; raises OSError."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False
