"""Waits for one worker: what the main process is while nothing has to be done.

It stops as gunicorn would. For everything else it becomes `serve` again, which finds
the signal still waiting. Nothing but the interpreter is loaded: this file is run by its
path, and knows no other of the project.
"""

import os
import signal
import sys
import time
from typing import NoReturn

QUICK = {signal.SIGINT, signal.SIGQUIT}
STOPS = {signal.SIGTERM, *QUICK}
WAKING = {
    signal.SIGCHLD,
    signal.SIGHUP,
    signal.SIGTTIN,
    signal.SIGTTOU,
    signal.SIGUSR1,
    signal.SIGUSR2,
}
LOOK_SECONDS = 1.0
# What a worker gets that is to stop at once, while it stops already.
QUICK_SECONDS = 2.0


def main(kept: str, timeout: str, patience: str, folder: str, *command: str) -> None:
    """Wait until something is to be done, and do it."""
    worker, heartbeat, *listeners = map(int, kept.split(","))
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
    number = _wait(worker, heartbeat, float(timeout))
    if number in STOPS:
        for listener in listeners:
            os.close(listener)
        _stop(worker, float(patience), is_quick=number in QUICK)
        return
    _wake(number, folder, [*command, f"--kept={kept}"])


def _wait(worker: int, heartbeat: int, timeout: float) -> int:
    """Return the signal that came, 0 where the worker is silent for too long."""
    while True:
        number = _next(STOPS | WAKING, LOOK_SECONDS)
        if not number:
            if time.monotonic() - os.fstat(heartbeat).st_mtime > timeout:
                return 0
        elif number != signal.SIGCHLD or _is_ended(worker):
            return number


def _next(wanted: set[signal.Signals], seconds: float) -> int:
    """Return the next of some signals, 0 where none comes in so many seconds.

    Python's sigtimedwait makes one up where the process is stopped for longer than it
    waits, as all of a container are by `docker pause`.
    """
    signal.setitimer(signal.ITIMER_REAL, seconds)
    number = signal.sigwait({*wanted, signal.SIGALRM})
    signal.setitimer(signal.ITIMER_REAL, 0)
    # It may have gone off this moment; without a wait there is nothing to make up.
    signal.sigtimedwait({signal.SIGALRM}, 0)
    return 0 if number == signal.SIGALRM else number


def _is_ended(worker: int) -> bool:
    """Tell whether the worker has ended; how is left for gunicorn to ask.

    In a container its orphans are this process's as well.
    """
    options = os.WEXITED | os.WNOHANG | os.WNOWAIT
    while ended := os.waitid(os.P_ALL, 0, options):
        if ended.si_pid == worker:
            return True
        os.waitpid(ended.si_pid, 0)
    return False


def _stop(worker: int, patience: float, *, is_quick: bool) -> None:
    """Have the worker end, and end it where it does not."""
    limit = time.monotonic() + patience
    os.kill(worker, signal.SIGQUIT if is_quick else signal.SIGTERM)
    while not _is_ended(worker) and (left := limit - time.monotonic()) > 0:
        number = _next({signal.SIGCHLD, *QUICK}, left)
        if number in QUICK and not is_quick:
            is_quick = True
            os.kill(worker, signal.SIGQUIT)
            limit = time.monotonic() + QUICK_SECONDS
    os.kill(worker, signal.SIGKILL)
    os.waitpid(worker, 0)


def _wake(number: int, folder: str, command: list[str]) -> NoReturn:
    if number:
        # It waits, as all of them are held, until gunicorn's main process takes it.
        os.kill(os.getpid(), number)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM})
    os.chdir(folder)
    os.execv(sys.executable, [sys.executable, *command])  # noqa: S606  as before


if __name__ == "__main__":
    main(*sys.argv[1:])
