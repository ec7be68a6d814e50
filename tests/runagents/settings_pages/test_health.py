"""Settings > Health: what an operator asks first, also when things are ill."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from gateway.worker.runtime import runtime
from gateway.worker.troubles import LIMITS
from providers import database
from providers.models import ModelList, ModelProvider
from runagents import __version__
from runagents.backups import last
from runagents.settings_pages import health, releases
from tests.redis_server import RedisServer

PAGE = "/settings/health/"


@pytest.fixture(autouse=True)
def folder(tmp_path, settings):
    """A data folder of its own."""
    settings.DATA_DIR = tmp_path
    return tmp_path


@pytest.fixture
def fact(db):
    """Return a fact by its label."""

    def found(label):
        facts = [each for _title, group in health.groups() for each in group]
        return next(each for each in facts if each.label == label)

    return found


def worker(folder, **told):
    """Put down what a worker tells; returns the lock that says it lives."""
    import fcntl

    shelf = folder / "metrics"
    shelf.mkdir(exist_ok=True)
    (shelf / "7-x.json").write_text(json.dumps({"worker": {"pid": 7, **told}}))
    lock = (shelf / "7-x.lock").open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def test_the_page_tells_version_and_database(logged_in_client):
    page = logged_in_client.get(PAGE).content.decode()
    assert __version__ in page
    assert connection.display_name in page


def test_a_leader_that_is_late_is_bad(fact, folder):
    assert fact("Leader").state == "bad"
    with worker(folder, is_leader=True, stored_ago_seconds=3.0):
        assert (fact("Leader").value, fact("Stored last").state) == ("Process 7", "ok")
    with worker(folder, is_leader=True, stored_ago_seconds=99.0):
        assert fact("Stored last").state == "bad"


def test_lines_that_were_lost_are_told(fact, folder):
    with worker(folder, usage_lines_dropped=4):
        assert fact("Spool").state == "bad"
        assert "4 lines" in str(fact("Spool").note)


@pytest.mark.parametrize(
    ("days", "is_whole", "state"),
    [(0, True, "ok"), (3, True, "warn"), (0, False, "warn")],
)
def test_an_old_backup_or_one_without_keys_is_warned_of(
    fact, folder, monkeypatch, days, is_whole, state
):
    monkeypatch.setattr(database, "file_path", lambda: folder / "x")
    assert fact("Last backup").value == "None"
    made = last.Last("/b", datetime.now(UTC) - timedelta(days=days), 9, is_whole)
    monkeypatch.setattr(health, "last", lambda: made)
    assert fact("Last backup").state == state


def test_a_backup_is_remembered(folder):
    (folder / "file").write_bytes(b"12345")
    last.remember(folder / "file", is_whole=True)
    made = last.last()
    assert (made.file, made.size, made.is_whole) == (str(folder / "file"), 5, True)
    assert datetime.now(UTC) - made.made_at < timedelta(minutes=1)


def test_redis_that_is_away_is_told(fact, settings):
    settings.REDIS_URL = ""
    assert fact("Redis").value == "Not used"
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert fact("Redis").state == "bad"


def test_redis_that_answers_and_does_not_count_is_told(
    fact, settings, monkeypatch, tmp_path_factory
):
    server = RedisServer(tmp_path_factory.mktemp("r"))
    settings.REDIS_URL = server.url
    monkeypatch.setattr(health, "REDIS_PATIENCE_SECONDS", 60.0)
    try:
        assert fact("Redis").state == "ok"
        monkeypatch.setattr(runtime.board, "own", {LIMITS: "READONLY"})
        assert (fact("Redis").state, fact("Redis").note) == ("bad", "READONLY")
    finally:
        server.stop()


def test_providers_are_counted_by_state(fact, provider):
    provider("one", status="available")
    provider("two", status="failed")
    assert fact("Providers").note == "1 Available, 1 Failed"
    assert fact("Providers").state == "warn"
    ModelProvider.objects.filter(name="two").update(enabled=False)
    assert fact("Providers").state == "ok"


def test_changes_of_tables_that_wait_are_named(fact, monkeypatch):
    assert fact("Changes of tables").state == "ok"
    from django.db.migrations.recorder import MigrationRecorder

    recorder = MigrationRecorder.Migration
    recorder.objects.filter(app="runagents", name__startswith="0004").delete()
    assert "runagents.0004" in str(fact("Changes of tables").note)


def test_a_newer_release_is_told_where_it_was_asked_for(
    logged_in_client, folder, settings
):
    (folder / "newest_release.json").write_text('{"version": "99.0"}')
    assert "99.0" not in logged_in_client.get(PAGE).content.decode()
    settings.RELEASE_NOTICE = True
    page = logged_in_client.get(PAGE).content.decode()
    assert re.search(r"99\.0\s+is out", page)
    assert "99.0" in logged_in_client.get("/").content.decode()


@pytest.mark.parametrize("text", ['{"version": "0.0.1"}', '{"version": "9.0rc1"}', "x"])
def test_what_is_no_newer_release_is_not_told(folder, settings, text):
    settings.RELEASE_NOTICE = True
    (folder / "newest_release.json").write_text(text)
    assert releases.newer() == ""


@pytest.mark.parametrize(("calls", "told"), [(1, "1 call open"), (2, "2 calls open")])
def test_open_calls_are_counted_in_words(fact, folder, calls, told):
    with worker(folder, calls_open=calls):
        assert fact("Workers").note == f"{told} on this host"


def test_what_is_told_as_code_is_shown_as_code(logged_in_client, folder, monkeypatch):
    monkeypatch.setattr(database, "file_path", lambda: folder / "x")
    page = logged_in_client.get(PAGE).content.decode()
    assert "<code>manage.py backup</code>" in page
    assert "`" not in page.partition("<main")[2].partition("</main>")[0]


def test_model_lists_that_wait_are_named_and_more_is_told(fact, provider):
    for name in "abcdef":
        ModelList.objects.create(provider=provider(name), proposals=2)
        told = fact("Model lists")
        assert told.note.endswith("…") == (name == "f")
    assert told.value == 12
