"""OpenAI's server-sent events, as chunks or straight as the client's frames.

https://platform.openai.com/docs/api-reference/chat/streaming
"""

from collections.abc import Callable

from gateway.errors import GatewayError
from gateway.hub.answers.relay import (
    Relayed,
    TextRenderer,
    encoded,
    joined,
    relayed,
)
from gateway.hub.answers.state import StreamState
from gateway.hub.errors import upstream_errors
from gateway.hub.protocol import JSON, Reply
from gateway.translators.openai.frames import PlainFrames, is_plain
from gateway.translators.openai.reader import TOO_LARGE, ChunkReader
from gateway.wire.bounds import EventTooLarge
from gateway.wire.sse import Event, SSEDecoder

_BLANK = b"\xef\xbb\xbf \t\r\n"
"""What may stand before the first character, a byte order mark included."""

_LESSONS = 8
"""Frames per stream that are looked at for being plain: some streams hold none."""


class ChunkStream:
    """One stream of OpenAI's chunks; a `StreamParser` with a shorter way to frames."""

    def __init__(self, reply: Reply) -> None:
        self.state = StreamState()
        self._decoder = SSEDecoder(reply.largest)
        self._is_fresh = True
        self._whole: list[bytes] | None = None
        """What came instead of a stream: JSON, from its first byte on."""
        self._size = 0
        self._largest = reply.largest
        self._reader = ChunkReader(reply, self.state)
        self._frames: PlainFrames | None = None
        self._lessons = _LESSONS

    def feed(self, data: bytes) -> list[JSON]:
        """Return the chunks completed by `data`."""
        out: list[JSON] = []
        if self.state.is_over:
            return out
        try:
            self._reader.read(self._events(data), out)
        except GatewayError as error:
            self.state.error = error
        return out

    def relay(
        self, data: bytes, renderer: TextRenderer | None = None
    ) -> Relayed[bytes]:
        """Return what `feed` gives for `data`, as `renderer` writes it, else encoded.

        Text goes a shorter way.
        """
        pieces: list[Relayed[bytes]] = []
        if not self.state.is_over:
            try:
                for event in self._events(
                    data, lambda plain: self._relay_plain(plain, pieces, renderer)
                ):
                    if not self.state.done:
                        self._relay_event(event, pieces, renderer)
            except GatewayError as error:
                self.state.error = error
        return joined(pieces)

    def close(self) -> list[JSON]:
        """Return the last chunks; a stream that did not finish is an error."""
        out: list[JSON] = []
        if self.state.is_over:
            return out
        try:
            if self._whole is not None:
                self._reader.read_whole(b"".join(self._whole), out)
            else:
                rest = self._decoder.close()
                self._reader.close(rest, self._decoder.foreign, out)
        except GatewayError as error:
            self.state.error = error
        return out

    def _events(
        self, data: bytes, plain: Callable[[list[bytes]], None] | None = None
    ) -> list[Event]:
        if self._is_fresh and (begun := data.lstrip(_BLANK)):
            self._is_fresh = False
            if begun.startswith((b"{", b"[")):
                # A server that does not stream, or an error sent with status 200.
                self._whole, data = [], begun
        if self._whole is not None:
            self._keep(data)
            return []
        try:
            return self._decoder.feed(data, plain)
        except EventTooLarge as oversize:
            return [*oversize.events, TOO_LARGE]

    def _keep(self, data: bytes) -> None:
        """Keep a part of an answer that came whole; raises where it is too large."""
        if self._whole is not None:
            self._whole.append(data)
        self._size += len(data)
        if self._size > self._largest:
            raise upstream_errors.no_answer("is too large")

    def _relay_plain(
        self,
        payloads: list[bytes],
        pieces: list[Relayed[bytes]],
        renderer: TextRenderer | None,
    ) -> None:
        """Translate events that have no name; those of plain text together."""
        position = 0
        while position < len(payloads) and not self.state.done:
            known = self._frames
            if known is not None and self._reader.mender.held is not None:
                known = None  # what is cut within a character waits for the next
            run = known.run(payloads, position) if known else []
            frames = known.translate(run, renderer) if known and run else None
            if known is not None and frames is not None:
                if frames.characters:
                    self._reader.choices.says_text(known.index)
                pieces.append(frames)
                position += len(run)
                continue
            for payload in payloads[position : position + max(len(run), 1)]:
                self._relay_event(Event(payload), pieces, renderer)
                position += 1
                if self.state.done:
                    return

    def _relay_event(
        self,
        event: Event,
        pieces: list[Relayed[bytes]],
        renderer: TextRenderer | None,
    ) -> None:
        """Translate one event the long way, and learn of it where it is plain."""
        chunks: list[JSON] = []
        try:
            self._reader.read([event], chunks)
        finally:
            pieces.append(
                relayed(chunks, renderer.render) if renderer else encoded(chunks)
            )
        if self._reader.choices.ended:
            # What comes after an end may mean something else than it did before.
            self._frames = None
        elif self._lessons and len(chunks) == 1 and event.event == "message":
            self._learn(event.data, chunks[0])

    def _learn(self, payload: bytes, chunk: JSON) -> None:
        """Know what is like `payload`, and was translated to `chunk`, from now on."""
        if is_plain(chunk):
            self._lessons -= 1
            self._frames = PlainFrames.like(payload, chunk) or self._frames
