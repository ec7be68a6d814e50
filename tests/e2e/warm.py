"""Commands of manage.py in processes that have their imports behind them.

A command spends most of its life on imports. Here one process does them and then forks
for each command. What a command finds is what it would find otherwise: its arguments,
its environment, the settings read from it. `serve` is started as people do: it goes on
with what is loaded.
"""

import atexit
import gc
import importlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import django
from django.conf import settings
from django.db import connections
from django.db.migrations.loader import MigrationLoader

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 120
RUN_SECONDS = 120
# More than any command and environment come to.
MESSAGE_BYTES = 1 << 17


class Process:
    """A command that runs; of subprocess.Popen what its users need."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._code: int | None = None
        self.pid = int(self._told(START_SECONDS))

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code; raises subprocess.TimeoutExpired."""
        if self._code is None:
            self._code = int(self._told(timeout))
            self._connection.close()
        return self._code

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs."""
        try:
            return self.wait(0.0)
        except subprocess.TimeoutExpired:
            return None

    def send_signal(self, number: int) -> None:
        """Send a signal unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def _told(self, timeout: float | None) -> bytes:
        readable, _, _ = select.select([self._connection], [], [], timeout)
        if not readable:
            raise subprocess.TimeoutExpired("manage.py", timeout or 0)
        told = self._connection.recv(64)
        assert told, "The process that forks for commands is gone."
        return told


def start(
    arguments: list[str],
    environ: Mapping[str, str],
    stdin: IO[Any],
    stdout: IO[Any],
    stderr: IO[Any],
) -> Process:
    """Start a command of manage.py."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    connection.connect(_forker())
    message = json.dumps([arguments, dict(environ)]).encode()
    assert len(message) <= MESSAGE_BYTES
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, MESSAGE_BYTES)
    files = [each.fileno() for each in (stdin, stdout, stderr)]
    socket.send_fds(connection, [message], files)
    return Process(connection)


def run(
    arguments: list[str], environ: Mapping[str, str], text: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run a command of manage.py that reads `text`, to its end."""
    with ExitStack() as stack:
        given, out, err = (stack.enter_context(TemporaryFile("w+")) for _ in range(3))
        given.write(text)
        given.seek(0)
        code = start(arguments, environ, given, out, err).wait(RUN_SECONDS)
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(arguments, code, out.read(), err.read())


@cache
def _forker() -> str:
    """Start the process that forks; returns the address where it takes commands.

    It watches a pipe from this process and ends with it.
    """
    folder = tempfile.mkdtemp(prefix="runagents-commands-")
    address = f"{folder}/socket"
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(address)
        listener.listen(16)
        forker = subprocess.Popen(
            [sys.executable, "-m", __name__, str(listener.fileno())],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "RUNAGENTS_DATA_DIR": folder},
            stdin=subprocess.PIPE,
            pass_fds=[listener.fileno()],
        )
    # Called in the reverse order.
    atexit.register(shutil.rmtree, folder)
    atexit.register(forker.communicate)
    return address


# --- in the process that forks ---


def _prepare() -> Any:
    """Import what commands do; returns manage.py."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "runagents.settings"
    django.setup()
    MigrationLoader(None)
    for name in ("manage", "runagents.urls", "runagents.management.commands.serve"):
        importlib.import_module(name)
    return sys.modules["manage"]


def _next_command(listener: socket.socket) -> tuple[list[str], dict[str, str]]:
    """Fork for each command until there are no more; returns in the new process."""
    while True:
        readable, _, _ = select.select([listener, 0], [], [])
        if listener not in readable:
            os._exit(0)
        connection, _ = listener.accept()
        if os.fork():
            connection.close()
            continue
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        listener.close()
        message, files, _, _ = socket.recv_fds(connection, MESSAGE_BYTES, 3)
        if pid := os.fork():
            _see_to_its_end(connection, pid, files)
        connection.close()
        for number, file in enumerate(files):
            os.dup2(file, number)
            os.close(file)
        arguments, environ = json.loads(message)
        return arguments, environ


def _see_to_its_end(connection: socket.socket, pid: int, files: list[int]) -> None:
    for file in (0, 1, 2, *files):
        os.close(file)
    connection.send(str(pid).encode())
    _, status = os.waitpid(pid, 0)
    with suppress(BrokenPipeError):  # Perhaps nobody waits for it any more.
        connection.send(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def _read_settings_again() -> None:
    module = importlib.reload(sys.modules["runagents.settings"])
    for name in filter(str.isupper, dir(module)):
        setattr(settings, name, getattr(module, name))
    # Made for the old settings, though never opened.
    for each in connections.all(initialized_only=True):
        del connections[each.alias]
    vars(connections).pop("settings", None)
    connections._settings = None


def _end() -> None:
    """End without taking a hundred thousand objects down one by one."""
    connections.close_all()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def main() -> None:
    """Wait for commands; run one in each process forked."""
    manage = _prepare()
    # Pages that nobody writes to are shared, not copied.
    gc.freeze()
    # The processes that wait for a command's end need nobody to wait for theirs.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(fileno=int(sys.argv[1])) as listener:
        arguments, environ = _next_command(listener)
    os.environ.clear()
    os.environ.update(environ)
    _read_settings_again()
    sys.argv = ["manage.py", *arguments]
    manage.main()
    _end()


if __name__ == "__main__":
    main()
