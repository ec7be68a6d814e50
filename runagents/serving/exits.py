"""Signals to end, which no worker may miss while it is being made.

A worker begins with the main process's handlers. They would note a signal for nobody,
and the worker would go on until it is killed, `graceful_timeout` later. So signals wait
from before the fork until the worker has handlers of its own.
"""

import os
import signal

EXITS = {signal.SIGTERM, signal.SIGINT, signal.SIGQUIT}


def hold() -> None:
    """Let signals to end wait, in this process and in what it forks."""
    signal.pthread_sigmask(signal.SIG_BLOCK, EXITS)


def take() -> None:
    """Take signals to end, those that wait at once."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, EXITS)


# gunicorn has no hook for behind the fork in the main process.
os.register_at_fork(after_in_parent=take)
