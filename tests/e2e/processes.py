"""The server as people start it, and the commands beside it, as processes."""

import http.client
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import httpx

from tests.doors import ClientDoor
from tests.e2e import warm

ROOT = Path(__file__).resolve().parents[2]
# Those of a machine that has no time for us; where it has, nothing takes so long.
START_SECONDS = 120.0
STOP_SECONDS = 45.0
PATIENCE = 60.0
LOOK_SECONDS = 0.05

# Of httpx: no proxies, and no certificates, which take longer to load than a call.
PLAIN: dict[str, Any] = {"trust_env": False, "verify": False}

ADMINISTRATOR = {
    "DJANGO_SUPERUSER_USERNAME": "admin",
    "DJANGO_SUPERUSER_PASSWORD": "correct horse battery staple",
    "DJANGO_SUPERUSER_EMAIL": "admin@example.com",
}

LOG_IN = """
from django.contrib.auth.models import User
from django.test import Client
client = Client()
client.force_login(User.objects.order_by("pk").first())
print(client.cookies["sessionid"].value)
"""


class Server:
    """One installation: its data folder, its settings and, between `start` and
    `stop`, its processes. All they print ends up in `log`.

    Lines that hold `expected` may hold a traceback. `root` is the checkout whose server
    is started.
    """

    def __init__(self, folder: Path, workers: int = 1, **environ: str) -> None:
        self.data = folder / "data"
        self.log_file = folder / "server.log"
        self.workers = workers
        self.port = free_port()
        self.expected = ""
        self.root = ROOT
        self._is_stopping = False
        self.environ = {
            "PATH": os.environ.get("PATH", ""),
            "RUNAGENTS_DATA_DIR": str(self.data),
            "RUNAGENTS_PORT": str(self.port),
            "STATUS_CHECK_SECONDS": "3600",
            # Tests let one upstream fail in many ways, one after the other.
            "UNAVAILABLE_AFTER": "0",
            "RETRY_PATIENCE": "0",
            # To loopback it takes none, unless the machine has no time for us.
            "CONNECT_TIMEOUT": "30",
            **ADMINISTRATOR,
            **environ,
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The origin."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def chat_url(self) -> str:
        """Where chat completions are."""
        return f"{self.url}/v1/chat/completions"

    @property
    def log(self) -> str:
        """All output so far."""
        return self.log_file.read_text(errors="replace")

    @property
    def failures(self) -> list[str]:
        """The lines with a traceback that was not expected."""
        found = [line for line in self.log.splitlines() if "raceback" in line]
        return [x for x in found if not self.expected or self.expected not in x]

    @property
    def pid(self) -> int:
        """The main process."""
        assert self._process is not None
        return self._process.pid

    def adopt(self, data: Path) -> None:
        """Begin with a copy of another, stopped installation's data."""
        shutil.copytree(data, self.data)

    def start(self) -> "Server":
        """Start and wait until calls can be served."""
        self.begin_to_start()
        return self.wait_until_ready()

    def begin_to_start(self) -> None:
        """Start, for others to start meanwhile."""
        port = ["--port", str(self.port)]
        command = ["serve", *port, "--workers", str(self.workers)]
        with self.log_file.open("ab") as log, open(os.devnull, "rb") as nothing:
            self._process = subprocess.Popen(
                [sys.executable, "manage.py", *command],
                cwd=self.root,
                env=self.environ,
                stdin=nothing,
                stdout=log,
                stderr=log,
            )

    def wait_until_ready(self) -> "Server":
        """Wait until calls can be served."""
        ready = wait_until(self._is_ready, START_SECONDS)
        assert ready, f"The server did not become ready:\n{self.log}"
        return self

    def begin_to_stop(self) -> None:
        """Ask it to stop, for `stop` to wait less when there are several."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._is_stopping = True

    def stop(self, sig: int = signal.SIGTERM, seconds: float = STOP_SECONDS) -> int:
        """Stop and return the exit code; kills what does not end in time."""
        if self._process is None:
            return 0
        # While it ends it handles no other signal: a second one would kill it.
        if not self._is_stopping:
            self._process.send_signal(sig)
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._kill_all()
            self._process.wait(STOP_SECONDS)
            raise
        finally:
            self._process = None
            self._is_stopping = False

    def kill(self) -> None:
        """Kill all processes at once, as when the power fails, and see them gone."""
        assert self._process is not None
        self._kill_all()
        self._process.wait(STOP_SECONDS)
        self._process = None

    def _kill_all(self) -> None:
        # One that is stopped makes no more workers, and its workers do not end by
        # themselves, as they would without it.
        os.kill(self.pid, signal.SIGSTOP)
        pids = [*self.worker_pids(), self.pid]
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        assert wait_until(lambda: all(map(is_gone, pids)), STOP_SECONDS)

    def worker_pids(self) -> list[int]:
        """Return the worker processes that live."""
        path = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        return [int(pid) for pid in path.read_text().split()]

    def resident_bytes(self) -> int:
        """Return the memory of the largest worker."""
        sizes = []
        for pid in self.worker_pids():
            pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
            sizes.append(pages * os.sysconf("SC_PAGE_SIZE"))
        return max(sizes)

    # --- commands ---

    def manage(self, *arguments: str, text: str = "", **environ: str) -> str:
        """Run a command of manage.py and return what it printed."""
        done = warm.run(list(arguments), {**self.environ, **environ}, text)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def refused(self, *arguments: str, text: str = "") -> str:
        """Run a command of manage.py that fails and return what it says."""
        done = warm.run(list(arguments), self.environ, text)
        assert done.returncode == 1, done.stdout
        assert "Traceback" not in done.stderr
        return done.stderr

    def run(self, *arguments: str) -> None:
        """Run Python with the server's environment."""
        subprocess.run(
            [sys.executable, *arguments], cwd=self.root, env=self.environ, check=True
        )

    def apply(self, registry: Mapping[str, Any], **secrets: str) -> None:
        """Apply a registry; `secrets` are the variables that it refers to."""
        # As JSON, which is YAML without aliases: those are refused.
        text = json.dumps(registry)
        self.manage("providers", "apply", "-", text=text, **secrets)

    def key(self, name: str, *models: str, workspace: bool = False) -> str:
        """Make a key and return it."""
        options = ["--workspace"] if workspace else []
        if models:
            options += ["--models", ",".join(models)]
        return self.manage("createkey", name, *options).strip()

    def session(self) -> str:
        """Log an administrator in and return the cookie's value."""
        return self.manage("shell", "-v", "0", "-c", LOG_IN).strip()

    def settle(self, *models: str, key: str = "") -> None:
        """Wait until models just registered are listed, to a key just made."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}

        def is_settled() -> bool:
            answer = self.get("/v1/models", headers=headers)
            assert answer.status_code == 200, answer.text
            return set(models) <= {each["id"] for each in answer.json()["data"]}

        assert wait_until(is_settled, PATIENCE), models

    def settle_down(self, provider: str) -> None:
        """Wait until a worker has loaded what it loads at first: a check does that."""
        assert wait_until(lambda: self.status(provider) != "pending", PATIENCE)

    # --- requests ---

    def get(self, path: str, **options: Any) -> httpx.Response:
        """GET without a key, over a connection of its own."""
        return httpx.get(self.url + path, timeout=PATIENCE, **PLAIN, **options)

    def chat(
        self, model: str, text: str = "hi", *, headers: Any = None, **body: Any
    ) -> httpx.Response:
        """Send a chat completion and read the whole answer."""
        return httpx.post(
            self.chat_url,
            json={**chat(model, text), **body},
            headers=headers,
            timeout=PATIENCE,
            **PLAIN,
        )

    def ask(self, door: ClientDoor, model: str, **body: Any) -> httpx.Response:
        """Send the smallest request of a door and read the whole answer."""
        asked = {**door.body, "model": model, **body}
        return httpx.post(self.url + door.path, json=asked, timeout=PATIENCE, **PLAIN)

    def soon(self, claim: Callable[[], bool], seconds: float = 1.0) -> bool:
        """Wait until `claim` holds; tell whether it came to hold in time.

        Of the time counts what the only worker has to itself: before each look it
        answers a request, which waits where it does.
        """
        asking = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        with closing(asking):
            for _ in range(round(seconds / LOOK_SECONDS)):
                if claim():
                    return True
                asking.request("GET", "/healthz")
                assert asking.getresponse().read()
                time.sleep(LOOK_SECONDS)
        return claim()

    # --- what it recorded ---

    def rows(
        self, count: int = 0, seconds: float = PATIENCE, **where: Any
    ) -> list[Any]:
        """Return the usage rows, oldest first, once there are `count` of them.

        After `seconds` it returns what there is. `where` compares columns.
        """
        condition = " AND ".join(f"{column} = ?" for column in where) or "1"
        query = f"SELECT * FROM gateway_usagerecord WHERE {condition} ORDER BY id"
        found: list[Any] = []

        def enough() -> bool:
            nonlocal found
            found = self._query(query, *where.values())
            return len(found) >= count

        wait_until(enough, seconds)
        return found

    def status(self, provider: str) -> str:
        """Return the stored status of a provider."""
        query = "SELECT status FROM providers_modelprovider WHERE name = ?"
        return str(self._query(query, provider)[0]["status"])

    def _query(self, query: str, *values: Any) -> list[Any]:
        uri = f"file:{self.data / 'runagents.sqlite3'}?mode=ro"
        database = sqlite3.connect(uri, uri=True, timeout=PATIENCE)
        database.row_factory = sqlite3.Row
        try:
            return database.execute(query, values).fetchall()
        finally:
            database.close()

    def _is_ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"The server ended:\n{self.log}"
        try:
            return self.get("/readyz").status_code == 200
        except httpx.TransportError:
            return False


def chat(model: str, text: str = "hi") -> dict[str, Any]:
    """Return the smallest chat request."""
    return {"model": model, "messages": [{"role": "user", "content": text}]}


def is_gone(pid: int) -> bool:
    """Tell whether a process has ended; one that nobody has asked how, too."""
    try:
        about = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True
    return about.rpartition(")")[2].split()[0] in "ZX"


def free_port() -> int:
    """Return a port that is free, and stays so for as long as this process lives.

    The system gives nobody a port that a socket is bound to, whether to listen on or to
    connect from. Who asks for this one by its number gets it, since we allow that.
    """
    holder = socket.socket()
    for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
        holder.setsockopt(socket.SOL_SOCKET, option, 1)
    holder.bind(("127.0.0.1", 0))
    port = int(holder.getsockname()[1])
    # It stays open, and no object is there to complain of that at the end.
    holder.detach()
    return port


def wait_until(claim: Callable[[], bool], seconds: float) -> bool:
    """Wait until `claim` holds; tell whether it came to hold in time."""
    deadline = time.monotonic() + seconds
    while True:
        # Who sleeps for long looks once more.
        is_late = time.monotonic() > deadline
        if claim():
            return True
        if is_late:
            return False
        time.sleep(LOOK_SECONDS)
