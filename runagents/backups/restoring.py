"""A backup put back: unpacked and checked beside what is there, then exchanged for it.

Until the exchange nothing that is in use has changed. What was there before is kept in
a folder of its own.
"""

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from providers import sealing
from runagents import __version__
from runagents.backups import copying
from runagents.backups.archive import (
    DATABASE,
    KEYS,
    replacing,
    sync_folder,
    unpack,
    working_folder,
)
from runagents.backups.sealed import Unreadable, is_sealed

SQLITE = b"SQLite format 3\0"


class Restored(NamedTuple):
    """What a restore did."""

    version: str
    """Which version the backup is of; empty where it does not say."""
    kept: Path
    """Where what was there before is now."""
    keys: list[str]
    unreadable: int
    """How many stored credentials the keys of this installation do not open."""


def restore(file: Path, passphrase: str, live: Path) -> Restored:
    """Put a backup in the place of the database `live` and of the key files.

    Nobody may use them meanwhile. Raises Unreadable, with what is wrong with the file,
    copying.Damaged, sqlite3.Error and OSError; then nothing has changed.
    """
    with working_folder(live) as staged:
        about = _unpack(file, passphrase, staged)
        database = staged / DATABASE
        copying.check(database)
        _refuse_newer(database, about.get("version", ""))
        _migrate(database)
        keys = [each for each in KEYS if (staged / each).exists()]
        unreadable = _unreadable(database, staged)
        kept = _exchange(staged, live, keys)
    return Restored(about.get("version", ""), kept, keys, unreadable)


def _unpack(file: Path, passphrase: str, staged: Path) -> dict[str, Any]:
    """Put the backup's parts into the folder `staged`; return its note."""
    with file.open("rb") as source:
        sealed, begin = is_sealed(source), source.read(len(SQLITE))
    if sealed and not passphrase:
        raise Unreadable("It is encrypted: set BACKUP_PASSPHRASE to its passphrase.")
    if sealed:
        return unpack(file, passphrase, staged)
    if begin != SQLITE:
        raise Unreadable("It is no backup, or only the beginning of one.")
    copying.copy(file, staged / DATABASE)
    return {}


def _refuse_newer(database: Path, version: str) -> None:
    """Raise Unreadable where a later version has changed the tables."""
    with closing(sqlite3.connect(database)) as opened:
        try:
            rows = set(opened.execute("SELECT app, name FROM django_migrations"))
        except sqlite3.Error:
            raise Unreadable("Its database is not one of this program.") from None
    known = MigrationLoader(None).disk_migrations
    ours = {app for app, _ in known}
    unknown = sorted(row for row in rows if row[0] in ours and row not in known)
    if unknown:
        newer = version or ".".join(unknown[-1])
        raise Unreadable(
            f"It is of a newer version ({newer}) than this one, {__version__}. Install "
            "that version or a later one, then restore."
        )


def _migrate(database: Path) -> None:
    """Bring a database of an earlier version to this one's tables."""
    with _connected_to(database):
        call_command("migrate", verbosity=0, interactive=False)
    with closing(sqlite3.connect(database)) as opened:
        opened.execute("PRAGMA journal_mode=DELETE")


@contextmanager
def _connected_to(database: Path) -> Iterator[None]:
    own = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = str(database)
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = own


def _unreadable(database: Path, staged: Path) -> int:
    """Count the credentials that the keys which hold from now on do not open."""
    keys = settings.ENCRYPTION_KEYS
    own = staged / "encryption_key"
    if own.exists() and not settings.ENCRYPTION_KEYS_GIVEN:
        keys = [own.read_text().strip()]
    known = sealing.key_ids(keys)
    with closing(sqlite3.connect(database)) as opened:
        rows = opened.execute("SELECT sealed FROM providers_secret").fetchall()
    return sum(sealing.key_id(str(token)) not in known for (token,) in rows)


def _fold_in(live: Path) -> None:
    """Bring what stands in the log beside a database into its file.

    So that the file is whole by itself, should the exchange be cut off. One that is
    damaged stays as it is: that may be why it is replaced.
    """
    with suppress(sqlite3.Error), closing(sqlite3.connect(live)) as opened:
        opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _exchange(staged: Path, live: Path, keys: list[str]) -> Path:
    """Put what is staged into its places; returns where what was there is kept."""
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    kept = Path(tempfile.mkdtemp(dir=live.parent, prefix=f"before-restore-{moment}-"))
    if live.exists():
        _fold_in(live)
        os.link(live, kept / live.name)
    for end in ("-wal", "-shm", "-journal"):
        beside = live.with_name(live.name + end)
        with suppress(FileNotFoundError):
            os.rename(beside, kept / beside.name)
    for name in keys:
        own = settings.DATA_DIR / name
        if own.exists():
            (kept / name).touch(0o600)
            (kept / name).write_bytes(own.read_bytes())
        with replacing(own) as draft:
            draft.write_bytes((staged / name).read_bytes())
    os.replace(staged / DATABASE, live)
    sync_folder(live.parent)
    return kept
