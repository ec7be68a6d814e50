"""A clock that stands while anything is to be done, and leaps to what comes next."""

import asyncio
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

BEGIN = 1_000_000.0
"""When it begins: far from 0, as a machine's clock is."""


class LeapingLoop(asyncio.SelectorEventLoop):
    """An event loop whose time passes only where nobody has anything to do."""

    def __init__(self) -> None:
        super().__init__()
        self._now = BEGIN
        self._look = self._selector.select  # type: ignore[attr-defined]
        self._selector.select = self._leap  # type: ignore[attr-defined]

    def time(self) -> float:
        """Return the time it is taken for."""
        return self._now

    def _leap(self, timeout: float | None = None) -> Any:
        if timeout is None:
            raise RuntimeError("nothing will ever happen again")
        self._now += max(0.0, timeout)
        return self._look(0)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Return what `work` returns; meanwhile this process's monotonic clock leaps."""
    loop = LeapingLoop()
    real = time.monotonic
    time.monotonic = loop.time
    try:
        return loop.run_until_complete(work)
    finally:
        time.monotonic = real
        loop.close()
