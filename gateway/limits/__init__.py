"""What is refused for being too much: requests per minute, and calls open at once.

Requests per minute are exact, sliding and shared by all workers. A limit of N admits a
request when the one N places back is at least 60 s old. That takes the times of the
last N admissions and nothing else, so the check costs the same whatever N is. `host`
keeps the times for one host, `shared` for hosts that share a Redis; `capacity` counts
the calls that one worker has open.
"""

import math
from typing import Protocol

from gateway.errors import GatewayError

WINDOW_SECONDS = 60.0


class Limiter(Protocol):
    """Admits or refuses a request to a provider."""

    trouble: str
    """What keeps it from counting for all hosts; empty while nothing does."""

    async def wait_time(self, key: str, limit: int) -> float:
        """Admit a request and return 0, or return the seconds until one may enter."""
        ...

    def wait_at_once(self, key: str, limit: int) -> float | None:
        """Do the same where nobody is to be waited for; None where somebody is.

        Nothing has been counted then. To await it costs a call 2 µs.
        """
        ...

    async def recover(self) -> None:
        """Find out whether the trouble is over; nothing to do without one."""
        ...

    async def aclose(self) -> None:
        """Let go of everything."""
        ...


def refusal(provider: str, limit: int, wait: float) -> GatewayError:
    """Return the 429 for a request over the provider's limit."""
    seconds = max(1, math.ceil(wait))
    return GatewayError(
        429,
        "rate_limit_error",
        f"This gateway's limit of {limit} requests per minute for the provider "
        f"{provider} is reached. Try again in {seconds} s.",
        code="rate_limit_exceeded",
        headers={"retry-after": str(seconds)},
    )
