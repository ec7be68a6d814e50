"""How often a provider is asked the same once more.

A repeat helps where the trouble is over: an idle connection was closed, a token had
expired, another provider was busy. A provider that fails every call must not get twice
the calls for it, so repeats that fail are counted against what its calls have earned:
about one in ten of them, and three in ten seconds however few there are. Those that
succeed are free.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

# With the repeats themselves, which are calls as well, a tenth.
SHARE = 0.09
FLOOR = 3.0
SECONDS = 10.0


class Repeats:
    """The repeats that one provider may still cost a worker."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._left = FLOOR
        self._earned = 0.0
        self._counted_at = clock()

    def called(self) -> None:
        """Note a call that is sent for the first time."""
        self._earned += SHARE

    def are_left(self) -> bool:
        """Tell whether one may be sent once more."""
        now = self._clock()
        by_time = (now - self._counted_at) * FLOOR / SECONDS
        self._left = min(FLOOR, self._left + self._earned + by_time)
        self._earned, self._counted_at = 0.0, now
        return self._left >= 1

    def failed(self) -> None:
        """Note a repeat that failed as well."""
        self._left -= 1


def repeats_of(extensions: Mapping[str, Any]) -> Repeats:
    """Return what a request's extensions name, else enough for this request alone."""
    found = extensions.get("repeats")
    return found if isinstance(found, Repeats) else Repeats()
