"""Requests per minute for hosts that share a Redis: the same rule as on one host.

The times of the last admissions stand in a list per provider, newest first, and one
script reads and writes it, so that nobody comes in between. Its clock is Redis's own:
hosts need not agree on the time. https://redis.io/docs/latest/commands/eval/
"""

import asyncio
import hashlib
import logging
import time
from contextlib import suppress

from redis.exceptions import NoScriptError, RedisError, ResponseError

from gateway.errors import GatewayError
from gateway.limits import WINDOW_SECONDS, Limiter
from gateway.limits.line import Line
from providers.attempts import Allowance

BUDGET_SECONDS = 0.1
PAUSE_SECONDS = 1.0
# How often the event loop comes round before the budget counts as spent: an answer may
# be there, and a busy process had no time to look.
ROUNDS = 8
QUESTIONS_AT_ONCE = 64
PREFIX = "runagents:requests-per-minute:"
SIGN_OF_LIFE, OFTEN = "sign-of-life", 1_000_000
"""What is counted to see whether Redis counts, and a limit that is never reached."""

# Times are microseconds. A few old ones are dropped at each admission, so that the list
# holds little more than the limit and no call pays for many. A time in the future was
# written before Redis's clock was set back: a little is waited out, a lot is forgotten.
ADMIT = """
local key, limit, window = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local newest = tonumber(redis.call('LINDEX', key, 0) or '0')
if newest - now > window then
  redis.call('DEL', key)
elseif newest > now then
  now = newest
end
local decisive = redis.call('LINDEX', key, limit - 1)
if decisive and tonumber(decisive) > now - window then
  return tonumber(decisive) + window - now
end
for _ = 1, 4 do
  local oldest = redis.call('LINDEX', key, -1)
  if not oldest or tonumber(oldest) > now - window then break end
  redis.call('RPOP', key)
end
redis.call('LPUSH', key, string.format('%.0f', now))
redis.call('PEXPIRE', key, window / 1000 + 1000)
return 0
"""

_SCRIPT = ADMIT.encode()
# How Redis names a script that it knows.
_NAME = hashlib.sha1(_SCRIPT, usedforsecurity=False).hexdigest().encode()
_WINDOW = b"%d" % int(WINDOW_SECONDS * 1e6)

logger = logging.getLogger(__name__)


class SharedLimiter:
    """Shares limits among hosts through Redis.

    While Redis fails or is slow, `on_failure` decides: ``local`` counts on this host
    alone, with its part of the limit (`hosts` share it); ``allow`` admits everything,
    ``deny`` nothing. `budget` is how many seconds Redis may take.
    """

    def __init__(
        self,
        url: str,
        fallback: Limiter,
        on_failure: str = "local",
        hosts: int = 1,
        budget: float = BUDGET_SECONDS,
    ) -> None:
        self.trouble = ""
        self._line = Line(url, budget)
        self._is_new = True
        self._fallback = fallback
        self._on_failure = on_failure
        self._hosts = hosts
        self._budget = budget
        self._gate = asyncio.Semaphore(QUESTIONS_AT_ONCE)
        self._not_before = 0.0
        self._complaints = Allowance(1)

    async def wait_time(self, key: str, limit: int) -> float:
        """Admit a request to `key` and return 0, or return the seconds to wait.

        Raises GatewayError, a 503, where nothing may pass without Redis.
        """
        # A crowd waits here, where Redis is not to blame for the time it takes.
        async with self._gate:
            if time.monotonic() >= self._not_before:
                try:
                    return await self._ask(key, limit)
                except (RedisError, OSError, TimeoutError) as error:
                    self._complain(error)
        return await self._without_redis(key, limit)

    def wait_at_once(self, key: str, limit: int) -> float | None:
        """Return None: Redis is to be waited for."""
        return None

    async def recover(self) -> None:
        """Ask Redis for a sign of life while it failed, and before the first call.

        It must count, too: one that is full, or that another has taken over from, would
        answer a PING.
        """
        if not (self.trouble or self._is_new):
            return
        self._is_new = False
        try:
            await self._ask(SIGN_OF_LIFE, OFTEN)
        except (RedisError, OSError, TimeoutError) as error:
            self.trouble = _word(error)
        else:
            self.trouble = ""

    async def aclose(self) -> None:
        """Close the connection."""
        await self._line.aclose()
        await self._fallback.aclose()

    async def _ask(self, key: str, limit: int) -> float:
        words = b"1", (PREFIX + key).encode(), b"%d" % limit, _WINDOW
        try:
            wait = await self._within_budget(b"EVALSHA", _NAME, *words)
        except NoScriptError:
            wait = await self._within_budget(b"EVAL", _SCRIPT, *words)
        return int(wait) / 1e6

    async def _within_budget(self, *words: bytes) -> bytes:
        """Return Redis's answer; raises TimeoutError when the budget is spent."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(None) as patience:
                late = loop.call_later(self._budget, _give_up, loop, patience, ROUNDS)
                try:
                    return await self._line.ask(*words)
                finally:
                    late.cancel()
        except TimeoutError:
            self._line.drop()
            raise

    async def _without_redis(self, key: str, limit: int) -> float:
        if self._on_failure == "allow":
            return 0.0
        if self._on_failure == "local":
            return await self._fallback.wait_time(key, max(1, limit // self._hosts))
        raise GatewayError(
            503,
            "server_error",
            "The gateway cannot count requests at the moment and is set to refuse "
            "them then. Try again shortly.",
            code="store_unavailable",
            headers={"retry-after": "2"},
        )

    def _complain(self, error: Exception) -> None:
        """Leave Redis alone for a moment, and say why once a minute."""
        self._not_before = time.monotonic() + PAUSE_SECONDS
        self.trouble = _word(error)
        if not self._complaints.add():
            logger.error(
                "Redis does not count requests (%s); RATE_LIMIT_ON_FAILURE=%s holds.",
                self.trouble,
                self._on_failure,
            )


def _word(error: Exception) -> str:
    """Return why Redis does not count: in its own word, such as OOM or READONLY."""
    word = str(error).partition(" ")[0]
    if isinstance(error, ResponseError) and word.isalpha() and word.isupper():
        return word
    return type(error).__name__


def _give_up(
    loop: asyncio.AbstractEventLoop, patience: asyncio.Timeout, rounds: int
) -> None:
    """Let a timeout be over when the loop has come round so many times more."""
    if rounds:
        loop.call_soon(_give_up, loop, patience, rounds - 1)
        return
    with suppress(RuntimeError):  # It has its answer.
        patience.reschedule(loop.time())
