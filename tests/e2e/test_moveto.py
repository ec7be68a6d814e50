"""An installation moves from SQLite to PostgreSQL, with everything that it has."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.e2e import dialects, registries
from tests.e2e.clusters import Cluster
from tests.e2e.processes import Server, wait_until
from tests.e2e.replay import Replay

ROWS = "SELECT count(*) FROM gateway_usagerecord WHERE outcome = 'ok'"
TABLE = "ALTER TABLE gateway_usagerecord"
PROGRESS = "SELECT name FROM runagents_move ORDER BY name"


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, installation: Path, replay: Replay
) -> Iterator[Server]:
    """An installation on SQLite that has served."""
    dialects.install(replay)
    replay.credentials["/v1"] = ("authorization", "Bearer canary")
    made = Server(tmp_path_factory.mktemp("server"))
    made.adopt(installation)
    main = registries.with_key(
        registries.openai("main", replay.url, "fine"), "main-key", prefix="Bearer "
    )
    secret = {"api_key": "CANARY"}
    made.apply(registries.registry(main, main_key=secret), CANARY="canary")
    made.start()
    assert made.chat("fine").status_code == 200
    assert made.rows(1, outcome="ok")
    yield made
    made.stop()


def test_a_server_that_runs_is_not_moved(server, cluster: Cluster):
    assert "Stop it, then move" in server.refused("moveto", cluster.database("early"))


def test_only_an_empty_postgresql_is_moved_to(server, cluster):
    server.stop()
    assert "Name a PostgreSQL" in server.refused("moveto", "sqlite:////tmp/other")
    url = cluster.database("taken")
    other = Server(server.data.parent / "other", DATABASE_URL=url)
    other.manage("migrate", "--verbosity", "0")
    other.key("somebody")
    told = server.refused("moveto", url)
    assert "holds data of its own (agents_agent" in told
    assert "DATABASE_URL names it" in other.refused("moveto", url)


def test_a_move_that_broke_off_goes_on_and_everything_is_there(server, cluster, replay):
    url = cluster.database("moved")
    key = server.key("agent", "fine")
    server.manage("migrate", "--verbosity", "0")
    Server(server.data.parent / "new", DATABASE_URL=url).manage("migrate", "-v", "0")
    with psycopg.connect(url, autocommit=True) as database:
        database.execute(
            "ALTER TABLE gateway_usagerecord ADD CONSTRAINT no CHECK (false)"
        )
        told = server.refused("moveto", "-", text=url)
        assert "Run it again: it goes on" in told
        assert ("auth_user",) in cluster.rows(PROGRESS, "moved")
        database.execute(f"{TABLE} DROP CONSTRAINT no")
    assert "the counts agree" in server.manage("moveto", "-", text=url)
    assert "holds data of its own" in server.refused("moveto", url)

    moved = Server(server.data.parent, DATABASE_URL=url)
    before = cluster.rows(ROWS, "moved")[0][0]
    moved.start()
    try:
        # The key, the stored credential and the numbers of rows hold.
        headers = {"authorization": f"Bearer {key}"}
        assert moved.chat("fine", headers=headers).status_code == 200
        assert wait_until(lambda: cluster.rows(ROWS, "moved")[0][0] == before + 1, 20)
        moved.key("another")
        assert moved.get("/login/").status_code == 200
    finally:
        assert moved.stop() == 0
