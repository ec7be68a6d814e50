"""A backup taken from a running server and put back, and what is refused instead."""

import hashlib
import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest

from tests.e2e import dialects, registries, warm
from tests.e2e.processes import Server
from tests.e2e.raw import until_all_know
from tests.e2e.replay import Replay

PASSPHRASE = {"BACKUP_PASSPHRASE": "a long night at the harbour"}
KEYS = ("secret_key", "encryption_key")


@pytest.fixture
def gateway(server: Callable[..., Server], replay: Replay) -> Server:
    """A server with a provider that has a credential."""
    dialects.install(replay)
    return server(
        registries.registry(registries.openai("first", replay.url, "fine")), workers=2
    )


@pytest.fixture
def stopped(tmp_path) -> Server:
    """An installation that was set up and does not run."""
    made = Server(tmp_path)
    made.manage("migrate", "--verbosity", "0")
    return made


def refusal(server: Server, *arguments: str, **environ: str) -> str:
    """Return what a command that fails says."""
    done = warm.run(list(arguments), {**server.environ, **environ})
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr


def state(server: Server) -> dict[str, str]:
    """Return what lies in the data folder."""
    return {
        str(path.relative_to(server.data)): hashlib.sha256(
            path.read_bytes()
        ).hexdigest()
        for path in server.data.rglob("*")
        if path.is_file() and path.suffix != ".lock"
    }


@pytest.mark.proves("8.4")
def test_a_new_host_goes_on_where_the_backup_was_taken(gateway, tmp_path):
    key = gateway.key("agent", "fine")
    until_all_know(gateway, key, "fine")
    assert gateway.chat("fine", headers=_key(key)).status_code == 200
    assert gateway.rows(1)
    file = tmp_path / "all.backup"
    told = gateway.manage("backup", str(file), **PASSPHRASE)
    assert "encryption_key" in told
    assert b"SQLite" not in file.read_bytes()

    other = Server(tmp_path / "other")
    assert "Restored" in other.manage("restore", str(file), **PASSPHRASE)
    for name in KEYS:
        assert (other.data / name).read_text() == (gateway.data / name).read_text()
        assert (other.data / name).stat().st_mode & 0o777 == 0o600
    try:
        other.start()
        # The key is known, and the provider's credential is read.
        assert other.chat("fine", headers=_key(key)).status_code == 200
        assert len(other.rows(2)) == 2
    finally:
        assert other.stop() == 0


def test_while_the_server_runs_nothing_is_restored(gateway, tmp_path):
    file = tmp_path / "all.backup"
    gateway.manage("backup", str(file), **PASSPHRASE)
    assert "Stop it" in refusal(gateway, "restore", str(file), **PASSPHRASE)
    assert gateway.stop() == 0
    assert "Restored" in gateway.manage("restore", str(file), **PASSPHRASE)


def test_what_was_there_before_is_kept(stopped, tmp_path):
    file = tmp_path / "all.backup"
    stopped.manage("backup", str(file), **PASSPHRASE)
    late = stopped.key("late")
    assert late
    own = (stopped.data / "encryption_key").read_text()
    stopped.manage("restore", str(file), **PASSPHRASE)
    kept = next(stopped.data.glob("before-restore-*"))
    assert (kept / "encryption_key").read_text() == own
    names = "SELECT name FROM agents_agent"
    with closing(sqlite3.connect(kept / "runagents.sqlite3")) as before:
        assert before.execute(names).fetchall() == [("late",)]
    with closing(sqlite3.connect(stopped.data / "runagents.sqlite3")) as now:
        assert now.execute(names).fetchall() == []


def test_a_plain_copy_is_restored_without_keys(stopped, tmp_path):
    file = tmp_path / "plain.backup"
    assert "not encrypted" in stopped.manage("backup", str(file))
    own = (stopped.data / "encryption_key").read_text()
    stopped.manage("restore", str(file))
    assert (stopped.data / "encryption_key").read_text() == own


def _half(content: bytes) -> bytes:
    return content[: len(content) // 2]


def _changed(content: bytes) -> bytes:
    return content[:-40] + bytes([content[-40] ^ 1]) + content[-39:]


@pytest.mark.proves("8.4")
@pytest.mark.parametrize(
    ("spoil", "environ", "words"),
    [
        (_half, PASSPHRASE, "cut off"),
        (_changed, PASSPHRASE, "damaged"),
        (lambda content: b"", PASSPHRASE, "no backup"),
        (lambda content: b"words", PASSPHRASE, "no backup"),
        (bytes, {}, "set BACKUP_PASSPHRASE"),
        (bytes, {"BACKUP_PASSPHRASE": "wrong"}, "not the passphrase"),
    ],
    ids=["half", "changed", "empty", "another file", "no passphrase", "wrong one"],
)
def test_a_file_that_cannot_be_restored_changes_nothing(
    stopped, tmp_path, spoil, environ, words
):
    file = tmp_path / "all.backup"
    stopped.manage("backup", str(file), **PASSPHRASE)
    file.write_bytes(spoil(file.read_bytes()))
    before = state(stopped)
    told = refusal(stopped, "restore", str(file), **environ)
    assert words in told
    assert "Nothing was changed" in told
    assert state(stopped) == before


def _execute(server: Server, *statements: str) -> None:
    with closing(sqlite3.connect(server.data / "runagents.sqlite3")) as database:
        for statement in statements:
            database.execute(statement)
        database.commit()


def test_a_backup_of_a_newer_version_is_refused(stopped, tmp_path):
    file = tmp_path / "all.backup"
    row = "('gateway', '9999_later', '2030-01-01')"
    _execute(
        stopped,
        f"INSERT INTO django_migrations (app, name, applied) VALUES {row}",
    )
    stopped.manage("backup", str(file), **PASSPHRASE)
    before = state(stopped)
    assert "newer version" in refusal(stopped, "restore", str(file), **PASSPHRASE)
    assert state(stopped) == before


MIGRATIONS = "SELECT name FROM django_migrations WHERE app = 'runagents' ORDER BY 1"


def test_a_backup_of_an_older_version_is_migrated(stopped, tmp_path):
    file = tmp_path / "all.backup"
    with closing(sqlite3.connect(stopped.data / "runagents.sqlite3")) as database:
        *_, earlier, last = (name for (name,) in database.execute(MIGRATIONS))
    stopped.manage("migrate", "--verbosity", "0", "runagents", earlier)
    stopped.manage("backup", str(file), **PASSPHRASE)
    stopped.manage("restore", str(file), **PASSPHRASE)
    with closing(sqlite3.connect(stopped.data / "runagents.sqlite3")) as database:
        assert (last,) in database.execute(MIGRATIONS).fetchall()


def test_keys_of_the_environment_are_no_part_of_a_backup(stopped, tmp_path):
    file = tmp_path / "all.backup"
    given = {
        "SECRET_KEY": "x" * 50,
        "ENCRYPTION_KEYS": (stopped.data / "encryption_key").read_text(),
    }
    told = stopped.manage("backup", str(file), **PASSPHRASE, **given)
    assert "keep them" in told
    other = Server(tmp_path / "other")
    other.manage("restore", str(file), **PASSPHRASE)
    own = (other.data / "encryption_key").read_text().strip()
    assert own != given["ENCRYPTION_KEYS"].strip()


def test_a_damaged_installation_is_restored(stopped, tmp_path):
    file = tmp_path / "all.backup"
    stopped.manage("backup", str(file), **PASSPHRASE)
    database = stopped.data / "runagents.sqlite3"
    database.write_bytes(b"\xff" * 8192)
    database.with_name(database.name + "-wal").write_bytes(b"\xff" * 4096)
    (stopped.data / "encryption_key").unlink()
    stopped.manage("restore", str(file), **PASSPHRASE)
    assert "No planned" in stopped.manage("migrate", "--plan")
    kept = next(stopped.data.glob("before-restore-*"))
    assert (kept / "runagents.sqlite3").read_bytes() == b"\xff" * 8192


def _key(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}
