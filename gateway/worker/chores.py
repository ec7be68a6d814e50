"""Background work that must not end before the process does."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

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
