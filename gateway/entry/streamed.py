"""A streamed answer over HTTP: its frames, something to keep it alive, a last word."""

from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Protocol

from gateway.calls.begin import AnswerStream
from gateway.doors.protocol import StreamRenderer
from gateway.entry.patience import Patience
from gateway.errors import GatewayError
from gateway.worker.call_settings import call_settings

# Neither a proxy nor a cache may hold a part back or change it.
STREAM_HEADERS = {
    "cache-control": "no-cache, no-transform",
    "x-accel-buffering": "no",
}


def headers_of(renderer: StreamRenderer) -> dict[str, str]:
    """Return the headers of every stream that `renderer` writes."""
    return {"content-type": renderer.media_type, **STREAM_HEADERS}


Write = Callable[[bytes], bool]
"""Sends a part of a body without waiting; tells whether the client takes another."""


class StreamedResponse(Protocol):
    """A response whose body comes in parts; whoever sends it calls `aclose`."""

    headers: dict[str, str]

    def parts(self, write: Write | None) -> AsyncIterator[bytes]:
        """Yield its body, of which parts may go to `write` while the next is awaited.

        An empty part is yielded where the client is to be waited for.
        """
        ...

    async def whole(self) -> bytes | None:
        """Return its body where all of that is here already, else None.

        Then it is not to be had by parts, and `sent` is called once it has gone.
        """
        ...

    def sent(self) -> None:
        """Note that the whole body was sent."""
        ...

    def stall(self) -> None:
        """Note that the client has stopped reading."""
        ...

    def fail(self, error: GatewayError) -> bytes:
        """Return the last part of a body that `error` cut short."""
        ...

    async def aclose(self) -> None:
        """Let go of everything."""
        ...


class StreamedAnswer:
    """A streamed answer on its way to a client; a `StreamedResponse`.

    `before_end` is awaited before the end of a complete one is told.
    """

    def __init__(
        self,
        stream: AnswerStream[bytes],
        before_end: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._stream = stream
        self._before_end = before_end
        self._renderer = stream.reader.renderer
        self._pause = call_settings.KEEPALIVE_SECONDS
        self._patience = Patience(self._pause)
        self._silent_for = 0.0
        self._is_full = False
        self.headers = {**headers_of(self._renderer), **stream.headers}

    async def whole(self) -> bytes | None:
        """Return all frames of an answer that is all here, else None.

        To send them one by one, and to wait for more, costs a call 60 µs.
        """
        stream = self._stream
        frames = stream.all_at_once()
        if frames is None:
            return None
        if self._before_end is not None:
            await self._before_end()
        if (behind := await stream.behind()) is not None:
            frames.append(behind)
        frames.append(stream.shown(self._renderer.end()))
        return b"".join(frames)

    def sent(self) -> None:
        """Note that the client has got the whole answer."""
        self._stream.end()

    async def parts(self, write: Write | None) -> AsyncIterator[bytes]:
        """Yield the frames, but for those that go to `write` as they come."""
        stream, renderer = self._stream, self._renderer
        pour = None if write is None else partial(self._pour, write)
        if stream.is_silent:
            yield renderer.keep_alive(self._silent_for)
        while True:
            if self._is_full:
                self._is_full = False
                yield b""
            elif stream.is_silent:
                try:
                    with self._patience:
                        await self._receive(pour)
                except TimeoutError:
                    self._silent_for += self._pause
                    yield renderer.keep_alive(self._silent_for)
            elif (frames := stream.take()) is not None:
                self._silent_for = 0.0
                yield frames
            else:
                break
        if stream.failure is not None:
            yield renderer.fail(stream.failure)
            return
        if self._before_end is not None:
            await self._before_end()
        if (behind := await stream.behind()) is not None:
            yield behind
        yield stream.shown(renderer.end())

    async def _receive(self, pour: Write | None) -> None:
        if pour is not None:
            await self._stream.pour(pour)
        if self._stream.is_silent and not self._is_full:
            await self._stream.receive()

    def _pour(self, write: Write, frames: bytes) -> bool:
        """Send frames amid a wait for more; tell whether the client takes others."""
        self._silent_for = 0.0
        self._patience.renew()
        self._is_full = not write(frames)
        return not self._is_full

    def stall(self) -> None:
        """Note that the client has stopped reading."""
        self._stream.stall()

    def fail(self, error: GatewayError) -> bytes:
        """Return the frames that tell `error`, with which the answer ends."""
        self._stream.break_off(error)
        return self._renderer.fail(error)

    async def aclose(self) -> None:
        """Close the upstream and end the ledger's entry."""
        self._patience.stop()
        await self._stream.aclose()
