"""SQLite's database as one moment left it, copied while others write.

https://www.sqlite.org/backup.html
"""

import sqlite3
from contextlib import closing
from pathlib import Path

# A step of 1 MiB takes some 2 ms; then others have the disk and the processor.
PAGES = 256
PAUSE_SECONDS = 0.004


class Damaged(Exception):
    """A database whose own check finds something; the message is what."""


def copy(live: Path, draft: Path) -> None:
    """Copy the database `live` to the file `draft`, in small steps.

    One that is missing is not made, which would be a backup of nothing. Raises
    sqlite3.Error, and Damaged as `check` does.
    """
    uri = f"{live.absolute().as_uri()}?mode=rw"
    with (
        closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as source,
        closing(sqlite3.connect(draft)) as target,
    ):
        # The moment that is copied. Without a transaction of its own, a copy in steps
        # begins again with each write of somebody else, and under load never ends.
        source.execute("BEGIN")
        source.execute("SELECT 1 FROM sqlite_master").fetchone()
        source.backup(target, pages=PAGES, sleep=PAUSE_SECONDS)
        # One file alone: what stands in a log beside it could be forgotten.
        target.execute("PRAGMA journal_mode=DELETE")
    check(draft)


def check(file: Path) -> None:
    """Raise Damaged where SQLite finds fault with a database's file."""
    try:
        with closing(sqlite3.connect(file)) as connection:
            found = [row[0] for row in connection.execute("PRAGMA integrity_check")]
    except sqlite3.DatabaseError as error:
        raise Damaged(str(error)) from None
    if found != ["ok"]:
        raise Damaged(str(found[0]))
