"""gunicorn's main process, which goes to sleep and wakes up."""

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple, Self

from gunicorn import sock
from gunicorn.arbiter import Arbiter

PROGRAM = Path(__file__).with_name("program.py")
# What it was started as, before `serve` goes elsewhere.
FOLDER = os.getcwd()
OPTION = "--kept"
# All that gunicorn listens to, but for the size of a terminal.
SIGNALS = {*Arbiter.SIGNALS, signal.SIGCHLD} - {signal.SIGWINCH}


class Kept(NamedTuple):
    """What a main process hands to itself: its worker, and files by their numbers.

    The worker touches `heartbeat` while it lives.
    """

    worker: int
    heartbeat: int
    listeners: list[int]

    @classmethod
    def read(cls, text: str) -> Self:
        """Read what `str` has written."""
        worker, heartbeat, *listeners = map(int, text.split(","))
        return cls(worker, heartbeat, listeners)

    def __str__(self) -> str:
        return ",".join(map(str, (self.worker, self.heartbeat, *self.listeners)))


class Main(Arbiter):  # type: ignore[misc]
    """gunicorn's main process; it sleeps while its only worker serves."""

    def __init__(self, app: Any, kept: Kept | None) -> None:
        self._kept = kept
        self._can_sleep = app.cfg.workers == 1 and hasattr(signal, "sigtimedwait")
        # Told once: gunicorn starts others with the same arguments.
        sys.argv = [each for each in sys.argv if not each.startswith(f"{OPTION}=")]
        super().__init__(app)

    def start(self) -> None:
        """Listen, with what was kept where it wakes up."""
        if self._kept is not None:
            self.LISTENERS = sock.create_sockets(
                self.cfg, self.log, self._kept.listeners
            )
        super().start()
        if self._kept is not None:
            self._adopt(self._kept)
        # Those that woke it wait since then.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)

    def wait_for_signals(self, timeout: float = 1.0) -> list[int]:
        """Wait, asleep if it may; then this does not return."""
        if self._can_sleep and self._is_quiet():
            self._sleep()
        signals: list[int] = super().wait_for_signals(timeout)
        return signals

    def _is_quiet(self) -> bool:
        """Tell whether there is nothing to do but to wait for the only worker.

        One that is silent has to be ended: gunicorn asks it to, and kills it then.
        """
        if self.reexec_pid or not len(self.WORKERS) == self.num_workers == 1:
            return False
        [worker] = self.WORKERS.values()
        is_silent = time.monotonic() - worker.tmp.last_update() > self.timeout
        return not (is_silent or worker.aborted)

    def _adopt(self, kept: Kept) -> None:
        worker = self.worker_class(
            1, self.pid, self.LISTENERS, self.app, self.timeout / 2, self.cfg, self.log
        )
        os.dup2(kept.heartbeat, worker.tmp.fileno(), inheritable=False)
        os.close(kept.heartbeat)
        worker.pid = kept.worker
        self.worker_age = worker.age
        self.WORKERS[worker.pid] = worker

    def _sleep(self) -> None:
        """Become the program that waits, unless something has come up."""
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        if self.SIG_QUEUE.empty():
            sys.stdout.flush()
            sys.stderr.flush()
            try:
                os.execv(sys.executable, self._program())  # noqa: S606  ours
            except OSError as error:
                self.log.warning("The main process stays as it is: %s", error)
                self._can_sleep = False
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)

    def _program(self) -> list[str]:
        """Return the command that waits; files that it is told of are passed on."""
        [worker] = self.WORKERS.values()
        listeners = [listener.fileno() for listener in self.LISTENERS]
        kept = Kept(worker.pid, worker.tmp.fileno(), listeners)
        for file in (kept.heartbeat, *listeners):
            os.set_inheritable(file, True)
        # Without what is installed: it needs none of it.
        python = [sys.executable, "-I", "-S", str(PROGRAM)]
        seconds = [str(self.timeout), str(self.cfg.graceful_timeout)]
        return [*python, str(kept), *seconds, FOLDER, *sys.argv]
