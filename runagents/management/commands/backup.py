"""`manage.py backup`: SQLite's database and the key files as one file, encrypted."""

import os
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from providers import database
from runagents import __version__
from runagents.backups import copying, last
from runagents.backups.archive import (
    DATABASE,
    KEYS,
    pack,
    replacing,
    working_folder,
)

MIB = 1 << 20
NICENESS = 15


class Command(BaseCommand):
    """Writes what one moment left in the database, checked, to a file of mode 0600."""

    help = (
        "Back database and key files up into one file, also while the server runs. "
        "With BACKUP_PASSPHRASE (or BACKUP_PASSPHRASE_FILE) the file is encrypted and "
        "holds both; without, it is a plain copy of SQLite's database alone. It "
        "appears when it is whole and was checked; one that is there is replaced then."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the file to write."""
        parser.add_argument("file", type=Path, help="where the backup goes")

    def run_from_argv(self, argv: list[str]) -> None:
        """Let the server have the processor first."""
        os.nice(NICENESS)
        super().run_from_argv(argv)

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        """Write the backup; raises CommandError, which ends in status 1."""
        live = database.file_path()
        if live is None:
            raise CommandError(
                "The database is no file of SQLite's. Back it up with its own tools: "
                "PostgreSQL's is pg_dump (docs/operating.md)."
            )
        if file.exists() and live.exists() and file.samefile(live):
            raise CommandError(f"{file} is the database itself. Name another file.")
        passphrase = settings.BACKUP_PASSPHRASE
        try:
            with replacing(file) as draft:
                if passphrase:
                    keys = _write_whole(live, draft, passphrase)
                else:
                    copying.copy(live, draft)
        except copying.Damaged as damage:
            raise CommandError(
                f"The database is damaged ({damage}), so no backup was written. Keep "
                "the ones that you have."
            ) from None
        except (sqlite3.Error, OSError) as error:
            raise CommandError(f"No backup was written to {file}: {error}.") from None
        last.remember(file, is_whole=bool(passphrase))
        size = f"{file.stat().st_size / MIB:.1f} MiB"
        told = _of_keys(keys) if passphrase else IN_CLEAR % settings.DATA_DIR
        self.stdout.write(f"Wrote {file} ({size}). {told}")


IN_CLEAR = (
    "It is not encrypted, and without keys: stored credentials can be read with the "
    "same ENCRYPTION_KEYS only, or with the file encryption_key in %s: keep that too. "
    "With BACKUP_PASSPHRASE set, both come into one encrypted file."
)


def _write_whole(live: Path, draft: Path, passphrase: str) -> list[str]:
    """Write database and key files, encrypted; returns the names of the latter."""
    keys = {name: settings.DATA_DIR / name for name in KEYS if not _is_given(name)}
    note = {"version": __version__, "made_at": datetime.now(UTC).isoformat()}
    # The copy in clear lies where the database does, and no longer than it is needed.
    with working_folder(live) as folder:
        copied = folder / DATABASE
        os.close(os.open(copied, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        copying.copy(live, copied)
        pack(draft, passphrase, {**keys, DATABASE: copied}, note)
    return list(keys)


def _is_given(name: str) -> bool:
    """Tell whether the environment sets a key, so that its file is not in use."""
    given = settings.ENCRYPTION_KEYS_GIVEN, settings.SECRET_KEY_GIVEN
    return given[name == "secret_key"]


def _of_keys(names: list[str]) -> str:
    if "encryption_key" in names:
        return (
            f"It is encrypted and holds the database and {' and '.join(names)}: "
            "without BACKUP_PASSPHRASE nobody can read it."
        )
    return (
        "It is encrypted and holds the database. ENCRYPTION_KEYS come from the "
        "environment and are not in it: keep them, without them stored credentials "
        "cannot be read."
    )
