"""`manage.py backup`: one whole, checked file, or none."""

import os
import sqlite3
import stat
import time
from contextlib import closing

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from providers import database
from runagents.backups import copying, sealed


@pytest.fixture
def source(tmp_path, monkeypatch):
    """A database with a thousand rows, open while the command runs."""
    file = tmp_path / "live.sqlite3"
    with closing(sqlite3.connect(file)) as live:
        live.execute("PRAGMA journal_mode=WAL")
        live.execute("CREATE TABLE notes (text)")
        live.executemany(
            "INSERT INTO notes VALUES (?)", ((f"note {n}" * 20,) for n in range(1000))
        )
        live.commit()
        monkeypatch.setattr(database, "file_path", lambda: file)
        yield live


def names(folder):
    """Return what is in a folder, hidden files too, without the database itself."""
    return sorted(
        each.name for each in folder.iterdir() if not each.name.startswith("live")
    )


@pytest.mark.proves("8.4")
def test_a_backup_holds_what_the_database_holds(source, tmp_path):
    # Not yet in the database's own file, but in the log beside it.
    source.execute("INSERT INTO notes VALUES ('the last')")
    source.commit()
    call_command("backup", tmp_path / "copy")
    with closing(sqlite3.connect(tmp_path / "copy")) as copy:
        rows = copy.execute("SELECT text FROM notes").fetchall()
        assert (len(rows), rows[-1]) == (1001, ("the last",))
        assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_a_backup_is_one_file_for_its_owner_alone(source, tmp_path, capsys):
    before = os.umask(0)
    try:
        call_command("backup", tmp_path / "copy")
    finally:
        os.umask(before)
    assert names(tmp_path) == ["copy"]
    assert stat.S_IMODE((tmp_path / "copy").stat().st_mode) == 0o600
    with closing(sqlite3.connect(tmp_path / "copy")) as copy:
        assert copy.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    assert "encryption_key" in capsys.readouterr().out


def test_a_backup_replaces_the_one_before(source, tmp_path):
    (tmp_path / "copy").write_text("of yesterday")
    call_command("backup", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes().startswith(b"SQLite format 3")


def test_a_damaged_database_leaves_the_backup_of_before(source, tmp_path):
    (tmp_path / "copy").write_text("of yesterday")
    source.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    file = database.file_path()
    size = file.stat().st_size
    with file.open("r+b") as damaged:
        damaged.seek(size // 2)
        damaged.write(b"\xff" * 8192)
    with pytest.raises(CommandError, match="damaged"):
        call_command("backup", tmp_path / "copy")
    assert (tmp_path / "copy").read_text() == "of yesterday"
    assert names(tmp_path) == ["copy"]


def test_a_backup_that_breaks_off_leaves_nothing(source, tmp_path, monkeypatch):
    def fail(*arguments):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(copying, "copy", fail)
    with pytest.raises(CommandError, match="disk is full"):
        call_command("backup", tmp_path / "copy")
    assert names(tmp_path) == []


def test_a_folder_that_is_not_there_is_told(source, tmp_path):
    with pytest.raises(CommandError, match="No backup was written"):
        call_command("backup", tmp_path / "nowhere" / "copy")


def test_a_database_that_is_missing_is_not_made(source, tmp_path, monkeypatch):
    missing = tmp_path / "missing.sqlite3"
    monkeypatch.setattr(database, "file_path", lambda: missing)
    with pytest.raises(CommandError, match="unable to open"):
        call_command("backup", tmp_path / "copy")
    assert names(tmp_path) == []


def test_the_database_itself_is_not_written_over(source, tmp_path):
    (tmp_path / "link").symlink_to(database.file_path())
    for name in (database.file_path(), tmp_path / "link"):
        with pytest.raises(CommandError, match="database itself"):
            call_command("backup", name)


def test_another_databases_tool_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(database, "file_path", lambda: None)
    with pytest.raises(CommandError, match="pg_dump"):
        call_command("backup", tmp_path / "copy")
    assert names(tmp_path) == []


def test_what_a_killed_backup_left_is_deleted_after_a_day(
    source, tmp_path, settings, monkeypatch
):
    monkeypatch.setattr(sealed, "COST", 4)
    settings.BACKUP_PASSPHRASE = "a passphrase"
    settings.DATA_DIR = tmp_path
    for name in ("secret_key", "encryption_key"):
        (tmp_path / name).write_text("x")
    old, new = tmp_path / ".backup-old", tmp_path / ".backup-new"
    for left in (old, new):
        left.mkdir()
        (left / "runagents.sqlite3").write_text("half of it")
    yesterday = time.time() - 90_000
    os.utime(old, (yesterday, yesterday))
    call_command("backup", tmp_path / "copy")
    assert not old.exists()
    assert new.exists()
    assert not (set(names(tmp_path)) & {"runagents.sqlite3"})
