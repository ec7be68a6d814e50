"""What counts requests while a test runs: this host, or Redis where there is one."""

from pathlib import Path

from django.conf import settings

from gateway.limits.host import HostLimiter
from gateway.limits.shared import SharedLimiter

# A busy machine makes Redis slow, not wrong.
PATIENT_SECONDS = 30.0


class LimitsOfATest:
    """Counts in the Redis of the settings, each test apart, in however many loops."""

    def __init__(self, folder: Path) -> None:
        self.trouble = ""
        self._own = HostLimiter(folder)
        self._folder = folder

    async def wait_time(self, key: str, limit: int) -> float:
        """Admit a request and return 0, or return the seconds until one may enter."""
        # A connection belongs to one loop.
        url = settings.REDIS_URL
        shared = SharedLimiter(url, self._own, "deny", budget=PATIENT_SECONDS)
        try:
            return await shared.wait_time(f"{self._folder.name}:{key}", limit)
        finally:
            await shared.aclose()

    def wait_at_once(self, key: str, limit: int) -> float | None:
        """Return None: Redis is to be waited for."""
        return None

    async def recover(self) -> None:
        """Nothing: each question finds out for itself."""

    async def aclose(self) -> None:
        """Let go of everything."""
        await self._own.aclose()


def of_a_test(folder: Path) -> HostLimiter | LimitsOfATest:
    """Return what counts requests for one test, which `folder` is of."""
    return LimitsOfATest(folder) if settings.REDIS_URL else HostLimiter(folder)
