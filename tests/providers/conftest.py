"""What tests of providers share."""

import asyncio
from time import monotonic

import pytest


class Later:
    """The clock by which connections are looked at: a test sets how far it is ahead.

    So limits may be long, however busy the machine is, and be over all the same.
    """

    ahead = 0.0
    looks = 0

    def __call__(self) -> float:
        self.looks += 1
        return monotonic() + self.ahead

    async def look(self, ahead: float) -> None:
        """Return once connections were looked at as if it was so much later."""
        self.ahead, seen = ahead, self.looks
        while self.looks == seen:
            await asyncio.sleep(0.01)
        self.ahead = 0.0


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Later:
    """The time that passes for connections alone."""
    clock = Later()
    monkeypatch.setattr("providers.transport.deadline.monotonic", clock)
    monkeypatch.setattr("providers.transport.deadline.LOOK_SECONDS", 0.01)
    return clock
