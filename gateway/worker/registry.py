"""The registry in memory: an immutable snapshot, replaced when the database moved on.

A warm request reads the snapshot and nothing else. Every worker polls the registry's
version once a second and reads everything again when it changed, so that a revoked key
or a changed limit holds within two seconds; PostgreSQL tells of a change at once. While
the database is down, calls go on from what is here.
"""

import asyncio
import logging
import time
from contextlib import suppress
from functools import partial

import httpx
from django.db import Error as DatabaseError

from gateway.worker.chores import Thread, keep
from gateway.worker.snapshot import Snapshot, read
from providers import auth, database, options
from providers.database import notices
from providers.models import ModelProvider, RegistryVersion

POLL_SECONDS = 1.0
# How close readings may follow each other, and how long a request waits for one.
PAUSE_SECONDS = 0.05
PATIENCE_SECONDS = 2.0
# In how many steps: a machine that stands still meanwhile costs one of them.
PATIENCE_STEPS = 20
# From when on a snapshot counts as old, and how long calls go on from it.
OLD_SECONDS = 10.0
KEPT_SECONDS = 24 * 3600.0

logger = logging.getLogger(__name__)


class Registry:
    """Holds the current snapshot of one worker and keeps it fresh."""

    def __init__(self) -> None:
        self.snapshot = Snapshot()
        self._file: database.Identity | None = None
        self._confirmed_at = -KEPT_SECONDS
        self._auths: dict[str, tuple[tuple[object, ...], httpx.Auth | None]] = {}
        self._thread = Thread("read-registry")
        self._tasks: list[asyncio.Task[None]] = []
        self._wanted = asyncio.Event()
        self._next: asyncio.Future[bool] | None = None

    @property
    def is_loaded(self) -> bool:
        """Whether calls can be served: read once, and not out of date for a day.

        By then nobody knows any more who was locked out meanwhile.
        """
        is_kept = time.monotonic() < self._confirmed_at + KEPT_SECONDS
        return self.snapshot.version >= 0 and is_kept

    @property
    def trouble(self) -> str:
        """For how long the database was not read, in words; empty while it is."""
        seconds = self.age_seconds
        if self.snapshot.version < 0 or seconds < OLD_SECONDS:
            return ""
        return f"{seconds / 3600:.1f} h" if seconds >= 3600 else f"{seconds:.0f} s"

    @property
    def age_seconds(self) -> float:
        """How long ago the snapshot was what the database holds."""
        return time.monotonic() - self._confirmed_at

    async def start(self) -> None:
        """Load, and poll until `stop`; a dead database delays but does not fail."""
        await self.refresh()
        self._tasks = [keep("poll-registry", self._poll)]
        if notices.are_told():
            listening = partial(notices.listen, self._wanted.set)
            self._tasks.append(keep("hear-of-changes", listening))

    async def stop(self) -> None:
        """Stop polling and listening."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def refresh(self) -> bool:
        """Read the registry again if it changed; log and carry on when it cannot.

        Returns whether the snapshot is now what the database holds.
        """
        try:
            await self._thread.run(self.load)
        except DatabaseError as error:
            logger.warning("The registry cannot be read: %s", type(error).__name__)
            return False
        return True

    async def catch_up(self) -> bool:
        """Wait until the registry was read after this moment; for what is not in it.

        A key or model that was made a moment ago is served at once instead of after the
        next poll. However many wait, they share a reading. Returns False when the
        database does not answer in time.
        """
        if not self._tasks:
            return True
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
        self._wanted.set()
        reading = self._next
        for _ in range(PATIENCE_STEPS):
            await asyncio.wait([reading], timeout=PATIENCE_SECONDS / PATIENCE_STEPS)
            if reading.done():
                return reading.result()
        return False

    def load(self) -> None:
        """Read the version and, when it moved, everything else (blocking)."""
        read_at = time.monotonic()
        file = database.file_identity()
        version = RegistryVersion.current()
        # A restored database may have come to the same version by other changes.
        if version != self.snapshot.version or file != self._file:
            self.snapshot = read(version, self._auth)
            self._file = file
        self._confirmed_at = read_at

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(PAUSE_SECONDS)
            with suppress(TimeoutError):
                # wait_for of Python 3.11 forgets that it was cancelled where what it
                # waits for has just come: https://github.com/python/cpython/issues/86296
                async with asyncio.timeout(POLL_SECONDS):
                    await self._wanted.wait()
            self._wanted.clear()
            waiting, self._next = self._next, None
            succeeded = await self.refresh()
            if waiting is not None:
                waiting.set_result(succeeded)

    def _auth(self, row: ModelProvider) -> httpx.Auth | None:
        """Return the provider's auth; the same object while nothing it uses changed.

        An OAuth2 token lives in that object and must outlive a reload.
        """
        connection = getattr(row, "oauth_token", None)
        fingerprint = (
            row.endpoint,
            row.auth_type,
            row.header_name,
            row.value_prefix,
            row.region,
            row.authorization_url,
            row.token_url,
            row.scopes,
            row.client_auth,
            str(row.token_params),
            row.private_network,
            row.secret and (row.secret.sealed, row.secret.binding()),
            [row.options.get(name) for name in options.NETWORK],
            row.network_secret and row.network_secret.sealed,
            connection and connection.connected_at,
        )
        known = self._auths.get(str(row.uid))
        if known and known[0] == fingerprint:
            return known[1]
        made = auth.for_provider(row)
        self._auths[str(row.uid)] = (fingerprint, made)
        return made


registry = Registry()
"""This worker's registry."""
