"""The database from threads: over connections that live, and not one too many.

SQLite's file may be replaced under a running server, by a restored one. A connection
goes on with the file that it opened, which nobody else sees any more: it is told by the
file's identity and opened anew.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote, urlsplit
from weakref import WeakKeyDictionary

from asgiref.sync import sync_to_async
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

Identity = tuple[int, int]
"""Device and number of a file."""

_opened: WeakKeyDictionary[BaseDatabaseWrapper, Identity | None] = WeakKeyDictionary()

T = TypeVar("T")


async def in_thread(work: Callable[..., T], *arguments: object) -> T:
    """Return what `work` returns; raises what it raises.

    A thread keeps its connection, and nobody but a request's end looks whether it is
    still good: one that broke would be used for ever.
    """

    def run() -> T:
        refresh()
        return work(*arguments)

    return await sync_to_async(run)()


def close_connections(**signal: object) -> None:
    """Close what this thread opened; for the end of a request.

    Django keeps a connection for the thread's next request. With ASGI each request has
    a thread of its own, and what that leaves open stays so until it happens to be
    collected: a server that allows a hundred connections soon has none left.
    """
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close()


def refresh() -> None:
    """Close what this thread holds that is broken, too old, or of a replaced file."""
    for connection in connections.all(initialized_only=True):
        # Closed by Django, it would lose the transaction that it is in.
        if connection.in_atomic_block:
            continue
        connection.close_if_unusable_or_obsolete()
        if connection in _opened and _opened[connection] != _identity(connection):
            connection.close()


def file_identity() -> Identity | None:
    """Return which file the database is; None where it is none, or not there."""
    return _identity(connections[DEFAULT_DB_ALIAS])


def file_path() -> Path | None:
    """Return the database's file; None where it is none."""
    return _path(connections[DEFAULT_DB_ALIAS])


def note_file(connection: BaseDatabaseWrapper, **signal: object) -> None:
    """Remember which file a new connection has opened."""
    if _path(connection) is not None:
        _opened[connection] = _identity(connection)


def expect_file() -> None:
    """Have SQLite open a file that is there, and make none; for a server.

    Where the file is missing it would make an empty one, which looks like a console
    that nobody has set up yet.
    """
    for connection in connections.all():
        path = _path(connection)
        if path is not None:
            uri = f"{path.absolute().as_uri()}?mode=rw"
            connection.settings_dict["NAME"] = uri


def _identity(connection: BaseDatabaseWrapper) -> Identity | None:
    path = _path(connection)
    try:
        found = os.stat(path) if path is not None else None
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if found is not None else None


def _path(connection: BaseDatabaseWrapper) -> Path | None:
    """Return the database's file; None for a server and for one in memory."""
    name = str(connection.settings_dict["NAME"])
    if connection.vendor != "sqlite" or "memory" in name.partition("?")[2]:
        return None
    if name == ":memory:":
        return None
    return Path(unquote(urlsplit(name).path) if name.startswith("file:") else name)
