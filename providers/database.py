"""The database from threads: over connections that live, and not one too many."""

from collections.abc import Callable
from typing import TypeVar

from asgiref.sync import sync_to_async
from django.db import close_old_connections, connections

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


def close_connections(**signal: object) -> None:
    """Close what this thread opened; for the end of a request.

    Django keeps a connection for the thread's next request. With ASGI each request has
    a thread of its own, and what that leaves open stays so until it happens to be
    collected: a server that allows a hundred connections soon has none left.
    """
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close()
