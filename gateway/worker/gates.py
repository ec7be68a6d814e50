"""Whether a provider that does not answer is called at all.

After several failures in a row calls are refused at once, so that nobody waits for a
timeout and the provider is left alone. One call at a time may try whether it is back,
first after five seconds, later once a minute. The times of trials stand in a file, so
that all workers of a host share them; who succeeds deletes it.

A provider that cannot be reached is closed as a whole. One that is reached and fails
is closed for the model that was asked: its other models may be well.
"""

import fcntl
import hashlib
import os
import random
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from django.conf import settings

from gateway.errors import GatewayError, upstream_error
from gateway.worker.call_settings import call_settings
from gateway.worker.snapshot import Provider

FIRST_PAUSE = 5.0
LONGEST_PAUSE = 60.0
# Trials of several hosts, and of several providers behind one, do not come together.
JITTER = (0.8, 1.2)

_TIMES = struct.Struct("<dd")  # when the next trial may be, and the pause before it


class Gates:
    """The gates of one worker; `failing` is empty while all is well.

    Times are the machine's monotonic clock, which its processes share.
    """

    def __init__(
        self, folder: Path, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.failing: dict[str, int] = {}
        self._folder = folder
        self._clock = clock

    def pass_through(self, provider: Provider, model: str) -> None:
        """Let a call to `model` through, or raise GatewayError, a fast 503."""
        limit = call_settings.UNAVAILABLE_AFTER
        if not limit:
            return
        # The provider's own trial comes last: not to be taken by a call that ends here.
        for key in (_key(provider, model), _key(provider)):
            if self.failing.get(key, 0) < limit:
                continue
            wait = self._take_trial(key)
            if wait > 0:
                raise _unavailable(provider, wait)

    def unreached(self, provider: Provider) -> None:
        """Note that `provider` could not be reached."""
        self._count(_key(provider))

    def failed(self, provider: Provider, model: str) -> None:
        """Note that `provider` was reached, and failed by itself when asked `model`."""
        self._open(_key(provider))
        self._count(_key(provider, model))

    def began(self, provider: Provider, model: str) -> None:
        """Note that an answer began: enough for a closed gate to open.

        Whether it counts as one that came, its end tells.
        """
        self._open(_key(provider))
        if (
            self.failing.get(_key(provider, model), 0)
            >= call_settings.UNAVAILABLE_AFTER
        ):
            self._open(_key(provider, model))

    def answered(self, provider: Provider, model: str) -> None:
        """Note that `provider` answered, whatever it said."""
        self._open(_key(provider))
        self._open(_key(provider, model))

    def _count(self, key: str) -> None:
        self.failing[key] = self.failing.get(key, 0) + 1
        if self.failing[key] == call_settings.UNAVAILABLE_AFTER:
            # Another worker was first, or the disk is full: then nobody is kept out.
            with suppress(OSError):
                self._write(key, FIRST_PAUSE, os.O_CREAT | os.O_EXCL)

    def _open(self, key: str) -> None:
        if self.failing.pop(key, 0):
            with suppress(OSError):
                (self._folder / key).unlink()

    def _take_trial(self, key: str) -> float:
        """Take the next trial and return 0, or return the seconds until there is one.

        Without a file another worker's trial has succeeded.
        """
        try:
            file = os.open(self._folder / key, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            self.failing.pop(key, None)
            return 0.0
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            next_at, pause = _times(os.pread(file, _TIMES.size, 0))
            wait = next_at - self._clock()
            # A time further ahead was written before the machine started anew.
            if 0 < wait <= LONGEST_PAUSE * JITTER[1]:
                return wait
            os.pwrite(file, self._after(min(2 * pause, LONGEST_PAUSE)), 0)
        finally:
            os.close(file)
        return 0.0

    def _write(self, key: str, pause: float, flags: int) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / key
        file = os.open(path, os.O_WRONLY | os.O_CLOEXEC | flags, 0o600)
        try:
            os.write(file, self._after(pause))
        finally:
            os.close(file)

    def _after(self, pause: float) -> bytes:
        next_at = self._clock() + pause * random.uniform(*JITTER)  # noqa: S311
        return _TIMES.pack(next_at, pause)


def _key(provider: Provider, model: str = "") -> str:
    """Return a gate's name; an edit of the provider makes another one."""
    name = f"{provider.row.uid}-{provider.row.version}"
    if not model:
        return name
    return f"{name}-{hashlib.sha256(model.encode()).hexdigest()[:16]}"


def _times(written: bytes) -> tuple[float, float]:
    if len(written) < _TIMES.size:
        return 0.0, FIRST_PAUSE
    next_at, pause = _TIMES.unpack(written)
    return next_at, pause


def _unavailable(provider: Provider, wait: float) -> GatewayError:
    return upstream_error(
        503,
        "provider_unavailable",
        f"The provider {provider.name} has not answered for a while and is tried again "
        f"in {wait:.0f} seconds.",
        {"retry-after": str(max(1, round(wait)))},
    )


gates = Gates(settings.DATA_DIR / "gates")
"""This worker's."""
