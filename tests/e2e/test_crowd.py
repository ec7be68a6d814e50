"""Many slow streams at once, others who use the database meanwhile, and many who come
in the same moment."""

import errno
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.e2e import dialects, registries
from tests.e2e.processes import Server, wait_until
from tests.e2e.raw import Connection
from tests.e2e.replay import Received, Replay, Reply

STREAMS = 100
WORDS = 10
CALLERS = 300
WRITERS = 8
WRITES = 40
MOST_FILES = 10
WORD = b'data: {"id":"c","choices":[{"index":0,"delta":{"content":"word"}}]}\n\n'
END = (
    b'data: {"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
    b"data: [DONE]\n\n"
)
# Reads before it writes, as pages do: a transaction that takes its lock only then is
# refused at once where another wrote in between. Whoever takes it first may have to
# wait for one that the machine gives no time.
WRITE = """
from django.db import connection, transaction
from runagents.agents.models import Agent
connection.cursor().execute("PRAGMA busy_timeout = 60000")
for number in range({writes}):
    with transaction.atomic():
        count = Agent.objects.count()
        Agent.objects.create(
            name=f"writer-{name}-{{number}}", system_prompt=f"after {{count}}"
        )
"""

COUNT = """
from runagents.agents.models import Agent
print(Agent.objects.filter(name__startswith="writer-").count())
"""
WROTE = WRITERS * WRITES


@pytest.fixture(scope="module")
def gateway(server: Callable[..., Server], replay: Replay) -> Server:
    """Two workers, and a provider whose streams take their time."""
    dialects.install(replay)
    return server(
        registries.registry(registries.openai("slow", f"{replay.url}/slow", "slow")),
        workers=2,
    )


@pytest.fixture
def may_end(replay: Replay) -> threading.Event:
    """When it is set, streams come to their end."""
    given = threading.Event()
    parts, headers = [*[WORD] * WORDS, END], {"content-type": "text/event-stream"}

    def slowly(received: Received) -> Reply:
        return Reply(200, parts, headers, pause=0.2, may_end=given.is_set)

    replay.route("/slow", slowly)
    return given


@pytest.fixture
def streams(
    gateway: Server, replay: Replay, may_end: threading.Event
) -> Iterator[list[Connection]]:
    """Streams that have all begun and go on."""
    replay.clear()
    made = [Connection(gateway, 60) for _ in range(STREAMS)]
    for each in made:
        each.ask("slow", stream=True)
    for each in made:
        each.read_until(b"word")
    yield made
    for each in made:
        each.socket.close()


def database_files(gateway: Server) -> list[int]:
    """Return how often each worker has the database open."""

    def is_database(link: Path) -> bool:
        try:
            return str(link.readlink()).endswith("runagents.sqlite3")
        except OSError:
            return False

    return [
        sum(map(is_database, Path(f"/proc/{pid}/fd").iterdir()))
        for pid in gateway.worker_pids()
    ]


@pytest.mark.proves("5.6")
def test_slow_streams_hold_no_connection_and_leave_the_console_its_own(
    gateway, streams, replay, may_end
):
    cookie = {"sessionid": gateway.session()}
    page = gateway.get("/models/", cookies=cookie)
    assert page.status_code == 200
    assert replay.open == STREAMS
    assert max(database_files(gateway)) <= MOST_FILES
    may_end.set()
    for each in streams:
        each.read_until(b"[DONE]")
    rows = gateway.rows(STREAMS, model="slow")
    assert [row["outcome"] for row in rows] == ["ok"] * STREAMS


@pytest.mark.proves("8.4")
def test_many_who_write_beside_streams_never_find_the_database_locked(
    gateway, streams, replay, may_end
):
    before = len(gateway.rows(model="slow"))
    # Their rows are written while others write.
    may_end.set()

    def write(name: int) -> str:
        code = WRITE.format(name=name, writes=WRITES)
        return gateway.manage("shell", "-v", "0", "-c", code)

    with ThreadPoolExecutor(WRITERS) as pool:
        assert list(pool.map(write, range(WRITERS))) == [""] * WRITERS
    for each in streams:
        each.read_until(b"[DONE]")
    assert len(gateway.rows(before + STREAMS, model="slow")) == before + STREAMS
    (agents,) = gateway._query(
        "SELECT COUNT(*) FROM agents_agent WHERE name LIKE 'writer-%'"
    )
    assert agents[0] == WRITERS * WRITES
    assert "locked" not in gateway.log


@pytest.fixture
def stopped(gateway: Server) -> Iterator[None]:
    """Workers that take no connection: those that come are the system's to keep."""
    pids = gateway.worker_pids()
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    yield
    for pid in pids:
        os.kill(pid, signal.SIGCONT)


@pytest.fixture
def callers() -> Iterator[list[socket.socket]]:
    """Sockets that do not wait."""
    made = [socket.socket() for _ in range(CALLERS)]
    for each in made:
        each.setblocking(False)
    yield made
    for each in made:
        each.close()


@pytest.mark.proves("5.6")
def test_whoever_connects_while_all_are_busy_is_kept_in_line(gateway, callers, stopped):
    """Where the line is full, a SYN is lost and its client waits for a second."""
    for each in callers:
        assert each.connect_ex(("127.0.0.1", gateway.port)) == errno.EINPROGRESS
    assert wait_until(lambda: all(map(is_connected, callers)), 30)


def is_connected(client: socket.socket) -> bool:
    """Tell whether the system took the connection."""
    try:
        client.getpeername()
    except OSError:
        return False
    return True
