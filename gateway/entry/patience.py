"""How long one task waits for the next of many things, by one timer for all of them."""

import asyncio
from types import TracebackType


class Patience:
    """Ends a wait after so many seconds, as `asyncio.timeout` does, time and again.

    `with` it around each wait, which is a `TimeoutError` then. A timer for each read of
    a stream costs as much as what the stream says; this one is set anew when it goes
    off, and was waited for less long. Whoever waits no more calls `stop`.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[object] | None = None
        self._since = 0.0
        self._is_over = False
        self._cancelling = 0

    def __enter__(self) -> None:
        self._task = asyncio.current_task()
        self._since = self._loop.time()
        if self._timer is None:
            self._timer = self._loop.call_later(self._seconds, self._look)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        task, self._task = self._task, None
        if task is None or not self._is_over:
            return
        self._is_over = False
        # Others may have cancelled the task as well, who are not to be ignored.
        is_ours = task.uncancel() <= self._cancelling
        if is_ours and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def renew(self) -> None:
        """Begin the wait anew: what was waited for came to somebody else."""
        self._since = self._loop.time()

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        """End the wait, if there is one and it has lasted."""
        self._timer = None
        if self._task is None:
            return
        left = self._since + self._seconds - self._loop.time()
        if left > 0:
            self._timer = self._loop.call_later(left, self._look)
            return
        self._is_over, self._cancelling = True, self._task.cancelling()
        self._task.cancel()
