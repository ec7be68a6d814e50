"""What the ways that were not taken would cost, beside those that were.

    python -m tests.benchmarks.decisions

CPU time of this process in microseconds per call, the least of several rounds. The
decisions themselves stand in ARCHITECTURE.md.
"""

import asyncio
import logging
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

ROUNDS = 5
CALLS = 400

SERVER = """
import asyncio, sys
ANSWER = (b"HTTP/1.1 200 OK\\r\\ncontent-type: application/json\\r\\n"
          b"content-length: 2\\r\\n\\r\\n{}")
class Server(asyncio.Protocol):
    def connection_made(self, transport): self.transport = transport
    def data_received(self, data): self.transport.write(ANSWER)
async def main():
    server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""

Way = Callable[[], Awaitable[object]]


def prepare(folder: Path) -> None:
    """Set Django up with an empty database in `folder`."""
    os.environ["RUNAGENTS_DATA_DIR"] = str(folder)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "runagents.settings")
    import django
    from django.core.management import call_command

    django.setup()
    # Nobody would log each exchange, and ours does not.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    call_command("migrate", verbosity=0)


async def microseconds(way: Way) -> float:
    """Return the CPU time of one call of `way`."""
    best = float("inf")
    await way()
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(CALLS):
            await way()
        best = min(best, (time.process_time() - began) / CALLS)
    return best * 1e6


async def show(what: str, taken: str, ours: Way, other: str, theirs: Way) -> None:
    """Measure both ways of `what` and print them as one row."""
    mine, its = await microseconds(ours), await microseconds(theirs)
    print(
        f"{what:12}{taken:34}{mine:9.1f}   {other:38}{its:9.1f}{its / mine:8.1f}",
        flush=True,
    )


# --- a call in the ledger -------------------------------------------------------------

FIELDS = {"caller": "agent", "provider": "openai", "model": "gpt-4o-mini"}


async def ledger(folder: Path) -> None:
    """Two lines in the spool, or two statements in SQLite."""
    from gateway.ledger.spool import Entry, Spool

    spool = Spool(folder / "measured")
    database = _sqlite(folder / "ledger.sqlite3")
    database.execute("CREATE TABLE call (id INTEGER PRIMARY KEY, fields, outcome)")

    async def spooled() -> None:
        entry = Entry(spool, **FIELDS)
        entry.began()
        entry.ended("ok", status=200)

    async def stored() -> None:
        cursor = database.execute("INSERT INTO call (fields) VALUES (?)", [str(FIELDS)])
        database.execute(
            "UPDATE call SET outcome = 'ok' WHERE id = ?", [cursor.lastrowid]
        )

    await show("ledger", "two lines in the spool", spooled, "two statements", stored)
    spool.close()


def _sqlite(path: Path) -> sqlite3.Connection:
    """Return a database that is as quick as it can be without losing a call."""
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = NORMAL")
    return database


# --- requests per minute --------------------------------------------------------------


async def limit(folder: Path) -> None:
    """The ring file, or a table of admissions."""
    from gateway.limits.host import HostLimiter

    ring = HostLimiter(folder / "rings")
    database = _sqlite(folder / "limit.sqlite3")
    database.execute("CREATE TABLE admission (provider, time)")
    database.execute("CREATE INDEX by_time ON admission (provider, time)")

    async def admitted() -> None:
        await ring.wait_time("provider", 1_000_000)

    async def counted() -> None:
        now = time.monotonic()
        database.execute("BEGIN IMMEDIATE")
        database.execute("DELETE FROM admission WHERE time < ?", [now - 60])
        database.execute("SELECT count(*) FROM admission WHERE provider = 'p'")
        database.execute("INSERT INTO admission VALUES ('p', ?)", [now])
        database.execute("COMMIT")

    await show("limit", "a ring file", admitted, "a table of admissions", counted)
    await ring.aclose()


# --- who serves a model ---------------------------------------------------------------


async def registry(folder: Path) -> None:
    """The snapshot in memory, or the database at each call."""
    from asgiref.sync import sync_to_async

    from gateway.calls import router
    from gateway.worker.registry import registry
    from gateway.worker.snapshot import LOCAL
    from providers.models import ModelProvider, ProviderModel

    def register() -> None:
        row = ModelProvider(
            name="openai",
            provider_type="openai",
            endpoint="https://api.openai.com",
            auth_type="none",
        )
        row.save()
        ProviderModel.objects.create(provider=row, model_id="gpt-4o-mini", position=0)
        registry.load()

    await sync_to_async(register)()

    async def known() -> None:
        router.find(registry.snapshot, "gpt-4o-mini", LOCAL)

    async def asked() -> None:
        found = ProviderModel.objects.filter(
            model_id="gpt-4o-mini", provider__enabled=True
        ).select_related("provider__secret")
        async for _ in found:
            pass

    await show("registry", "the snapshot", known, "one query by the ORM", asked)


# --- the way out ----------------------------------------------------------------------


async def exchange(folder: Path) -> None:
    """Our transport, or httpx's own client."""
    import httpx

    from providers.transport import transport

    server = subprocess.Popen(
        [sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    url = f"http://127.0.0.1:{server.stdout.readline().strip()}/v1/chat/completions"
    extensions = {
        "private_network": True,
        "timeout": {"connect": 5, "first_byte": 5, "silence": 5},
    }
    try:
        async with httpx.AsyncClient(trust_env=False, verify=False) as client:

            async def ours() -> None:
                request = httpx.Request(
                    "POST", url, content=b"{}", extensions=extensions
                )
                response = await transport().handle_async_request(request)
                async for _ in response.stream:  # type: ignore[union-attr]
                    pass
                await response.aclose()

            async def theirs() -> None:
                await client.post(url, content=b"{}")

            await show("way out", "our transport", ours, "httpx.AsyncClient", theirs)
    finally:
        server.terminate()
        server.wait()
        await transport().aclose()


# --- a task of its own ----------------------------------------------------------------


async def task(folder: Path) -> None:
    """A call in its connection's task, or in one that is made for it."""

    async def call() -> None:
        pass

    async def made() -> None:
        await asyncio.create_task(call())

    await show("task", "the connection's own", call, "one for each call", made)


async def measure(folder: Path) -> None:
    """Print the table."""
    print(f"{'':12}{'taken':34}{'µs':>9}   {'not taken':38}{'µs':>9}{'times':>8}")
    for decision in (ledger, limit, registry, exchange, task):
        await decision(folder)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as data:
        prepare(Path(data))
        asyncio.run(measure(Path(data)))
