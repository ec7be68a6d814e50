"""Several servers that start at once set one database up together."""

from tests.e2e.clusters import Cluster
from tests.e2e.processes import Server

SERVERS = 3
APPLIED = "SELECT count(*), count(DISTINCT (app, name)) FROM django_migrations"
WAITING = "Waiting for another server"


def start_at_once(servers: list[Server]) -> None:
    """Start all of them, and stop them when each has served."""
    for each in servers:
        each.begin_to_start()
    for each in servers:
        each.wait_until_ready()
    for each in servers:
        each.begin_to_stop()
    assert [each.stop() for each in servers] == [0] * len(servers)


def test_hosts_that_start_at_once_migrate_one_database(tmp_path, cluster: Cluster):
    url = cluster.database("fresh")
    hosts = [
        Server(tmp_path / str(n), DATABASE_URL=url, SECRET_KEY="k" * 50)
        for n in range(SERVERS)
    ]
    for each in hosts:
        each.data.mkdir(parents=True)
    start_at_once(hosts)
    rows, migrations = cluster.rows(APPLIED, "fresh")[0]
    assert rows == migrations > 0
    assert cluster.rows("SELECT count(*) FROM auth_user", "fresh") == [(1,)]
    assert any(WAITING in each.log for each in hosts)
    for each in hosts:
        assert "cannot be reached" not in each.log
        assert not each.failures, each.log
