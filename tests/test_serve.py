"""What `serve` prepares before it becomes the server."""

import os
import resource
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from django.contrib.auth.models import User
from django.core.management.base import CommandError
from django.db import DatabaseError, OperationalError, connection

from runagents.management.commands import serve
from runagents.management.commands.serve import Command
from runagents.management.overview import overview
from tests.e2e.processes import ROOT

PASSWORD = "correct horse battery staple"


@pytest.fixture
def prepare(db, settings):
    """Prepares the database as `serve` does: `prepare("admin", PASSWORD, email)`."""

    def run(name: str, password: str = "", email: str = "") -> None:
        settings.FIRST_ADMINISTRATOR = name
        settings.FIRST_ADMINISTRATOR_PASSWORD = password
        settings.FIRST_ADMINISTRATOR_EMAIL = email
        Command()._prepare_database()

    return run


def test_the_first_administrator_needs_no_email(prepare):
    prepare("admin", PASSWORD)
    user = User.objects.get()
    assert user.is_superuser
    assert user.is_staff
    assert user.check_password(PASSWORD)


def test_nobody_is_made_beside_an_administrator(prepare, administrator):
    prepare("second", PASSWORD, "second@example.com")
    assert list(User.objects.all()) == [administrator]


def test_a_name_without_a_password_is_refused_in_a_sentence(prepare):
    with pytest.raises(CommandError, match="DJANGO_SUPERUSER_PASSWORD"):
        prepare("admin")


@pytest.mark.parametrize(
    ("name", "email", "variable"),
    [("a name", "", "USERNAME"), ("admin", "nowhere", "EMAIL")],
)
def test_a_wrong_value_is_told_with_its_variable(prepare, name, email, variable):
    with pytest.raises(CommandError, match=f"DJANGO_SUPERUSER_{variable}: Enter a val"):
        prepare(name, PASSWORD, email)
    assert not User.objects.exists()


@pytest.mark.proves("10.5")
def test_as_many_files_as_the_system_allows_may_be_open(settings, capsys):
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    settings.CALLS_PER_WORKER = before[1]
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
        Command()._raise_file_limit()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (before[1], before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert "lower CALLS_PER_WORKER" in capsys.readouterr().err


def test_a_database_that_starts_late_is_waited_for(prepare, monkeypatch, capsys):
    tries = []

    def fill(command: Command) -> None:
        tries.append(command)
        if len(tries) < 3:
            raise OperationalError("connection refused")

    monkeypatch.setattr(Command, "_fill_database", fill)
    monkeypatch.setattr(
        "runagents.management.commands.serve.time.sleep", lambda _: None
    )
    monkeypatch.setattr(connection, "vendor", "postgresql")
    prepare("admin", PASSWORD)
    assert len(tries) == 3
    assert capsys.readouterr().err.count("cannot be reached yet") == 1


@pytest.mark.slow
@pytest.mark.parametrize("command", ["createkey agent", "providers export"])
def test_a_command_before_the_first_start_says_what_to_do(tmp_path, command):
    done = subprocess.run(
        [sys.executable, "manage.py", *command.split()],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "RUNAGENTS_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert "manage.py migrate" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_a_port_that_does_not_exist_is_refused_in_a_sentence(port):
    with pytest.raises(CommandError, match="port must be 1 to 65535, not"):
        serve._check_address("127.0.0.1", port)


def test_an_address_in_use_names_the_settings_that_choose_another():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CommandError, match=f"{port}.*RUNAGENTS_PORT"):
            serve._check_address("127.0.0.1", port)


@pytest.mark.slow
def test_a_wrong_setting_is_told_in_a_sentence(tmp_path):
    done = subprocess.run(
        [sys.executable, "manage.py", "serve"],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "RUNAGENTS_DATA_DIR": str(tmp_path),
            "RUNAGENTS_PORT": "abc",
        },
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stderr == "RUNAGENTS_PORT must be a whole number, not 'abc'.\n"


def test_a_server_that_listens_everywhere_lists_its_addresses(
    settings, monkeypatch, capsys, db
):
    monkeypatch.setattr(serve, "own_addresses", lambda: ["192.0.2.7", "2001:db8::7"])
    settings.PUBLIC_URL = ""
    settings.ALLOWED_HOSTS = ["127.0.0.1", "[2001:db8::7]"]
    serve.Command()._announce("0.0.0.0", 8000)
    told = capsys.readouterr().out
    assert "http://192.0.2.7:8000  (the console needs ALLOWED_HOSTS=192.0.2.7)" in told
    assert "http://[2001:db8::7]:8000\n" in told
    assert "PUBLIC_URL=http://NAME:8000" in told


def test_the_addresses_of_this_machine_are_not_loopback():
    assert not any(address.startswith("127.") for address in serve.own_addresses())


def test_a_damaged_database_is_called_damaged(monkeypatch, capsys, tmp_path):
    damaged = tmp_path / "damaged.sqlite3"
    damaged.write_bytes(b"SQLite format 3\0" + b"\xff" * 8192)

    def fill(command: Command) -> None:
        with closing(sqlite3.connect(damaged)) as other:
            try:
                other.execute("SELECT * FROM sqlite_master")
            except sqlite3.DatabaseError as error:
                raise DatabaseError(str(error)) from error

    monkeypatch.setattr(Command, "_fill_database", fill)
    monkeypatch.setattr(connection, "close", lambda: None)
    monkeypatch.setattr(connection, "vendor", "sqlite")
    Command()._prepare_database()
    said = capsys.readouterr().err
    assert "is damaged" in said
    assert "backup" in said


@pytest.mark.proves("8.4")
@pytest.mark.parametrize(
    ("host", "workers", "is_told"),
    [("127.0.0.1", 1, False), ("127.0.0.1", 2, True), ("0.0.0.0", 1, True)],
)
def test_sqlites_bug_is_told_where_it_matters(
    monkeypatch, capsys, host, workers, is_told
):
    monkeypatch.setattr(serve.sqlite3, "sqlite_version_info", (3, 40, 1))
    Command()._warn_of_sqlite(host, workers)
    assert ("rare corruption bug" in capsys.readouterr().err) is is_told


def test_sqlites_bug_is_not_told_of_another_database(monkeypatch, capsys):
    monkeypatch.setattr(serve.sqlite3, "sqlite_version_info", (3, 40, 1))
    monkeypatch.setattr(connection, "vendor", "postgresql")
    Command()._warn_of_sqlite("0.0.0.0", 4)
    assert capsys.readouterr().err == ""


def test_help_of_serve_says_what_holds_without_options():
    shown = Command().create_parser("manage.py", "serve").format_help()
    words = " ".join(shown.split())
    assert "RUNAGENTS_HOST, here 127.0.0.1" in words
    assert "RUNAGENTS_PORT, here 8000" in words
    assert "RUNAGENTS_WORKERS, here 1" in words


def test_our_commands_come_first_with_what_they_do():
    shown = overview("runagents").splitlines()
    assert next(line for line in shown if line.startswith("  ")).split()[0] == "serve"
    for name in ("createkey", "providers", "rotatesecrets"):
        (line,) = [each for each in shown if each.startswith(f"  {name} ")]
        assert len(line.split()) > 3


def test_every_command_of_ours_is_in_the_overview():
    ours = {
        path.stem
        for package in ("runagents", "providers")
        for path in (ROOT / package / "management/commands").glob("[a-z]*.py")
    }
    named = {
        line.split()[0]
        for line in overview("runagents").splitlines()
        if line[:2] == "  "
    }
    assert ours <= named
