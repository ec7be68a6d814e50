"""nginx as it is installed, with the configuration that we ship."""

import os
import signal
import subprocess
from pathlib import Path

import httpx

from tests.e2e.processes import PLAIN, ROOT, Server, free_port, wait_until
from tests.services import program

FOLDERS = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


class Nginx:
    """Runs in front of two servers; enter it to start, leave it to stop."""

    def __init__(self, folder: Path, servers: list[Server]) -> None:
        self._program = program("nginx", "/usr/sbin")
        self._folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        text = (ROOT / "deploy/nginx.conf").read_text()
        for number, each in enumerate(servers, 1):
            text = text.replace(f"gateway-{number}:8000", f"127.0.0.1:{each.port}")
        text = text.replace("listen 8080", f"listen 127.0.0.1:{self.port}")
        # Where Debian's nginx keeps them belongs to root.
        places = "".join(f"{each}_temp_path {folder}/{each};\n" for each in FOLDERS)
        text = text.replace("http {\n", f"http {{\n{places}")
        self._file = folder / "nginx.conf"
        self._text = f"pid {folder}/nginx.pid;\ndaemon off;\n{text}"
        self._file.write_text(self._text)

    def __enter__(self) -> "Nginx":
        log = (self._folder / "nginx.log").open("ab")
        command = [self._program, "-p", self._folder, "-c", self._file, "-e", "stderr"]
        with log:
            self._process = subprocess.Popen(
                command, cwd="/", env=os.environ, stdout=log, stderr=log
            )
        assert wait_until(self._is_ready, 60), (self._folder / "nginx.log").read_text()
        return self

    def __exit__(self, *error: object) -> None:
        self._process.terminate()
        self._process.wait(60)

    def leave_out(self, server: Server | None) -> None:
        """Send nothing more to a server, or to all again; what is under way ends."""
        text = self._text
        if server is not None:
            place = f"server 127.0.0.1:{server.port}"
            text = text.replace(place, f"{place} down")
        before = self._workers()
        self._file.write_text(text)
        self._process.send_signal(signal.SIGHUP)
        assert wait_until(lambda: not before & self._workers(), 60)

    def _workers(self) -> set[str]:
        pid = self._process.pid
        return set(Path(f"/proc/{pid}/task/{pid}/children").read_text().split())

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", **PLAIN).status_code == 200
        except httpx.TransportError:
            return False
