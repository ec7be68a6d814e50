"""Several servers that start at once set one database up together."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

import psycopg

from runagents.management.turns import NUMBER
from tests.e2e.clusters import Cluster
from tests.e2e.processes import START_SECONDS, Server, wait_until

SERVERS = 3
APPLIED = "SELECT count(*), count(DISTINCT (app, name)) FROM django_migrations"
WAITING = "Waiting for another server"


@contextmanager
def turn(url: str) -> Iterator[None]:
    """Hold the right to set a database up, as a server does."""
    with psycopg.connect(url) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [NUMBER])
        yield


def start_at_once(url: str, servers: list[Server]) -> None:
    """Start all of them in the same moment, and stop them when each has served."""
    with ExitStack() as stack:
        with turn(url):
            for each in servers:
                each.begin_to_start()
                stack.callback(each.stop)
            for each in servers:
                assert wait_until(partial(is_waiting, each), START_SECONDS), each.log
        for each in servers:
            each.wait_until_ready()
        for each in servers:
            each.begin_to_stop()
        assert [each.stop() for each in servers] == [0] * len(servers)


def is_waiting(server: Server) -> bool:
    """Tell whether a server says that it waits for another."""
    return WAITING in server.log


def test_hosts_that_start_at_once_migrate_one_database(tmp_path, cluster: Cluster):
    url = cluster.database("fresh")
    hosts = [
        Server(tmp_path / str(n), DATABASE_URL=url, SECRET_KEY="k" * 50)
        for n in range(SERVERS)
    ]
    for each in hosts:
        each.data.mkdir(parents=True)
    start_at_once(url, hosts)
    rows, migrations = cluster.rows(APPLIED, "fresh")[0]
    assert rows == migrations > 0
    assert cluster.rows("SELECT count(*) FROM auth_user", "fresh") == [(1,)]
    for each in hosts:
        assert "cannot be reached" not in each.log
        assert not each.failures, each.log
