"""The program that the main process is while it waits, with a worker of a few lines."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from runagents.serving.keeper.arbiter import PROGRAM, SIGNALS, Kept
from runagents.serving.keeper.program import LOOK_SECONDS
from tests.loopback import wait_until

# Starts a worker and becomes the program, which is to become this file with `woken`.
MAIN = """
import os, signal, sys, tempfile, time

if "woken" in sys.argv:
    print(os.getcwd(), *sys.argv[1:])
    print(sorted(signal.Signals(each).name for each in signal.sigpending()))
    print(os.waitpid(-1, os.WNOHANG)[0] != 0, flush=True)
    os._exit(0)

program, signals, does, timeout, patience, folder = sys.argv[1:]
signal.pthread_sigmask(signal.SIG_BLOCK, map(int, signals.split(",")))
heartbeat = tempfile.TemporaryFile()
os.utime(heartbeat.fileno(), (time.monotonic(), time.monotonic()))
worker = os.fork()
if not worker:
    def told(number, frame):
        print(signal.Signals(number).name, flush=True)
        if does != f"ignores {signal.Signals(number).name}":
            os._exit(0)
    signal.signal(signal.SIGTERM, told)
    signal.signal(signal.SIGQUIT, told)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    print("serves", flush=True)
    if does == "dies":
        os._exit(9)
    while True:
        time.sleep(60)
os.set_inheritable(heartbeat.fileno(), True)
kept = f"{worker},{heartbeat.fileno()}"
again = [__file__, "woken"]
command = [sys.executable, "-I", "-S", program, kept, timeout, patience, folder]
os.execv(sys.executable, command + again)
"""


class Waiting:
    """The program at work; `does` is what its worker does."""

    def __init__(self, folder: Path) -> None:
        self.program = PROGRAM
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None

    def start(self, does: str = "", timeout: float = 30, patience: float = 30) -> None:
        """Start it, and wait until its worker serves."""
        main = self._folder / "main.py"
        main.write_text(MAIN)
        signals = ",".join(str(int(each)) for each in SIGNALS)
        times = [str(timeout), str(patience)]
        self._process = subprocess.Popen(
            [sys.executable, main, self.program, signals, does, *times, self._folder],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self.says() == "serves"

    def says(self) -> str:
        """Return the next line of it or of its worker."""
        assert self._process is not None
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def send(self, number: int) -> None:
        """Send a signal to the main process."""
        assert self._process is not None
        self._process.send_signal(number)

    def sleep(self) -> None:
        """Wait until it is the program, and sleeps."""
        assert self._process is not None
        folder = Path("/proc", str(self._process.pid))
        waits = [f"-S\0{PROGRAM}".encode(), b") S "]

        def is_asleep() -> bool:
            told = [(folder / name).read_bytes() for name in ("cmdline", "stat")]
            return all(each in text for each, text in zip(waits, told, strict=True))

        assert wait_until(is_asleep)

    def ends(self) -> int:
        """Wait until it ends and return its code."""
        assert self._process is not None
        return self._process.wait(60)

    def kill(self) -> None:
        """End it, and the worker that it may have left."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.communicate()


@pytest.fixture
def waiting(tmp_path: Path) -> Iterator[Waiting]:
    """The program, not yet started."""
    made = Waiting(tmp_path)
    yield made
    made.kill()


def woken(waiting: Waiting, folder: Path) -> tuple[str, bool]:
    """Return what waits for who has woken, and whether the worker had ended."""
    where, what, kept = waiting.says().split()
    assert (where, what) == (str(folder.resolve()), "woken")
    assert kept.startswith("--kept=")
    return waiting.says(), waiting.says() == "True"


def test_what_is_kept_is_read_as_it_was_written():
    kept = Kept(7, 5, [3, 4])
    assert Kept.read(str(kept)) == kept


@pytest.mark.parametrize(
    ("sent", "heard"),
    [("SIGTERM", "SIGTERM"), ("SIGINT", "SIGQUIT"), ("SIGQUIT", "SIGQUIT")],
)
def test_it_stops_with_its_worker(waiting, sent, heard):
    waiting.start()
    waiting.send(signal.Signals[sent])
    assert waiting.says() == heard
    assert waiting.ends() == 0


def test_a_worker_that_does_not_stop_is_killed(waiting):
    began = time.monotonic()
    waiting.start("ignores SIGTERM", patience=0.3)
    waiting.send(signal.SIGTERM)
    assert waiting.ends() == 0
    assert time.monotonic() - began >= 0.3
    # On a busy machine its time is over before it has heard.
    assert waiting.says() in ("SIGTERM", "")
    assert not waiting.says()


@pytest.fixture
def patient(waiting, tmp_path):
    """A worker that is to stop at once has the time to say so, on a busy machine."""
    text = PROGRAM.read_text()
    assert "\nQUICK_SECONDS = 2.0\n" in text
    waiting.program = tmp_path / "program.py"
    waiting.program.write_text(
        text.replace("QUICK_SECONDS = 2.0", "QUICK_SECONDS = 60")
    )


def test_who_will_not_wait_for_it_to_stop_need_not(waiting, patient):
    waiting.start("ignores SIGTERM")
    waiting.send(signal.SIGTERM)
    assert waiting.says() == "SIGTERM"
    waiting.send(signal.SIGINT)
    assert waiting.says() == "SIGQUIT"
    assert waiting.ends() == 0


@pytest.mark.parametrize("sent", ["SIGHUP", "SIGTTIN", "SIGTTOU", "SIGUSR1", "SIGUSR2"])
def test_another_signal_wakes_it_and_is_still_there(waiting, tmp_path, sent):
    waiting.start()
    waiting.send(signal.Signals[sent])
    assert woken(waiting, tmp_path) == (f"['{sent}']", False)


def test_a_worker_that_has_ended_wakes_it_and_is_left_to_ask_of(waiting, tmp_path):
    waiting.start("dies")
    assert woken(waiting, tmp_path) == ("['SIGCHLD']", True)


def test_a_worker_that_is_silent_wakes_it(waiting, tmp_path):
    began = time.monotonic()
    waiting.start(timeout=0.5)
    assert woken(waiting, tmp_path) == ("[]", False)
    assert time.monotonic() - began >= 0.5


def test_a_pause_of_all_it_does_wakes_nobody(waiting):
    waiting.start()
    waiting.sleep()
    waiting.send(signal.SIGSTOP)
    time.sleep(LOOK_SECONDS + 0.1)
    waiting.send(signal.SIGCONT)
    waiting.sleep()
    waiting.send(signal.SIGTERM)
    assert waiting.says() == "SIGTERM"
    assert waiting.ends() == 0


def test_a_terminal_that_changes_its_size_does_not_wake_it(waiting):
    waiting.start()
    waiting.send(signal.SIGWINCH)
    waiting.send(signal.SIGTERM)
    assert waiting.says() == "SIGTERM"
