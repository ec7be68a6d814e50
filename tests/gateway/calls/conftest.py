"""What tests of calls share: a clock for the repeats of providers."""

import pytest

from providers.transport.repeats import Repeats


class Clock:
    """Stands still, so that time gives no repeat back."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def frozen(monkeypatch):
    """Has the repeats of every provider counted by a clock that stands still."""
    clock = Clock()
    monkeypatch.setattr(Repeats.__init__, "__defaults__", (clock,))
    return clock
