"""What PostgreSQL tells at once: that the registry changed, in the moment it did.

Polling stays below it. A pooler of transactions swallows what is told, a connection
may be dead without anybody knowing, and SQLite tells nobody anything.
https://www.postgresql.org/docs/current/sql-notify.html
"""

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections

CHANNEL = "runagents_registry"
# Between two tries to connect, give or take half: not all of a hundred hosts at once.
PAUSE_SECONDS = 2.0


def are_told() -> bool:
    """Tell whether this database can tell of changes."""
    return connections[DEFAULT_DB_ALIAS].vendor == "postgresql"


def announce() -> None:
    """Tell whoever listens, when the transaction is over; raises django.db.Error."""
    if are_told():
        with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, '')", [CHANNEL])


async def listen(heard: Callable[[], None]) -> None:
    """Call `heard` at each change, over a connection of its own, until cancelled.

    Also when it is connected: what was told before, nobody heard. A database that is
    away is tried again and again, in silence: those who read it say so.
    """
    import psycopg  # Takes 5 MB, which SQLite need not have.

    while True:
        with suppress(psycopg.Error):
            await _listen(heard)
        await asyncio.sleep(PAUSE_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311


async def _listen(heard: Callable[[], None]) -> None:
    """Listen until the connection breaks, which raises psycopg.Error."""
    from psycopg import AsyncConnection

    async with await AsyncConnection.connect(**_parameters(), autocommit=True) as own:
        await own.execute(f"LISTEN {CHANNEL}")
        heard()
        async for _ in own.notifies():
            heard()


def _parameters() -> dict[str, Any]:
    """Return how Django connects, without what only its own connections understand."""
    wrapper: Any = connections[DEFAULT_DB_ALIAS]
    parameters: dict[str, Any] = wrapper.get_connection_params()
    return {
        name: value
        for name, value in parameters.items()
        if name not in {"context", "cursor_factory"}
    }
