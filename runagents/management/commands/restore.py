"""`manage.py restore`: what `backup` wrote, put back in its place."""

import sqlite3
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error as DatabaseError

from providers import database
from runagents.backups import copying, restoring
from runagents.backups.sealed import Unreadable
from runagents.management.turns import turn
from runagents.serving import running


class Command(BaseCommand):
    """Restores while no server runs; a file that is not whole changes nothing."""

    help = (
        "Put a backup in the place of database and key files, while no server runs. "
        "Reads BACKUP_PASSPHRASE (or BACKUP_PASSPHRASE_FILE). The file is checked "
        "first, and what was there is kept in a folder that is named in the end."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the file to read."""
        parser.add_argument("file", type=Path, help="what `backup` wrote")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        """Restore, or raise CommandError (status 1) with nothing changed."""
        live = database.file_path()
        if live is None:
            raise CommandError(
                "The database is no file of SQLite's. Restore it with its own tools: "
                "PostgreSQL's is pg_restore (docs/operating.md)."
            )
        # A server that is started meanwhile waits for its turn to set up.
        with turn(wait=lambda: None):
            if running.is_running():
                raise CommandError(
                    f"A server runs on {settings.DATA_DIR}. Stop it, restore, start it."
                )
            done = self._restore(file, live)
        self._tell(file, done)

    def _restore(self, file: Path, live: Path) -> restoring.Restored:
        try:
            return restoring.restore(file, settings.BACKUP_PASSPHRASE, live)
        except Unreadable as reason:
            told = f"{file} cannot be restored: {reason}"
        except copying.Damaged as damage:
            told = f"{file} cannot be restored: its database is damaged ({damage})."
        except (sqlite3.Error, DatabaseError, OSError) as error:
            told = f"{file} cannot be restored: {error}."
        raise CommandError(f"{told} Nothing was changed.")

    def _tell(self, file: Path, done: restoring.Restored) -> None:
        version = f" of version {done.version}" if done.version else ""
        keys = f", {' and '.join(done.keys)}" if done.keys else ""
        self.stdout.write(
            f"Restored the database{keys} from {file}{version}. What was there before "
            f"is kept in {done.kept}: delete it when all is well."
        )
        if done.unreadable:
            self.stderr.write(
                f"Note: {done.unreadable} stored credentials cannot be read with the "
                "keys of this installation. Set the ENCRYPTION_KEYS that they were "
                "stored with, or enter them again."
            )
