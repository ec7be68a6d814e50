"""The database from asynchronous code: in a thread, over a connection that lives."""

from collections.abc import Callable
from typing import TypeVar

from asgiref.sync import sync_to_async
from django.db import close_old_connections

T = TypeVar("T")


async def in_thread(work: Callable[..., T], *arguments: object) -> T:
    """Return what `work` returns; raises what it raises.

    A thread keeps its connection, and nobody but a request's end looks whether it is
    still good: one that broke would be used for ever.
    """

    def run() -> T:
        close_old_connections()
        return work(*arguments)

    return await sync_to_async(run)()
