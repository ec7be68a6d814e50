"""A worker's part in the metrics of its host, from its start to its end."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.conf import settings

from gateway.ledger.spool import Entry
from gateway.metrics import vitals
from gateway.metrics.counts import Counts
from gateway.metrics.shelf import Shelf
from gateway.worker.chores import keep
from gateway.worker.runtime import runtime

PUT_SECONDS = 1.0
SWEEP_SECONDS = 60


class Collection:
    """Counts calls as they end, and puts the numbers where other workers find them."""

    def __init__(self) -> None:
        self.counts = Counts()
        self._shelf = Shelf(settings.DATA_DIR / "metrics")
        self._task: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="put-metrics")

    def start(self) -> None:
        """Begin to count and to tell."""
        self._shelf.open()
        runtime.spool.watchers.append(self.note)
        self.counts.costs = runtime.costs
        self._task = keep("put-metrics", self._keep_putting)

    def note(self, entry: Entry) -> None:
        """Count a call that is over."""
        if entry.trace or entry.row is None:
            self.counts.note(entry.fields, entry.trace.id if entry.trace else "")
        else:
            self.counts.put_off(entry.row)

    async def stop(self) -> None:
        """Tell for the last time, behind the end of the last call."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._put()
        self._shelf.close()

    async def read(self) -> tuple[Counts, list[dict[str, Any]]]:
        """Return the host's counts, this worker's as they are now."""
        await self._put()
        return await asyncio.to_thread(self._shelf.read)

    async def _keep_putting(self) -> None:
        turns = 0
        while True:
            await asyncio.sleep(PUT_SECONDS)
            await self._put()
            turns += 1
            if runtime.is_leader and turns % SWEEP_SECONDS == 0:
                await asyncio.to_thread(self._shelf.sweep)

    async def _put(self) -> None:
        """Put what is known now, in a thread of its own: the last comes last.

        A busy disk takes up to 600 ms to replace a file, in which no stream would go
        on.
        """
        told = {**self.counts.dump(), "worker": vitals.of_worker()}
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._thread, self._shelf.put, told)


collection = Collection()
"""This worker's."""
