"""Whether a server runs on this data folder: it holds a lock as long as it lives.

The lock belongs to an open file, which gunicorn's workers have from their main process:
it is held until the last of them is gone.
"""

import fcntl
import os

from django.conf import settings


def hold() -> None:
    """Tell that a server runs here, until this process and its children end."""
    file = _opened()
    fcntl.flock(file, fcntl.LOCK_SH)
    # The main process keeps it when it becomes another program.
    os.set_inheritable(file, True)


def is_running() -> bool:
    """Tell whether a server runs on this data folder, on this host."""
    file = _opened()
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False


def _opened() -> int:
    return os.open(settings.DATA_DIR / "server.lock", os.O_RDWR | os.O_CREAT, 0o600)
