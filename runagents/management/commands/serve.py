"""`manage.py serve`: everything a first run needs, then the server."""

import hashlib
import ipaddress
import os
import resource
import socket
import sqlite3
import subprocess
import sys
import time
from argparse import SUPPRESS
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.staticfiles.finders import get_finders
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error as DatabaseError
from django.db import connection, connections

from providers import sealing, starter
from runagents.accounts import setup
from runagents.management.migrated import is_migrated
from runagents.management.turns import turn
from runagents.serving import running
from runagents.serving.application import Served
from runagents.serving.keeper import arbiter

SAFE_SQLITE = (3, 51, 3)
DATABASE_PATIENCE_SECONDS = 30
# Beside the two sockets of each call: the console, databases, files of limits.
OTHER_FILES = 512
MOST_PORTS = 65535


class Command(BaseCommand):
    """Prepares data folder, database and static files, then becomes gunicorn."""

    help = "Set up what is missing and serve the console and the gateway."
    # Django's checks are of code, and the same for everybody: a test runs them. Here
    # they would load every page and what each needs, half a second and 10 MB.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the address and the number of worker processes."""
        parser.add_argument(
            "--host",
            default=settings.LISTEN_HOST,
            help="address to listen on; 0.0.0.0 for all of this machine's, then with "
            "ALLOWED_HOSTS or PUBLIC_URL (RUNAGENTS_HOST, here %(default)s)",
        )
        parser.add_argument(
            "--port",
            type=int,
            default=settings.LISTEN_PORT,
            help="port to listen on (RUNAGENTS_PORT, here %(default)s)",
        )
        parser.add_argument(
            "--workers",
            type=int,
            default=settings.WORKERS,
            help="processes that serve side by side; one a core is usual "
            "(RUNAGENTS_WORKERS, here %(default)s)",
        )
        # What a main process that wakes up hands to itself.
        parser.add_argument(arbiter.OPTION, type=arbiter.Kept.read, help=SUPPRESS)

    def handle(
        self, *, kept: arbiter.Kept | None, host: str, port: int, workers: int, **_: Any
    ) -> None:
        """Run the set-up and become the server."""
        if kept is None:
            self._set_up(host, port, workers)
        else:
            self._catch_up()
        os.chdir(settings.BASE_DIR)
        Served(kept).run()

    def _set_up(self, host: str, port: int, workers: int) -> None:
        asked = (host, port, workers)
        if asked != (settings.LISTEN_HOST, settings.LISTEN_PORT, settings.WORKERS):
            # The command line read them otherwise than Django did.
            raise CommandError("Write --host, --port and --workers out in full.")
        _check_address(host, port)
        if workers < 1:
            raise CommandError("--workers must be 1 or more.")
        settings.DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
        running.hold()
        sealing.ciphers()
        self._raise_file_limit()
        self._prepare_database()
        self._collect_static()
        self._announce(host, port)
        self._warn_of_sqlite(host, workers)
        connections.close_all()
        sys.stdout.flush()
        sys.stderr.flush()

    def _catch_up(self) -> None:
        """Prepare what a version needs that was installed while the main process slept.

        Its worker will be of that version. A database that is down is not waited for.
        """
        try:
            self._fill_database()
        except DatabaseError as error:
            self.stderr.write(_trouble(error))
        self._collect_static()
        connections.close_all()

    def _raise_file_limit(self) -> None:
        """Allow as many open files as the system lets us; each call takes two."""
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        needed = 2 * settings.CALLS_PER_WORKER + OTHER_FILES
        if most != resource.RLIM_INFINITY and most < needed:
            self.stderr.write(
                f"Note: this system allows {most} open files per process; "
                f"{settings.CALLS_PER_WORKER} calls at once take {needed}. Raise the "
                "limit (ulimit -n) or lower CALLS_PER_WORKER."
            )

    def _prepare_database(self) -> None:
        """Migrate and make the first administrator; carry on without a database.

        One that starts at the same time as this server is waited for: who migrates it
        later?
        """
        deadline = time.monotonic() + DATABASE_PATIENCE_SECONDS
        told = False
        while True:
            try:
                self._fill_database()
                return
            except DatabaseError as error:
                if not told:
                    self.stderr.write(_trouble(error))
                told = True
                connection.close()
            if connection.vendor == "sqlite" or time.monotonic() > deadline:
                return
            time.sleep(1)

    def _fill_database(self) -> None:
        with turn(wait=self._tell_of_another):
            if not is_migrated(connection):
                self.stdout.write("Setting up the database ...")
                self.stdout.flush()
                _run_apart("migrate", "--verbosity=0")
            starter.refresh_sandbox_address()
            self._make_administrator()

    def _tell_of_another(self) -> None:
        self.stdout.write("Waiting for another server, which sets the database up ...")
        self.stdout.flush()

    def _make_administrator(self) -> None:
        name = settings.FIRST_ADMINISTRATOR
        if not name or User.objects.exists():
            return
        user = User(
            username=User.normalize_username(name),
            email=settings.FIRST_ADMINISTRATOR_EMAIL,
            is_staff=True,
            is_superuser=True,
        )
        if not settings.FIRST_ADMINISTRATOR_PASSWORD:
            raise CommandError(
                "DJANGO_SUPERUSER_USERNAME is set without a password. Set "
                "DJANGO_SUPERUSER_PASSWORD as well, or neither to be asked in the "
                "browser."
            )
        user.set_password(settings.FIRST_ADMINISTRATOR_PASSWORD)
        try:
            user.clean_fields()
        except ValidationError as error:
            field, told = next(iter(error.message_dict.items()))
            raise CommandError(f"DJANGO_SUPERUSER_{field.upper()}: {told[0]}") from None
        user.save()

    def _collect_static(self) -> None:
        """Collect static files when any of them changed since last time."""
        stamp = settings.STATIC_ROOT / ".stamp"
        wanted = _static_fingerprint()
        if not stamp.exists() or stamp.read_text() != wanted:
            self.stdout.write("Collecting the console's files ...")
            self.stdout.flush()
            _run_apart("collectstatic", "--no-input", "--clear", "--verbosity=0")
            stamp.write_text(wanted)

    def _announce(self, host: str, port: int) -> None:
        """Print where to go next."""
        shown = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104
        shown = f"[{shown}]" if ":" in shown else shown
        base = settings.PUBLIC_URL or f"http://{shown}:{port}"
        try:
            token = "" if User.objects.exists() else setup.setup_token()
        except DatabaseError:
            token = ""
        page = f"{base}/setup/?token={token}" if token else f"{base}/"
        what = "Set up the console:" if token else "Console:"
        self.stdout.write(f"{what:20}{page}")
        self.stdout.write(f"{'Gateway:':20}{base}/v1/chat/completions")
        if host in {"0.0.0.0", "::"}:  # noqa: S104
            self._list_addresses(port)

    def _warn_of_sqlite(self, host: str, workers: int) -> None:
        """Tell of SQLite's bug where several write at once: not for a first look.

        https://sqlite.org/wal.html#the_wal_reset_bug
        """
        is_first_look = workers == 1 and host in {"127.0.0.1", "::1", "localhost"}
        if connection.vendor != "sqlite" or is_first_look:
            return
        if sqlite3.sqlite_version_info < SAFE_SQLITE:
            self.stderr.write(
                f"Note: SQLite {sqlite3.sqlite_version} has a rare corruption bug in "
                "WAL mode that 3.51.3 mends. Keep backups, or use PostgreSQL."
            )

    def _list_addresses(self, port: int) -> None:
        """Print where a server that listens everywhere is found, and by which names."""
        for address in own_addresses():
            name = f"[{address}]" if ":" in address else address
            known = name in settings.ALLOWED_HOSTS
            note = "" if known else f"  (the console needs ALLOWED_HOSTS={name})"
            self.stdout.write(f"{'Also at:':20}http://{name}:{port}{note}")
        if not settings.PUBLIC_URL:
            self.stdout.write(
                f"{'':20}PUBLIC_URL=http://NAME:{port} sets the address that agents "
                "and browsers are shown, and allows it."
            )


def own_addresses() -> list[str]:
    """Return this machine's addresses in the network, without loopback."""
    try:
        found = socket.getaddrinfo(socket.gethostname(), None, type=socket.SOCK_STREAM)
    except OSError:
        found = []
    addresses = {str(entry[4][0]) for entry in found}
    # The address that a way out of the machine begins at; nothing is sent.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            addresses.add(probe.getsockname()[0])
        except OSError:
            pass
    # Those with a % hold on one of the machine's interfaces only.
    whole = (ipaddress.ip_address(each) for each in addresses if "%" not in each)
    return sorted(str(address) for address in whole if not address.is_loopback)


def _check_address(host: str, port: int) -> None:
    """Fail with a sentence when nothing can listen there."""
    if not 1 <= port <= MOST_PORTS:
        raise CommandError(f"The port must be 1 to {MOST_PORTS}, not {port}.")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CommandError(
                f"Cannot listen on {host}:{port}: {error.strerror}. "
                "Choose another with --host and --port, or with RUNAGENTS_HOST and "
                "RUNAGENTS_PORT."
            ) from None


def _run_apart(command: str, *options: str) -> None:
    """Run a command in a process of its own; raises what the command raises.

    The server goes on with what this process has, and what a first run takes (25 MB)
    it never needs again.
    """
    again = [sys.executable, sys.argv[0], command, *options]
    if subprocess.run(again, check=False).returncode:  # noqa: S603  our own command
        # To be told why.
        call_command(command, *options)


def _static_fingerprint() -> str:
    """Return a digest over name, size and time of every static file."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list([]):
            path = Path(storage.path(name))
            about = path.stat()
            digest.update(f"{name}:{about.st_size}:{about.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _trouble(error: DatabaseError) -> str:
    """Return what is wrong with the database, in words."""
    code = getattr(error.__cause__, "sqlite_errorcode", None)
    if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return (
            f"The database {connection.settings_dict['NAME']} is damaged ({error}). "
            "Stop the server and put a backup in its place."
        )
    return f"The database cannot be reached yet: {error}"
