"""Background work that must not end before the process does."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from asgiref.sync import sync_to_async

from providers import database

PAUSE_SECONDS = 5.0

logger = logging.getLogger(__name__)


def keep(
    name: str,
    work: Callable[[], Coroutine[Any, Any, None]],
    pause: float = PAUSE_SECONDS,
) -> asyncio.Task[None]:
    """Return a task that runs `work` until it is cancelled.

    A failure is logged, and `work` begins anew after `pause` seconds: a task that died
    in silence would leave a revoked key valid or usage unstored until the next restart.
    """

    async def again() -> None:
        while True:
            for failure in await asyncio.gather(work(), return_exceptions=True):
                if isinstance(failure, Exception):
                    logger.error("The chore %s failed.", name, exc_info=failure)
            await asyncio.sleep(pause)

    return asyncio.create_task(again(), name=name)


class Thread:
    """A thread of a chore's own, for what reads or writes the database.

    In whichever thread of many is free, each of them would come to hold a connection
    with all that the chore uses: pages and compiled statements, 6 MB in the end.
    """

    def __init__(self, name: str) -> None:
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=name)

    async def run(self, work: Callable[[], object]) -> None:
        """Do `work` after what was given before; raises what it raises.

        The thread keeps its connection; one that broke must not be used for ever.
        """

        def refreshed() -> None:
            database.refresh()
            work()

        await sync_to_async(
            refreshed, thread_sensitive=False, executor=self._executor
        )()
