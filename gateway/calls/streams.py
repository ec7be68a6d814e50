"""A streamed answer: from the upstream's bytes to the client's, chunk by chunk."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator

import httpx
from django.http import StreamingHttpResponse

from gateway.calls import upstream
from gateway.calls.rounds import Rounds
from gateway.errors import GatewayError, upstream_error
from gateway.hub.answers.relay import Relayed, encoded, joined, relay
from gateway.hub.protocol import PausingParser, StreamParser
from gateway.ledger.usage import usage_fields
from gateway.models import UsageRecord
from gateway.wire import sse
from gateway.wire.jsontext import JSON
from gateway.worker.call_settings import call_settings
from gateway.worker.draining import draining

COMMIT_SECONDS = 10.0
END_SECONDS = 0.1
CHARACTERS_PER_TOKEN = 4

logger = logging.getLogger(__name__)


class ChatStream:
    """A streamed answer on its way to the client; an asynchronous iterator of bytes.

    It is one upstream stream, or several where the answer pauses and is asked to go on.
    `open` decides between an error with a status of its own and a stream; from then on
    failures are told in one last frame. Whoever holds a ChatStream calls `aclose`,
    whatever happened: it closes the upstream and ends the ledger's entry.
    """

    def __init__(
        self, rounds: Rounds, response: httpx.Response, parser: StreamParser
    ) -> None:
        self._rounds = rounds
        self._provider = rounds.target.provider
        self._entry = rounds.call.entry
        self._response = response
        self._body = upstream.body_of(response)
        self._parser = parser
        self._state = parser.state
        self._pausing = parser if isinstance(parser, PausingParser) else None
        self._next: asyncio.Task[httpx.Response] | None = None
        self._ready: list[Relayed] = []
        self._first_byte = False
        self._characters = 0
        self._finish_reason = ""
        self._deadline = time.monotonic() + self._provider.stream_seconds
        self._outcome = UsageRecord.Outcome.CLIENT_CLOSED
        self._failure: GatewayError | None = None

    async def open(self) -> None:
        """Wait for the upstream's first event, ten seconds at the most.

        Raises GatewayError when the upstream failed before anything worth sending.
        """
        try:
            async with asyncio.timeout(COMMIT_SECONDS):
                while not self._ready and not self._is_over():
                    self._take(await self._read())
        except TimeoutError:
            return
        if self._failure and not any(relayed.says for relayed in self._ready):
            raise self._failure

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._frames()

    async def aclose(self) -> None:
        """Close the upstream and end the ledger's entry; safe to call twice."""
        fields = usage_fields(self._state.usage)
        is_final = self._state.usage is not None and self._state.done
        if self._characters and (not is_final or self._failure is not None):
            # Claude counts the first token at once and the others at the end.
            counted = fields.get("output_tokens", 0)
            guessed = max(1, self._characters // CHARACTERS_PER_TOKEN)
            fields["output_tokens"] = max(counted, guessed)
            fields["estimated"] = True
        if self._failure is not None:
            fields["error_code"] = self._failure.code or self._failure.type
            fields["error_message"] = self._failure.message
        if draining.is_over and self._outcome == UsageRecord.Outcome.CLIENT_CLOSED:
            self._outcome = UsageRecord.Outcome.SHUTDOWN
        self._entry.ended(
            self._outcome, status=200, finish_reason=self._finish_reason, **fields
        )
        if self._outcome == UsageRecord.Outcome.OK:
            await self._read_to_the_end()
        await self.let_go()

    async def let_go(self) -> None:
        """Close what is open towards the upstream."""
        await self._response.aclose()
        if self._next is not None:
            await self._give_up(self._next)

    def stall(self) -> None:
        """Note that the client has stopped reading."""
        self._outcome = UsageRecord.Outcome.CLIENT_STALLED

    async def _frames(self) -> AsyncIterator[bytes]:
        if not self._ready and not self._is_over():
            yield sse.KEEP_ALIVE
        while True:
            if self._ready:
                ready, self._ready = joined(self._ready), []
                yield self._sent(ready)
            if self._is_over():
                break
            try:
                async with asyncio.timeout(call_settings.KEEPALIVE_SECONDS):
                    data = await self._read()
            except TimeoutError:
                yield sse.KEEP_ALIVE
            else:
                self._take(data)
            self._check_patience()
        if self._failure is not None:
            self._outcome = UsageRecord.Outcome.UPSTREAM_ERROR
            yield sse.encode_error(self._failure.body())
        else:
            self._outcome = UsageRecord.Outcome.OK
            upstream.record(self._provider, "ok")
            yield sse.DONE

    def _sent(self, relayed: Relayed) -> bytes:
        if not self._first_byte:
            self._first_byte = True
            self._entry.fields["first_byte_ms"] = self._entry.elapsed_ms()
        self._characters += relayed.characters
        self._finish_reason = relayed.finish_reason or self._finish_reason
        return upstream.redact(self._provider, relayed.data)

    def _is_over(self) -> bool:
        return self._state.done or self._failure is not None

    async def _read(self) -> bytes | None:
        """Return what arrived, None at the end; a broken connection is a failure."""
        try:
            if self._pausing is not None and self._state.paused is not None:
                return await self._go_on(self._pausing, self._state.paused)
            return await anext(self._body, None)
        except httpx.TransportError as error:
            self._failure = upstream.interruption(self._provider, error)
            return b""
        except GatewayError as error:
            self._failure = error
            return b""

    async def _go_on(self, parser: PausingParser, paused: JSON) -> bytes | None:
        """Ask for the rest of a paused answer; None where there will be none.

        The request is a task of its own: whoever waits for it may stop to tell the
        client that the stream is alive, and wait again.
        """
        if self._next is None:
            await self._read_to_the_end()
            await self._response.aclose()
            if not self._rounds.go_on_after(paused):
                return None
            self._next = asyncio.create_task(self._rounds.go_on())
        self._response = await asyncio.shield(self._next)
        self._next = None
        self._body = upstream.body_of(self._response)
        parser.resume(self._rounds.rendered.reply)
        return b""

    @staticmethod
    async def _give_up(request: asyncio.Task[httpx.Response]) -> None:
        """End a request that nobody waits for any more."""
        request.cancel()
        await asyncio.wait([request])
        if not request.cancelled() and request.exception() is None:
            await request.result().aclose()

    def _take(self, data: bytes | None) -> None:
        """Translate what arrived."""
        if data is None:
            relayed = encoded(self._parser.close())
        else:
            relayed = relay(self._parser, data)
        if relayed.data:
            self._ready.append(relayed)
        if self._state.error is not None and self._failure is None:
            self._failure = upstream.redacted(self._provider, self._state.error)

    def _check_patience(self) -> None:
        """Give up on an upstream that goes on for too long.

        One that falls silent is given up by the transport.
        """
        if time.monotonic() > self._deadline:
            self._failure = upstream_error(
                504,
                "upstream_timeout",
                f"The provider {self._provider.name} took too long.",
            )

    async def _read_to_the_end(self) -> None:
        """Take what stands behind the last event, so that the connection is kept."""
        try:
            async with asyncio.timeout(END_SECONDS):
                while await anext(self._body, None):
                    pass
        except (TimeoutError, httpx.TransportError):
            pass


class ChatStreamResponse(StreamingHttpResponse):
    """The HTTP response of a ChatStream; `aclose` belongs to whoever sends it."""

    def __init__(self, stream: ChatStream, headers: dict[str, str]) -> None:
        super().__init__(
            stream,
            content_type="text/event-stream; charset=utf-8",
            headers={
                "cache-control": "no-cache, no-transform",
                "x-accel-buffering": "no",
                **headers,
            },
        )
        self.stream = stream

    async def aclose(self) -> None:
        """Close the upstream and end the ledger's entry."""
        await self.stream.aclose()

    def stall(self) -> None:
        """Note that the client has stopped reading."""
        self.stream.stall()
