"""Requests per minute on one host, shared by its workers.

The times of the last admissions stand in a memory-mapped ring file per provider, under
a file lock held for microseconds. To take it and to give it back is a twentieth of a
short call: where there is one worker, which nobody is expected to wait for, a lock that
is wanted again and again is kept for some milliseconds. Another process, such as the
worker that takes over at a reload, waits for it as it would for any holder.
"""

import asyncio
import errno
import fcntl
import logging
import mmap
import os
import struct
import threading
import time
from pathlib import Path

from gateway.limits import WINDOW_SECONDS
from providers.attempts import Allowance

SMALLEST_RING = 1024
LOCK_PATIENCE_SECONDS = 0.5
# How often it is looked at least whether the lock is free: where the machine stood
# still, who held it needs a moment, too.
LOCK_LOOKS = 50
KEEP_SECONDS = 0.005
"""How long a lock is kept, by who took it twice within that time."""

_HEADER = struct.Struct("<8sQQ")  # magic, capacity (places), number of admissions
_STAMP = struct.Struct("<d")
_MAGIC = b"RPMRING1"
_FIRST, _STAMP_BYTES = _HEADER.size, _STAMP.size
_put_stamp, _put_header = _STAMP.pack_into, _HEADER.pack_into
_header_of = _HEADER.unpack_from
_LOCK = fcntl.LOCK_EX | fcntl.LOCK_NB

logger = logging.getLogger(__name__)


class RingFile:
    """The times of a provider's last admissions, shared by the host's processes.

    Times are the machine's monotonic clock. One in the future was written before a
    reboot and counts as long past.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._map: mmap.mmap | None = None
        # Of what is mapped here; the header has that of the file.
        self._capacity = 0
        self.is_kept = False
        """Whether the lock is this process's until `let_go`."""
        self._locked_at = 0.0

    def close(self) -> None:
        """Let go of the file."""
        self.is_kept = False
        if self._map is not None:
            self._map.close()
        os.close(self._file)

    def try_lock(self) -> bool:
        """Take the lock unless another process or thread holds it."""
        try:
            fcntl.flock(self._file, _LOCK)
        except BlockingIOError:
            return False
        return True

    def unlock(self) -> None:
        """Give the lock back, unless it was kept while somebody waited for it."""
        if not self.is_kept:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def keep_or_unlock(self, now: float) -> None:
        """Keep a lock that is wanted often, for a moment; give back any other."""
        is_often = now - self._locked_at < KEEP_SECONDS
        self._locked_at = now
        # In another thread a loop may end before it gives the lock back.
        if not is_often or threading.current_thread() is not threading.main_thread():
            self.unlock()
            return
        self.is_kept = True
        asyncio.get_running_loop().call_later(KEEP_SECONDS, self.let_go)

    def let_go(self) -> None:
        """Give back a lock that was kept."""
        if self.is_kept:
            self.is_kept = False
            self.unlock()

    def admit(self, limit: int, now: float) -> float:
        """Record an admission at `now` and return 0, or return the seconds to wait.

        The caller holds the lock.
        """
        ring, capacity, count = self._ready(limit)
        if count >= limit:
            stamp = self._stamp(ring, (count - limit) % capacity)
            if stamp <= now < stamp + WINDOW_SECONDS:
                return stamp + WINDOW_SECONDS - now
        _put_stamp(ring, _FIRST + (count % capacity) * _STAMP_BYTES, now)
        _put_header(ring, 0, _MAGIC, capacity, count + 1)
        return 0.0

    def _stamp(self, ring: mmap.mmap, place: int) -> float:
        stamp: float = _STAMP.unpack_from(ring, _HEADER.size + place * _STAMP.size)[0]
        return stamp

    def _ready(self, limit: int) -> tuple[mmap.mmap, int, int]:
        """Return the mapped ring, its capacity and the number of admissions.

        It is made, or enlarged, so that `limit` places fit. Its header, which all
        processes share, tells when another one enlarged it.
        """
        ring = self._map
        if ring is not None:
            magic, capacity, count = _header_of(ring)
            if limit <= capacity == self._capacity and magic == _MAGIC:
                return ring, capacity, count
        self._make_ready(limit)
        assert self._map is not None  # noqa: S101
        _, capacity, count = _HEADER.unpack_from(self._map)
        return self._map, capacity, count

    def _make_ready(self, limit: int) -> None:
        size = os.fstat(self._file).st_size
        capacity = 0
        if size >= _HEADER.size:
            if self._map is None or len(self._map) != size:
                self._remap(size)
            assert self._map is not None  # noqa: S101
            magic, capacity, _ = _HEADER.unpack_from(self._map)
            if magic != _MAGIC or size != self._bytes_for(capacity):
                capacity = 0
        if capacity < limit:
            self._grow(capacity, limit)

    def _grow(self, old: int, limit: int) -> None:
        """Make room for `limit` times, keeping those there are."""
        count, stamps = 0, []
        if old and self._map is not None:
            _, _, count = _HEADER.unpack_from(self._map)
            kept = min(count, old)
            stamps = [
                self._stamp(self._map, i % old) for i in range(count - kept, count)
            ]
        capacity = max(SMALLEST_RING, 1 << (limit - 1).bit_length())
        if self._map is not None:
            self._map.close()
            self._map = None
        size = self._bytes_for(capacity)
        os.ftruncate(self._file, size)
        # Written, not left as a hole: on a full disk this fails, where writing to the
        # map of a hole would kill the process.
        if os.pwrite(self._file, bytes(size), 0) < size:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._remap(size)
        assert self._map is not None  # noqa: S101
        _HEADER.pack_into(self._map, 0, _MAGIC, capacity, len(stamps))
        for place, stamp in enumerate(stamps):
            _STAMP.pack_into(self._map, _HEADER.size + place * _STAMP.size, stamp)

    def _remap(self, size: int) -> None:
        if self._map is not None:
            self._map.close()
        self._map = mmap.mmap(self._file, size)
        places, rest = divmod(size - _HEADER.size, _STAMP.size)
        self._capacity = -1 if rest else places

    @staticmethod
    def _bytes_for(capacity: int) -> int:
        return _HEADER.size + capacity * _STAMP.size


class HostLimiter:
    """Shares limits among the processes of this host through ring files.

    Where they cannot be written (a full disk, a read-only folder), each process counts
    for itself: calls go on. Who `is_alone` is the only worker of the host, but for the
    one that follows it.
    """

    def __init__(self, folder: Path, *, is_alone: bool = False) -> None:
        self.trouble = ""
        self._is_alone = is_alone
        self._folder = folder
        self._rings: dict[str, RingFile] = {}
        self._own = Allowance()
        self._complaints = Allowance(1)

    async def wait_time(self, key: str, limit: int) -> float:
        """Admit a request to `key` and return 0, or return the seconds to wait."""
        try:
            ring = self._rings.get(key) or self._opened(key)
            if ring.is_kept:
                return ring.admit(limit, time.monotonic())
            if not (ring.try_lock() or await _lock(ring)):
                return 1.0
            try:
                return ring.admit(limit, time.monotonic())
            finally:
                ring.unlock()
        except OSError as error:
            return self._counted_alone(key, limit, error)

    def wait_at_once(self, key: str, limit: int) -> float | None:
        """Do the same unless another process holds the lock; None where one does.

        For the worker's event loop, by which a lock may be kept.
        """
        try:
            ring = self._rings.get(key) or self._opened(key)
            if ring.is_kept:
                return ring.admit(limit, time.monotonic())
            if not ring.try_lock():
                return None
            now = time.monotonic()
            try:
                return ring.admit(limit, now)
            finally:
                if self._is_alone:
                    ring.keep_or_unlock(now)
                else:
                    ring.unlock()
        except OSError as error:
            return self._counted_alone(key, limit, error)

    def _counted_alone(self, key: str, limit: int, error: OSError) -> float:
        """Return what `wait_time` does where nothing can be shared because of `error`.

        Each process counts for itself then.
        """
        self._complain(error)
        return self._own.add(key, limit)

    def _complain(self, error: OSError) -> None:
        if not self._complaints.add():
            logger.error(
                "Limits cannot be shared between processes (%s): each counts alone.",
                error.strerror,
            )

    def _opened(self, key: str) -> RingFile:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        ring = self._rings[key] = RingFile(self._folder / f"{key}.ring")
        return ring

    async def recover(self) -> None:
        """Nothing: what a full disk costs here, the ledger tells."""

    async def aclose(self) -> None:
        """Let go of every ring file."""
        for ring in self._rings.values():
            ring.close()
        self._rings.clear()


async def _lock(ring: RingFile) -> bool:
    """Wait for the lock that another process holds; tell whether it came in time."""
    patience = time.monotonic() + LOCK_PATIENCE_SECONDS
    looks = 0
    while looks < LOCK_LOOKS or time.monotonic() < patience:
        await asyncio.sleep(0.001)
        if ring.try_lock():
            return True
        looks += 1
    return False
