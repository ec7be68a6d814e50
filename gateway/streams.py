"""A streamed answer: from the upstream's bytes to the client's, chunk by chunk."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator

import httpx
from django.conf import settings
from django.http import StreamingHttpResponse

from gateway import upstream
from gateway.errors import GatewayError, upstream_error
from gateway.ledger import Entry
from gateway.models import UsageRecord
from gateway.registry import Provider
from gateway.translators.protocol import StreamParser
from gateway.usage import usage_fields
from gateway.wire import sse
from gateway.wire.jsontext import JSON

COMMIT_SECONDS = 10.0
CHARACTERS_PER_TOKEN = 4

logger = logging.getLogger(__name__)


class ChatStream:
    """One upstream stream on its way to the client; an asynchronous iterator of bytes.

    `open` decides between an error with a status of its own and a stream; from then on
    failures are told in one last frame. Whoever holds a ChatStream calls `aclose`,
    whatever happened: it closes the upstream and ends the ledger's entry.
    """

    def __init__(
        self,
        provider: Provider,
        response: httpx.Response,
        parser: StreamParser,
        entry: Entry,
    ) -> None:
        self._provider = provider
        self._response = response
        self._body = upstream.body_of(response)
        self._parser = parser
        self._entry = entry
        self._ready: list[JSON] = []
        self._first_byte = False
        self._characters = 0
        self._finish_reason = ""
        self._heard = time.monotonic()
        self._deadline = self._heard + provider.timeouts["total"]
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
        if self._failure and not any(map(_says_something, self._ready)):
            raise self._failure

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._frames()

    async def aclose(self) -> None:
        """Close the upstream and end the ledger's entry; safe to call twice."""
        fields = usage_fields(self._parser.usage)
        if self._parser.usage is None and self._characters:
            fields["output_tokens"] = max(1, self._characters // CHARACTERS_PER_TOKEN)
            fields["estimated"] = True
        if self._failure is not None:
            fields["error_code"] = self._failure.code or self._failure.type
            fields["error_message"] = self._failure.message
        self._entry.ended(
            self._outcome, status=200, finish_reason=self._finish_reason, **fields
        )
        await self._response.aclose()

    async def _frames(self) -> AsyncIterator[bytes]:
        if not self._ready and not self._is_over():
            yield sse.KEEP_ALIVE
        while True:
            if self._ready:
                chunks, self._ready = self._ready, []
                yield self._encode(chunks)
            if self._is_over():
                break
            try:
                async with asyncio.timeout(settings.KEEPALIVE_SECONDS):
                    data = await self._read()
            except TimeoutError:
                self._check_patience()
                if self._failure is None:
                    yield sse.KEEP_ALIVE
                continue
            self._take(data)
        if self._failure is not None:
            self._outcome = UsageRecord.Outcome.UPSTREAM_ERROR
            yield sse.encode_error(self._failure.body())
        else:
            self._outcome = UsageRecord.Outcome.OK
            upstream.record(self._provider, "ok")
            yield sse.DONE

    def _encode(self, chunks: list[JSON]) -> bytes:
        if not self._first_byte:
            self._first_byte = True
            self._entry.fields["first_byte_ms"] = self._entry.elapsed_ms()
        for chunk in chunks:
            for choice in chunk["choices"]:
                if content := choice["delta"].get("content"):
                    self._characters += len(content)
                if reason := choice.get("finish_reason"):
                    self._finish_reason = reason
        return upstream.redact(self._provider, sse.encode(chunks))

    def _is_over(self) -> bool:
        return self._parser.done or self._failure is not None

    async def _read(self) -> bytes | None:
        """Return what arrived, None at the end; a broken connection is a failure."""
        try:
            return await anext(self._body, None)
        except httpx.TransportError as error:
            self._failure = upstream.interruption(self._provider, error)
            return b""

    def _take(self, data: bytes | None) -> None:
        """Translate what arrived."""
        self._heard = time.monotonic()
        chunks = self._parser.close() if data is None else self._parser.feed(data)
        self._ready += chunks
        if self._parser.error is not None and self._failure is None:
            self._failure = self._parser.error

    def _check_patience(self) -> None:
        """Give up on an upstream that is silent or goes on for too long."""
        now = time.monotonic()
        silent = now - self._heard > self._provider.timeouts["silence"]
        if silent or now > self._deadline:
            self._failure = upstream_error(
                504,
                "upstream_timeout",
                f"The provider {self._provider.name} "
                + ("fell silent." if silent else "took too long."),
            )


def _says_something(chunk: JSON) -> bool:
    """Tell whether a chunk carries more than the assistant's role."""
    for choice in chunk["choices"]:
        delta = choice["delta"]
        if choice.get("finish_reason") or any(
            delta[key] for key in delta.keys() - {"role"}
        ):
            return True
    return not chunk["choices"]


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
