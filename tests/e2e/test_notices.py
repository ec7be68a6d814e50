"""PostgreSQL tells of changes of the registry, and whoever lost it listens again."""

import asyncio

import psycopg
import pytest

from providers.database import notices
from tests.e2e.clusters import Cluster
from tests.e2e.processes import Server

BUMP = "from providers.models import RegistryVersion as V; V.bump()"
BREAK = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query ~ '^LISTEN'"
SECONDS = 60


class Ear:
    """Listens, and counts what it hears."""

    def __init__(self) -> None:
        self._heard: asyncio.Queue[None] = asyncio.Queue()

    async def __aenter__(self) -> "Ear":
        listening = notices.listen(lambda: self._heard.put_nowait(None))
        self._task = asyncio.create_task(listening)
        await self.hears()
        return self

    async def __aexit__(self, *error: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def hears(self) -> None:
        """Wait for the next notice; raises TimeoutError without one."""
        await asyncio.wait_for(self._heard.get(), SECONDS)


@pytest.fixture(autouse=True)
def _parameters(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Listen to the cluster, and connect again soon."""
    parameters = {"conninfo": cluster.url, "connect_timeout": 5}
    monkeypatch.setattr(notices, "PAUSE_SECONDS", 0.1)
    monkeypatch.setattr(notices, "_parameters", lambda: parameters)


def tell(cluster: Cluster) -> None:
    """Announce a change."""
    with psycopg.connect(cluster.url) as connection:
        connection.execute(f"NOTIFY {notices.CHANNEL}")


def test_what_is_told_is_heard_also_over_the_next_connection(cluster):
    async def listen() -> None:
        async with Ear() as ear:
            tell(cluster)
            await ear.hears()
            cluster.rows(BREAK)
            # It is connected again: what was told meanwhile is to be looked for.
            await ear.hears()
            tell(cluster)
            await ear.hears()

    asyncio.run(listen())


def test_a_database_that_comes_back_is_listened_to(cluster):
    async def listen() -> None:
        async with Ear() as ear:
            cluster.stop()
            await asyncio.sleep(0.5)
            await asyncio.to_thread(cluster.start)
            await ear.hears()
            tell(cluster)
            await ear.hears()

    asyncio.run(listen())


def test_a_change_of_the_registry_is_told(cluster, tmp_path):
    server = Server(tmp_path, DATABASE_URL=cluster.url)
    server.manage("migrate", "--verbosity", "0")
    with psycopg.connect(cluster.url, autocommit=True) as connection:
        connection.execute(f"LISTEN {notices.CHANNEL}")
        server.manage("shell", "-v", "0", "-c", BUMP)
        told = list(connection.notifies(timeout=SECONDS, stop_after=1))
    assert [each.channel for each in told] == [notices.CHANNEL]
