"""`manage.py moveto`: from SQLite to PostgreSQL, with everything that is there."""

import sys
from typing import Any

import dj_database_url
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error as DatabaseError
from django.db import connection, connections

from runagents.management import moving
from runagents.management.turns import turn
from runagents.serving import running


class Command(BaseCommand):
    """Copies all tables to an empty PostgreSQL; what broke off goes on later."""

    help = (
        "Move this installation from SQLite to an empty PostgreSQL database, while no "
        "server runs. A move that broke off goes on when it is run again; counts are "
        "compared in the end. Nothing is changed here."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take where to move."""
        parser.add_argument(
            "url",
            help="postgres://USER:PASSWORD@HOST:PORT/NAME, or - to read it from "
            "standard input, where no list of processes shows it",
        )

    def handle(self, *args: Any, url: str, **options: Any) -> None:
        """Move, or raise CommandError (status 1) with this database unchanged."""
        if connection.vendor != "sqlite":
            raise CommandError(
                "This installation is on PostgreSQL already: DATABASE_URL names it. "
                "Leave that out to move from SQLite."
            )
        self._connect(sys.stdin.readline().strip() if url == "-" else url)
        # A server that is started meanwhile waits for its turn to set up.
        with turn(wait=lambda: None):
            if running.is_running():
                raise CommandError(
                    f"A server runs on {settings.DATA_DIR}. Stop it, then move."
                )
            counts = self._move()
        self.stdout.write(
            f"Moved {sum(counts.values()):,} rows in {len(counts)} tables; the counts "
            "agree. Start the server with DATABASE_URL set to the new database and "
            f"the data folder that it had, {settings.DATA_DIR}: it holds the keys that "
            "stored credentials are read with, and calls that are not stored yet. "
            "Further hosts need the same SECRET_KEY and ENCRYPTION_KEYS."
        )

    def _connect(self, url: str) -> None:
        """Make the target known; raises CommandError for what is no PostgreSQL."""
        try:
            target: dict[str, Any] = dict(dj_database_url.parse(url))
        except ValueError:
            target = {}
        if target.get("ENGINE") != "django.db.backends.postgresql":
            raise CommandError("Name a PostgreSQL: postgres://USER:PASSWORD@HOST/NAME.")
        known = {**connections.settings, moving.TARGET: target}
        connections.settings = connections.configure_settings(known)

    def _move(self) -> dict[str, int]:
        try:
            call_command("migrate", verbosity=0)
            # `migrate` adds rows of its own each time, which by now came over.
            if not moving.has_begun():
                call_command("migrate", database=moving.TARGET, verbosity=0)
            return moving.move(self._tell)
        except moving.Refused as reason:
            raise CommandError(str(reason)) from None
        except DatabaseError as error:
            raise CommandError(
                f"The move broke off: {str(error).strip()} Run it again: it goes on "
                "where it was."
            ) from None

    def _tell(self, progress: str) -> None:
        self.stdout.write(progress)
        self.stdout.flush()
