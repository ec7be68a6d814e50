"""One server at a time sets the installation up, however many start at once.

Two that migrate one database side by side would each make the same tables, and one
of them would fail halfway.
"""

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection

PAUSE_SECONDS = 0.2
# Any number that nobody else takes in this database ("RunAgnts").
NUMBER = 0x52756E41676E7473


@contextmanager
def turn(wait: Callable[[], None]) -> Iterator[None]:
    """Hold the right to set up; `wait` is told once when another has it.

    On PostgreSQL it is an advisory lock of this connection, which ends with it:
    https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
    On SQLite, whose folder one host has, it is a lock on a file.

    Raises django.db.Error where the database is away.
    """
    own = _database_lock if connection.vendor == "postgresql" else _file_lock
    with own(wait):
        yield


@contextmanager
def _database_lock(wait: Callable[[], None]) -> Iterator[None]:
    # Asked again and again rather than waited for in the database: a session that
    # waits would hold up an index that is built beside it (CREATE INDEX CONCURRENTLY).
    _until(lambda: _ask("SELECT pg_try_advisory_lock(%s)"), wait)
    try:
        yield
    finally:
        # Gone with its connection, where that broke.
        with suppress(DatabaseError):
            _ask("SELECT pg_advisory_unlock(%s)")


def _ask(statement: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(statement, [NUMBER])
        return bool(cursor.fetchone()[0])


@contextmanager
def _file_lock(wait: Callable[[], None]) -> Iterator[None]:
    with (settings.DATA_DIR / "setup.lock").open("w") as file:

        def is_ours() -> bool:
            with suppress(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            return False

        _until(is_ours, wait)
        yield


def _until(is_ours: Callable[[], bool], wait: Callable[[], None]) -> None:
    if is_ours():
        return
    wait()
    while not is_ours():
        time.sleep(PAUSE_SECONDS)
