"""A Redis of a test's own, reached through a socket file."""

import signal
import socket
import subprocess
import time
from pathlib import Path

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
        deadline = time.monotonic() + 10
        while not self._listens() and time.monotonic() < deadline:
            time.sleep(0.01)

    def _listens(self) -> bool:
        """Tell whether it takes connections: its file is there a moment before."""
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(self.socket))
            except OSError:
                return False
        return True

    def stop(self) -> None:
        """Kill it."""
        self.process.send_signal(signal.SIGCONT)
        self.process.kill()
        self.process.wait(5)
        self.socket.unlink(missing_ok=True)
