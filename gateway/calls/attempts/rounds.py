"""The upstream requests that one answer takes.

They are more than one where it pauses, or while the provider is busy.
"""

import random
from asyncio import sleep
from collections.abc import Awaitable
from time import monotonic

import httpx

from gateway.calls import failures, upstream
from gateway.calls.call import Call
from gateway.errors import GatewayError
from gateway.hub.protocol import UpstreamRequest
from gateway.limits import refusal
from gateway.values import Record
from gateway.wire.jsontext import JSON, encode
from gateway.worker.draining import draining
from gateway.worker.snapshot import Target

MOST_AGAIN = 2
"""How often a call asks a provider again that was busy."""
# Those that were refused together do not come back together.
JITTER = (1.0, 1.25)


class Rounds(Record):
    """One answer's requests to one target; `rendered` is the current one.

    `reading` understands what the target answers. The current one was `sent_at`, on the
    monotonic clock.
    """

    target: Target
    rendered: UpstreamRequest
    call: Call
    reading: upstream.Reading
    sent_at: float = 0.0

    def is_admitted(self) -> bool:
        """Count a request where nobody is to be waited for, as nearly always.

        Tell whether it was counted: else `admit` is to be awaited. Raises the 429 over
        the provider's limit.
        """
        provider, limiter = self.target.provider, self.call.limiter
        limit = provider.row.requests_per_minute
        if limiter is None or not limit:
            return True
        wait = limiter.wait_at_once(provider.uid, limit)
        if not wait:
            return wait is not None
        raise refusal(provider.name, limit, wait)

    async def admit(self) -> None:
        """Count a request; raises the 429 over the provider's limit."""
        provider, limiter = self.target.provider, self.call.limiter
        limit = provider.row.requests_per_minute
        if limiter is None or not limit:
            return
        wait = await limiter.wait_time(provider.uid, limit)
        if wait > 0:
            raise refusal(provider.name, limit, wait)

    def send(self) -> Awaitable[httpx.Response]:
        """Send the current request.

        The response is a success, its body not read yet. Raises GatewayError.
        """
        self.sent_at = monotonic()
        return upstream.send(self.target, self.rendered, self.call, self.reading)

    def let_go(self) -> None:
        """Hold the current request as the bytes that are sent, unless it may go on."""
        rendered = self.rendered
        if rendered.resume is None:
            raw = rendered.raw or encode(rendered.body)
            self.rendered = rendered._replace(body={}, raw=raw)

    async def outlasts(self, error: GatewayError) -> bool:
        """Wait as `error` asks, and tell whether to send the current request again.

        The upstream said that it did not take the work, so that nothing is billed
        twice. Where another provider may be asked instead, that one is. Returns at once
        where the call's patience or the provider's repeats
        (providers/transport/repeats.py) do not last.
        """
        call, repeats = self.call, self.target.provider.repeats
        if call.asked_again:
            repeats.failed()
        seconds = self._pause(error)
        if seconds is None or not repeats.are_left():
            return False
        call.asked_again += 1
        call.waited += seconds
        await sleep(seconds)
        call.entry.fields.setdefault("details", {})["asked_again"] = call.asked_again
        return not draining.has_begun

    def _pause(self, error: GatewayError) -> float | None:
        """Return the seconds to wait before the next request; None for no other."""
        call = self.call
        if call.is_billed or not call.is_last or call.asked_again == MOST_AGAIN:
            return None
        if (
            error.code not in failures.BUSY
            or error.headers.get("x-should-retry") == "false"
        ):
            return None
        seconds = _told(error) * random.uniform(*JITTER)  # noqa: S311
        is_short = call.waited + seconds <= self.target.provider.patience
        return seconds if is_short else None

    async def go_on(self) -> httpx.Response:
        """Send a later request, which counts like the first."""
        await self.admit()
        return await self.send()

    def go_on_after(self, payload: JSON) -> bool:
        """Make the request that goes on after `payload` the current one, if any."""
        resume = self.rendered.resume
        resumed = resume(payload) if resume is not None else None
        if resumed is None:
            return False
        self.rendered = resumed
        self.call.is_billed = True
        return True


def _told(error: GatewayError) -> float:
    """Return the seconds that the client would be told to wait.

    Some servers tell milliseconds beside, some a date, for which nobody waits here.
    https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
    """
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        told = error.headers.get(name, "").strip()
        if told.isascii() and told.replace(".", "", 1).isdigit():
            return float(told) * unit
    return float("inf")
