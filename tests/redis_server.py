"""A Redis of a test's own, reached through a socket file."""

import os
import signal
import socket
import subprocess
from pathlib import Path

from tests import loopback
from tests.services import program


class RedisServer:
    """Runs from the beginning; what is stopped starts again empty."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._program = program("redis-server")
        self.socket = folder / "redis.sock"
        self.url = f"unix://{self.socket}"
        self.start()

    def start(self) -> None:
        """Start it and wait until it listens."""
        command = [self._program, "--port", "0", "--unixsocket", str(self.socket)]
        options = ["--save", "", "--dir", str(self._folder), "--logfile", "redis.log"]
        self.process = subprocess.Popen([*command, *options])
        assert loopback.wait_until(self._listens)

    def _listens(self) -> bool:
        """Tell whether it takes connections: its file is there a moment before."""
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(self.socket))
            except OSError:
                return False
        return True

    def freeze(self) -> None:
        """Have it stand still: it takes connections and answers nobody."""
        self.process.send_signal(signal.SIGSTOP)
        # It may answer once more before the signal has come.
        os.waitpid(self.process.pid, os.WUNTRACED)

    def thaw(self) -> None:
        """Have it go on."""
        self.process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """Kill it."""
        self.thaw()
        self.process.kill()
        self.process.wait(loopback.PATIENCE)
        self.socket.unlink(missing_ok=True)
