"""The upstream requests that one answer takes: more than one where it pauses."""

from dataclasses import dataclass

import httpx

from gateway.calls import upstream
from gateway.calls.call import Call
from gateway.hub.protocol import UpstreamRequest
from gateway.limits import refusal
from gateway.wire.jsontext import JSON
from gateway.worker.snapshot import Target


@dataclass
class Rounds:
    """One answer's requests to one target; `rendered` is the current one.

    `reading` understands what the target answers.
    """

    target: Target
    rendered: UpstreamRequest
    call: Call
    reading: upstream.Reading

    async def admit(self) -> None:
        """Count a request; raises the 429 over the provider's limit."""
        row, limiter = self.target.provider.row, self.call.limiter
        if limiter is None or not row.requests_per_minute:
            return
        wait = await limiter.wait_time(
            self.target.provider.uid, row.requests_per_minute
        )
        if wait > 0:
            raise refusal(row.name, row.requests_per_minute, wait)

    async def send(self) -> httpx.Response:
        """Send the current request.

        The response is a success, its body not read yet. Raises GatewayError.
        """
        return await upstream.send(self.target, self.rendered, self.call, self.reading)

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
