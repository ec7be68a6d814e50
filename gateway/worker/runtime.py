"""What one worker process of the gateway owns: spool, limiter, chores."""

import asyncio
import gc
import hashlib
import hmac
import logging
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime

from django.conf import settings
from django.db import Error as DatabaseError
from django.utils.module_loading import import_string

from gateway.errors import GatewayError
from gateway.ledger.flusher import Flusher
from gateway.ledger.fresh import Fresh
from gateway.ledger.refusals import Refusals
from gateway.ledger.spool import Spool
from gateway.ledger.upkeep import Upkeep
from gateway.limits import Limiter
from gateway.limits.host import HostLimiter
from gateway.worker import renames
from gateway.worker.capacity import capacity, give_memory_back
from gateway.worker.chores import Thread, keep
from gateway.worker.leader import Leadership
from gateway.worker.registry import registry
from gateway.worker.statuses import statuses
from gateway.worker.troubles import LIMITS, REGISTRY, USAGE, Board
from providers import database, status
from providers.models import ModelList
from providers.transport import transport

CHORE_SECONDS = 1.0
EMPTIED_SECONDS = 30.0
SWITCH_SECONDS = 0.001
PROPOSAL_SECONDS = 30.0
YOUNG_OBJECTS = 10_000
DENIED_SECONDS = 2.0

logger = logging.getLogger(__name__)


class Runtime:
    """Starts and stops with the worker; views reach their tools through it."""

    def __init__(self) -> None:
        self.spool = Spool(settings.DATA_DIR / "spool")
        self.refusals = Refusals()
        self.limiter: Limiter = _limiter()
        self.board = Board(settings.DATA_DIR / "troubles")
        self.via = f"1.1 {instance_id()}"
        self._leadership = Leadership(settings.DATA_DIR / "leader.lock")
        self._flusher = Flusher(settings.DATA_DIR / "spool")
        self._upkeep = Upkeep(self._flusher, renames.are_over)
        self._flushed_at = time.monotonic()
        self._many = asyncio.Event()
        self._upkeep_due = 0.0
        self._thread = Thread("store-usage")
        self._checks = status.Checks()
        self.proposals: dict[str, int] = {}
        self._count_due = 0.0
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def is_leader(self) -> bool:
        """Whether this worker does the host's chores."""
        return self._leadership.is_held

    @property
    def stored_ago_seconds(self) -> float:
        """How long ago the spool was carried to the database last, by this worker."""
        return time.monotonic() - self._flushed_at

    @property
    def costs(self) -> dict[tuple[str, str], float]:
        """Dollars by provider and model, of the calls that this worker has stored."""
        return self._flusher.costs

    async def start(self) -> None:
        """Load the registry and begin the background work."""
        # Console pages and the registry's reading run in threads beside the event loop;
        # by default each may keep it waiting for 5 ms at a time.
        sys.setswitchinterval(SWITCH_SECONDS)
        self.board.open()
        await registry.start()
        await self.limiter.recover()
        # What was imported and read stays: going through it at each collection would
        # halt every stream for some 60 ms.
        gc.freeze()
        # A call leaves next to no cycles behind; looking for them every 700 objects, as
        # Python does by default, takes a twentieth of its time.
        gc.set_threshold(YOUNG_OBJECTS, 10, 10)
        self._tasks = [
            keep("flush-usage", self._keep_flushing),
            keep("check-providers", self._keep_checking),
            keep("store-statuses", self._keep_storing),
            keep("count-refusals", self._keep_counting),
            keep("give-memory-back", self._keep_giving_back),
            keep("tell-troubles", self._keep_telling),
            keep("project-chore", self._keep_doing),
        ]

    async def stop(self) -> None:
        """Finish the background work and let go of everything."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._checks.aclose()
        await registry.stop()
        self.refusals.settle(at_once=True)
        self.spool.close()
        self.board.close()
        if self._leadership.acquire():
            await self.flush()
        self._leadership.release()
        await self.limiter.aclose()
        await transport().aclose()

    async def flush(self) -> None:
        """Carry what is spooled to the database now; keep it when that is away."""
        fresh = self.spool.take() if self.is_leader else []
        try:
            await self._thread.run(lambda: self._flush(fresh))
            self._flushed_at = time.monotonic()
        except DatabaseError as error:
            logger.warning("Usage cannot be stored yet: %s", type(error).__name__)

    def _flush(self, fresh: Sequence[Fresh]) -> None:
        self._flusher.flush(fresh)
        if time.monotonic() >= self._upkeep_due:
            self._upkeep.run()
            renames.carry_on()
            self._upkeep_due = time.monotonic() + CHORE_SECONDS

    async def _keep_flushing(self) -> None:
        """Store calls once a second, and where many have ended before."""
        self.spool.call_flusher = self._many.set
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(CHORE_SECONDS):
                    await self._many.wait()
            self._many.clear()
            if self._leadership.acquire():
                await self.flush()

    async def _keep_storing(self) -> None:
        """Store what this worker's traffic said of providers."""
        while True:
            await asyncio.sleep(CHORE_SECONDS)
            try:
                await statuses.store()
            except DatabaseError as error:
                logger.warning("A status cannot be stored: %s", type(error).__name__)

    async def _keep_counting(self) -> None:
        """Write down how many calls of nobody known this worker refused."""
        while True:
            await asyncio.sleep(CHORE_SECONDS)
            self.refusals.settle()

    async def _keep_giving_back(self) -> None:
        while True:
            await asyncio.sleep(EMPTIED_SECONDS)
            if capacity.has_emptied():
                await asyncio.to_thread(give_memory_back)

    async def _keep_telling(self) -> None:
        while True:
            await asyncio.sleep(CHORE_SECONDS)
            await self.tell_troubles()

    async def tell_troubles(self) -> None:
        """Look whether troubles are over, and tell the host's workers what is left."""
        self.spool.recover()
        await self.limiter.recover()
        troubles = {
            USAGE: self.spool.trouble,
            LIMITS: self.limiter.trouble,
            REGISTRY: registry.trouble,
        }
        self.board.show({kind: word for kind, word in troubles.items() if word})

    async def _keep_doing(self) -> None:
        """Do what the project has for one worker of a host."""
        chore: Callable[[], Awaitable[None]] = import_string(settings.GATEWAY_CHORE)
        while True:
            await asyncio.sleep(CHORE_SECONDS)
            if self.is_leader:
                await chore()

    async def _keep_checking(self) -> None:
        while True:
            await asyncio.sleep(CHORE_SECONDS)
            if not self._leadership.acquire():
                continue
            try:
                await self._checks.begin(datetime.now(UTC))
                await self._count_proposals()
            except DatabaseError as error:
                logger.warning("Providers cannot be checked: %s", type(error).__name__)

    async def _count_proposals(self) -> None:
        """Note, now and then, what of providers' lists waits for a person."""
        if time.monotonic() >= self._count_due:
            self._count_due = time.monotonic() + PROPOSAL_SECONDS
            self.proposals = await database.in_thread(ModelList.waiting)


def _limiter() -> Limiter:
    """Return what counts requests: this host alone, or Redis for all hosts."""
    own = HostLimiter(settings.DATA_DIR / "limits", is_alone=settings.WORKERS == 1)
    if not settings.REDIS_URL:
        return own
    # By name, because Redis's client takes 8 MB that most workers need not have.
    shared: Callable[..., Limiter] = import_string(
        "gateway.limits.shared.SharedLimiter"
    )
    return shared(
        settings.REDIS_URL,
        own,
        settings.RATE_LIMIT_ON_FAILURE,
        settings.RATE_LIMIT_HOSTS,
    )


async def count_attempt(key: str, limit: int) -> float:
    """Count an attempt as requests are; return the seconds to wait, 0 if it may be."""
    try:
        return await runtime.limiter.wait_time(key, limit)
    except GatewayError:
        # Redis is away, and nothing may pass without it.
        return DENIED_SECONDS


def instance_id() -> str:
    """Return this installation's name in `Via` headers; it tells a loop only."""
    digest = hmac.new(settings.SECRET_KEY.encode(), b"instance", hashlib.sha256)
    return f"gw-{digest.hexdigest()[:12]}"


runtime = Runtime()
"""This worker's runtime."""
