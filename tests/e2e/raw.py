"""Clients that do what no well-behaved client does, byte by byte."""

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from tests import doors
from tests.e2e.processes import PATIENCE, START_SECONDS, Server, wait_until

# What a busy machine makes of it, and sooner than a server closes what is unused.
AT_ONCE = 12.0


class Answered(NamedTuple):
    """A response as it came: status 0 when the connection closed without one."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str:
        """The error's code, or its type."""
        error = json.loads(self.body)["error"]
        return str(error["code"] or error["type"])

    def as_response(self) -> httpx.Response:
        """Return it as a client's library does."""
        return httpx.Response(self.status, headers=self.headers, content=self.body)


class Connection:
    """One TCP connection to a server."""

    def __init__(self, server: Server, timeout: float = PATIENCE) -> None:
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout)
        self._server = server
        self._unread = b""

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *error: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.socket.sendall(data)

    def ask(self, model: str, door: doors.ClientDoor = doors.CHAT, **body: Any) -> None:
        """Send the smallest request of a door."""
        asked = json.dumps({**door.body, "model": model, **body}).encode()
        self.send(request(self._server, asked, path=door.path))

    def wait_for(self, mark: bytes) -> None:
        """Wait until bytes have come, which stay to be read; EOFError without them."""
        self._unread = self.read_until(mark) + self._unread

    def read_until(self, mark: bytes) -> bytes:
        """Return all bytes up to and with `mark`; raises EOFError without it."""
        while mark not in self._unread:
            more = self.socket.recv(65536)
            if not more:
                raise EOFError(self._unread)
            self._unread += more
        end = self._unread.index(mark) + len(mark)
        found, self._unread = self._unread[:end], self._unread[end:]
        return found

    def answer(self) -> Answered:
        """Read one response, whose end its headers tell."""
        try:
            head = self.read_until(b"\r\n\r\n").decode("latin-1")
        except (EOFError, ConnectionError):
            return Answered(0, {}, b"")
        status, *lines = head.rstrip("\r\n").split("\r\n")
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines)
        }
        if headers.get("transfer-encoding") == "chunked":
            body = b"".join(iter(self._chunk, b""))
        else:
            body = self._read(int(headers.get("content-length", 0)))
        return Answered(int(status.split(" ")[1]), headers, body)

    def _chunk(self) -> bytes:
        size = int(self.read_until(b"\r\n"), 16)
        return self._read(size + 2)[:size]

    def _read(self, length: int) -> bytes:
        while len(self._unread) < length:
            more = self.socket.recv(65536)
            if not more:
                break
            self._unread += more
        found, self._unread = self._unread[:length], self._unread[length:]
        return found

    def is_closed(self, seconds: float = AT_ONCE) -> bool:
        """Tell whether the server closes the connection in time; 0 is by now."""
        deadline = time.monotonic() + seconds
        patience = self.socket.gettimeout()
        try:
            while True:
                left = deadline - time.monotonic()
                self.socket.settimeout(max(0, left))
                if not self.socket.recv(65536):
                    return True
        except (TimeoutError, BlockingIOError):
            return False
        except ConnectionError:
            return True
        finally:
            self.socket.settimeout(patience)

    def worker(self) -> int:
        """Return the process at the other end."""
        mine = self.socket.getsockname()[1]
        wanted = f":{self._server.port:04X} ", f":{mine:04X} "
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[1].endswith(wanted[0].strip()) and fields[2].endswith(
                wanted[1].strip()
            ):
                name = f"socket:[{fields[9]}]"
                for pid in self._server.worker_pids():
                    links = Path(f"/proc/{pid}/fd").iterdir()
                    if any(target_of(link) == name for link in links):
                        return pid
        return 0


class Crew:
    """One open connection to each worker of a server."""

    def __init__(self, server: Server) -> None:
        self._connections: dict[int, http.client.HTTPConnection] = {}
        deadline = time.monotonic() + START_SECONDS
        while len(self._connections) < server.workers:
            assert time.monotonic() < deadline, "not every worker takes connections"
            batch = [Connection(server) for _ in range(16)]
            for each in batch:
                # A worker has taken the connection when it has answered on it.
                each.send(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                each.answer()
                made = http.client.HTTPConnection("127.0.0.1", server.port)
                made.sock = each.socket
                if self._connections.setdefault(each.worker(), made) is not made:
                    each.socket.close()

    def __enter__(self) -> "Crew":
        return self

    def __exit__(self, *error: object) -> None:
        for connection in self._connections.values():
            connection.close()

    def ask(
        self, method: str, path: str, body: Any = None, key: str = ""
    ) -> list[Answered]:
        """Ask every worker the same and return what each says."""
        headers = {"Content-Type": "application/json"}
        if key:
            headers["Authorization"] = f"Bearer {key}"
        found = []
        for connection in self._connections.values():
            text = None if body is None else json.dumps(body)
            connection.request(method, path, text, headers)
            response = connection.getresponse()
            told = {name.lower(): value for name, value in response.getheaders()}
            found.append(Answered(response.status, told, response.read()))
        return found


def until_all_know(server: Server, key: str, *models: str) -> None:
    """Wait until every worker knows a key, and models that it may use.

    One that was made a moment ago is known at once, where the database answers in time.
    """
    with Crew(server) as crew:

        def all_know() -> bool:
            told = crew.ask("GET", "/v1/models", key=key)
            listed = [json.loads(x.body).get("data", []) for x in told]
            return all(
                x.status == 200 and {*models} <= {each["id"] for each in known}
                for x, known in zip(told, listed, strict=True)
            )

        assert wait_until(all_know, START_SECONDS), models


def target_of(link: Path) -> str:
    """Return what a link of /proc leads to; empty when it is gone."""
    try:
        return str(link.readlink())
    except OSError:
        return ""


def chat_body(model: str, text: str = "hi", **body: Any) -> bytes:
    """Return a chat request's body."""
    message = {"role": "user", "content": text}
    return json.dumps({"model": model, "messages": [message], **body}).encode()


def request(
    server: Server,
    body: bytes,
    *lines: str,
    length: bool = True,
    path: str = doors.CHAT.path,
) -> bytes:
    """Return a whole request, of a chat if nothing else, with further header lines."""
    own = [f"Content-Length: {len(body)}"] if length else []
    return head(server, *own, *lines, path=path) + body


def head(server: Server, *lines: str, path: str = doors.CHAT.path) -> bytes:
    """Return the head of a request."""
    first = [f"POST {path} HTTP/1.1", f"Host: 127.0.0.1:{server.port}"]
    first.append("Content-Type: application/json")
    return ("\r\n".join([*first, *lines]) + "\r\n\r\n").encode("latin-1")


def chunked(parts: Iterable[bytes]) -> bytes:
    """Return a body in chunked coding."""
    framed = [b"%x\r\n%b\r\n" % (len(part), part) for part in parts]
    return b"".join(framed) + b"0\r\n\r\n"


class Watch:
    """The largest memory of a server's workers, and of temporary files, meanwhile."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.before = self.largest = 0

    @property
    def growth(self) -> int:
        """Bytes above where it started."""
        return self.largest - self.before

    def __enter__(self) -> "Watch":
        self.before = self.largest = self._server.resident_bytes()
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stopped.wait(0.02):
            self.largest = max(self.largest, self._server.resident_bytes())
