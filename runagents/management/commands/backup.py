"""`manage.py backup`: SQLite's database as one whole file, server running or not."""

import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from providers import database

MIB = 1 << 20


class Command(BaseCommand):
    """Writes what one moment left in the database, checked, to a file of mode 0600.

    https://www.sqlite.org/backup.html
    """

    help = (
        "Copy SQLite's database to a file, also while the server runs. The file "
        "appears when it is whole and was checked; one that is there is replaced then."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the file to write."""
        parser.add_argument("file", type=Path, help="where the copy goes")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        """Write the backup; raises CommandError, which ends in status 1."""
        live = database.file_path()
        if live is None:
            raise CommandError(
                "The database is no file of SQLite's. Back it up with its own tools: "
                "PostgreSQL's is pg_dump."
            )
        if file.exists() and live.exists() and file.samefile(live):
            raise CommandError(f"{file} is the database itself. Name another file.")
        try:
            with _replacing(file) as draft:
                _copy(live, draft)
        except (sqlite3.Error, OSError) as error:
            raise CommandError(f"No backup was written to {file}: {error}.") from None
        self.stdout.write(
            f"Wrote {file} ({file.stat().st_size / MIB:.1f} MiB). Stored credentials "
            f"can be read with the same ENCRYPTION_KEYS only, or with the file "
            f"encryption_key in {settings.DATA_DIR}: keep that too."
        )


@contextmanager
def _replacing(file: Path) -> Iterator[Path]:
    """Give an empty file for its owner alone, which becomes `file` in the end.

    What breaks off leaves `file` as it was, and nothing beside it.
    """
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        yield draft
        os.fsync(descriptor)
        os.replace(draft, file)
        _sync_folder(file.absolute().parent)
    finally:
        os.close(descriptor)
        for end in ("", "-wal", "-shm", "-journal"):
            draft.with_name(draft.name + end).unlink(missing_ok=True)


def _copy(live: Path, draft: Path) -> None:
    """Copy the database at one moment; raises CommandError where that is damaged.

    One that is missing is not made, which would be a backup of nothing.
    """
    uri = f"{live.absolute().as_uri()}?mode=rw"
    with (
        closing(sqlite3.connect(uri, uri=True)) as source,
        closing(sqlite3.connect(draft)) as copy,
    ):
        # In one step: others go on writing meanwhile, and it never begins again.
        source.backup(copy, pages=-1)
        # One file alone: what stands in a log beside it could be forgotten.
        copy.execute("PRAGMA journal_mode=DELETE")
        found = [row[0] for row in copy.execute("PRAGMA integrity_check")]
    if found != ["ok"]:
        raise CommandError(
            f"The database is damaged ({found[0]}), so no backup was written. Keep the "
            "ones that you have."
        )


def _sync_folder(folder: Path) -> None:
    """Make the file's new name outlive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
