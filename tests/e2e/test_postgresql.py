"""The server on PostgreSQL, with the database going away and coming back."""

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest

from providers import keys
from tests.e2e import dialects, registries
from tests.e2e.clusters import Cluster
from tests.e2e.processes import PATIENCE, START_SECONDS, Server, wait_until
from tests.e2e.raw import Answered, Crew, until_all_know
from tests.e2e.replay import Replay

MODELS = ("GET", "/v1/models")
TOKEN = "c" * 32
WAITING = "The database cannot be reached yet"


@pytest.fixture(scope="module")
def gateway(
    tmp_path_factory: pytest.TempPathFactory, cluster: Cluster, replay: Replay
) -> Iterator[Server]:
    """Two workers on PostgreSQL, one provider with a limit."""
    dialects.install(replay)
    folder = tmp_path_factory.mktemp("server")
    made = Server(folder, workers=2, DATABASE_URL=cluster.url, STATUS_CHECK_SECONDS="1")
    made.manage("migrate", "--verbosity", "0")
    limited = registries.openai("main", replay.url, "fine", requests_per_minute=1000)
    made.apply(registries.registry(limited))
    try:
        yield made.start()
    finally:
        code = made.stop()
    assert code == 0


def stored(cluster: Cluster, replay: Replay) -> list[tuple[Any, ...]]:
    """Return outcome, model and tokens of the rows, once each call has its own.

    Of calls that went to a provider: a warm worker refuses what it cannot judge.
    """
    found: list[tuple[Any, ...]] = []

    def enough() -> bool:
        columns = "outcome, model, output_tokens"
        table = "gateway_usagerecord WHERE outcome <> 'refused'"
        found[:] = cluster.rows(f"SELECT {columns} FROM {table}")
        return len(found) >= len(replay.calls)

    wait_until(enough, 60)
    return found


def knows(models: Answered) -> bool:
    """Tell whether a worker knows the model that the tests use."""
    return any(each["id"] == "fine" for each in json.loads(models.body)["data"])


def test_a_call_is_answered_and_stored(gateway, cluster, replay):
    key = gateway.key("agent", "fine")
    until_all_know(gateway, key, "fine")
    answer = gateway.chat("fine", headers={"authorization": f"Bearer {key}"})
    assert answer.status_code == 200
    rows = stored(cluster, replay)
    assert len(rows) == 1
    assert rows[0][:2] == ("ok", "fine")
    assert rows[0][2] > 0


PAGES = (
    "/",
    "/models/",
    "/models/main/?tab=usage",
    "/agents/",
    "/usage/?range=1h",
    "/usage/?range=7d&provider=main",
    "/usage/?range=30d",
    "/requests/?status=2xx&span=30d",
    "/requests/?outcome=failed",
    "/settings/audit-log/",
    "/settings/health/",
    "/admin/gateway/usagerecord/?q=fine",
)


def test_the_console_reads_this_database_too(gateway, cluster, replay):
    assert gateway.chat("fine").status_code == 200
    assert stored(cluster, replay)
    cookies = {"sessionid": gateway.session()}
    for page in PAGES:
        assert gateway.get(page, cookies=cookies).status_code == 200, page

    def is_summed_up() -> bool:
        file = gateway.get("/usage/usage.csv?range=24h", cookies=cookies)
        assert file.status_code == 200
        return ",main,fine,local,local," in file.text

    assert wait_until(is_summed_up, 90)
    assert "fine" in gateway.get("/usage/?range=24h", cookies=cookies).text


OPEN = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"


@pytest.mark.parametrize("page", ["/", "/requests/?live=1", "/usage/usage.csv"])
def test_no_request_leaves_a_connection_open(gateway, cluster, page):
    cookies = {"sessionid": gateway.session()}
    # Workers keep some for what they do by themselves, which a request may begin.
    with Crew(gateway):
        assert gateway.get(page, cookies=cookies).status_code == 200
    before = cluster.rows(OPEN)[0][0]
    for _ in range(12):
        assert gateway.get(page, cookies=cookies).status_code == 200
    assert wait_until(lambda: cluster.rows(OPEN)[0][0] <= before + 4, 30)


@pytest.mark.proves("9.1")
def test_calls_go_on_without_the_database_and_are_stored_afterwards(
    gateway, cluster, replay
):
    with Crew(gateway) as crew:
        # The second worker may still be loading; what it knows, it goes on with.
        assert wait_until(lambda: all(knows(each) for each in crew.ask(*MODELS)), 60)
    before = len(replay.calls)
    unknown = keys.generate(keys.AGENT_PREFIX).plaintext
    cluster.stop()
    try:
        answer = gateway.chat("fine", headers={"x-api-key": unknown})
        assert (answer.status_code, answer.json()["error"]["code"]) == (
            503,
            "store_unavailable",
        )
        for _ in range(10):
            assert gateway.chat("fine").status_code == 200
            assert gateway.get("/readyz").status_code == 200
            time.sleep(0.2)
        page = gateway.get("/login/")
        assert page.status_code == 503
        assert page.headers["retry-after"]
    finally:
        cluster.start()
    assert len(stored(cluster, replay)) == len(replay.calls) == before + 10
    assert wait_until(lambda: gateway.get("/login/").status_code == 200, 60)


READ_ONLY = "default_transaction_read_only"
FULL = """
    CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE 'could not extend file' USING ERRCODE = 'disk_full'; END $$;
"""
TABLES = ("gateway_usagerecord", "providers_workspacekey")
FAULTS = {
    "taken-over": (
        [f"ALTER SYSTEM SET {READ_ONLY} = on", "SELECT pg_reload_conf()"],
        [f"ALTER SYSTEM RESET {READ_ONLY}", "SELECT pg_reload_conf()"],
    ),
    "full": (
        [
            FULL,
            *(
                f"CREATE TRIGGER full_disk BEFORE INSERT ON {table} "
                "EXECUTE FUNCTION full_disk()"
                for table in TABLES
            ),
        ],
        ["DROP FUNCTION full_disk CASCADE"],
    ),
}


@pytest.mark.proves("9.1")
@pytest.mark.parametrize("fault", FAULTS)
def test_a_database_that_takes_nothing_costs_no_call_and_no_row(
    gateway, cluster, replay, fault
):
    """It reads as ever: one that another has taken over from, or with a full disk."""
    assert gateway.chat("fine").status_code == 200
    before = len(replay.calls)
    broken, mended = FAULTS[fault]
    change = {"cookies": {"sessionid": gateway.session(), "csrftoken": TOKEN}}
    change |= {"data": {"csrfmiddlewaretoken": TOKEN, "name": f"of-{fault}"}}
    change |= {"timeout": PATIENCE}
    cluster.run_sql(*broken)
    try:
        if fault == "taken-over":
            assert wait_until(
                lambda: cluster.rows(f"SHOW {READ_ONLY}") == [("on",)], 30
            )
        for _ in range(10):
            assert gateway.chat("fine").status_code == 200
            time.sleep(0.2)
        refused = httpx.post(f"{gateway.url}/settings/api-keys/", **change)
        assert refused.status_code == 503
        assert "database" in refused.text
    finally:
        cluster.run_sql(*mended)
    assert len(stored(cluster, replay)) == len(replay.calls) == before + 10
    assert httpx.post(f"{gateway.url}/settings/api-keys/", **change).status_code < 400


@pytest.mark.proves("9.1")
def test_a_database_that_is_slow_slows_no_call(gateway, cluster, replay):
    """Somebody holds the tables, as a repair or a change of theirs does."""
    assert gateway.chat("fine").status_code == 200
    before = len(replay.calls)
    with psycopg.connect(cluster.url) as holder:
        holder.execute(f"LOCK TABLE {', '.join(TABLES)} IN ACCESS EXCLUSIVE MODE")
        for _ in range(10):
            assert gateway.chat("fine").status_code == 200
            time.sleep(0.2)
    assert len(stored(cluster, replay)) == len(replay.calls) == before + 10


def test_providers_are_checked_again_when_the_database_came_back(gateway, cluster):
    checked = "SELECT status_checked_at FROM providers_modelprovider"
    assert wait_until(lambda: cluster.rows(checked) != [(None,)], 60)
    cluster.stop()
    cluster.start()
    before = cluster.rows(checked)
    assert wait_until(lambda: cluster.rows(checked) > before, 60)


@pytest.mark.proves("9.2")
def test_a_server_that_starts_before_its_database_serves_when_it_is_there(
    tmp_path_factory, cluster
):
    made = Server(tmp_path_factory.mktemp("early"), DATABASE_URL=cluster.url)
    cluster.stop()
    told: list[bool] = []

    def start_the_database_later() -> None:
        told.append(wait_until(lambda: WAITING in made.log, START_SECONDS))
        cluster.start()

    later = threading.Thread(target=start_the_database_later)
    made.log_file.touch()
    later.start()
    try:
        made.start()
        later.join()
        assert told == [True]
        assert wait_until(lambda: made.chat("fine").status_code == 200, 60)
    finally:
        later.join()
        assert made.stop() == 0
