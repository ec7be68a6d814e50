"""A stream that nobody has answered yet: what its client gets meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from gateway.doors.protocol import Asked, Door, Sent
from gateway.entry.response import body_message, start_message
from gateway.entry.streamed import headers_of
from gateway.errors import GatewayError
from gateway.worker.call_settings import call_settings

EARLY_SECONDS = 90.0
"""Seconds without an answer after which a stream begins without one.

Claude Code gives up after 300 s without a byte, proxies after 100 s; a model on a small
machine reads a coding agent's prompt for longer than that.
https://docs.anthropic.com/en/docs/claude-code/llm-gateway
"""

Send = Callable[[dict[str, Any]], Awaitable[None]]


class Waiting:
    """Begins a stream when its time has come, and keeps it alive until the answer.

    The upstreams are asked on meanwhile, one after the other as always. `stop` comes
    before anything else is sent; `drop` is for who leaves without.
    """

    def __init__(self, send: Send, door: Door, asked: Asked, sent: Sent) -> None:
        self.has_begun = False
        self._send = send
        self._door = door
        self._asked = asked
        self._sent = sent
        self._saying: asyncio.Task[None] | None = None
        self._timer = self._after(EARLY_SECONDS)

    async def stop(self) -> bool:
        """Say nothing more; tell whether the stream has begun."""
        self._timer.cancel()
        if self._saying is not None:
            await self._saying
            self._timer.cancel()
        return self.has_begun

    def drop(self) -> None:
        """Say nothing more, not even what is being said."""
        self._timer.cancel()
        if self._saying is not None:
            self._saying.cancel()

    def fail(self, error: GatewayError) -> bytes:
        """Return the last frames of a stream that has begun, and got no answer."""
        return self._door.stream_renderer(self._asked).fail(error)

    def _after(self, seconds: float) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(seconds, self._speak)

    def _speak(self) -> None:
        self._saying = asyncio.create_task(self._say())

    async def _say(self) -> None:
        """Send a frame that says nothing, behind the headers if it is the first."""
        if not self.has_begun:
            self.has_begun = True
            await self._send(start_message(200, self._headers()))
        await self._send(body_message(self._door.KEEP_ALIVE, more=True))
        self._timer = self._after(call_settings.KEEPALIVE_SECONDS)

    def _headers(self) -> dict[str, str]:
        """Return the headers of an answer of which only the door is known."""
        headers = headers_of(self._door.stream_renderer(self._asked))
        headers = self._door.answer_headers(headers, self._sent)
        return {**headers, "x-request-id": self._sent.request_id}
