"""OpenAI's server-sent events, as chunks.

https://platform.openai.com/docs/api-reference/chat/streaming
"""

from gateway.errors import GatewayError
from gateway.hub.answers.plain.frames import PlainFormat
from gateway.hub.answers.state import StreamState
from gateway.hub.errors import upstream_errors
from gateway.hub.protocol import JSON, Reply
from gateway.translators.openai import plain_text
from gateway.translators.openai.reader import TOO_LARGE, ChunkReader
from gateway.wire.bounds import EventTooLarge
from gateway.wire.sse import Event, SSEDecoder

_BLANK = b"\xef\xbb\xbf \t\r\n"
"""What may stand before the first character, a byte order mark included."""


class ChunkStream:
    """One stream of OpenAI's chunks; a `PlainParser`."""

    plain: PlainFormat = plain_text

    def __init__(self, reply: Reply) -> None:
        self.state = StreamState()
        self._decoder = SSEDecoder(reply.largest)
        self._is_fresh = True
        self._whole: list[bytes] | None = None
        """What came instead of a stream: JSON, from its first byte on."""
        self._size = 0
        self.largest = reply.largest
        self._reader = ChunkReader(reply, self.state)

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

    @property
    def is_between(self) -> bool:
        """Whether nothing is held, and each event would be read by itself.

        What comes after an end may mean something else than it did before.
        """
        return (
            self._decoder.is_between
            and self._whole is None
            and self._reader.mender.held is None
            and not self._reader.choices.ended
        )

    def takes_text(self, part: int) -> bool:
        """Tell yes: a choice that has told text goes on to do so until it ends."""
        return True

    def passed(self, part: int, characters: int) -> None:
        """Take note of a choice's text that was translated elsewhere."""
        if characters:
            self._reader.choices.says_text(part)

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

    def _events(self, data: bytes) -> list[Event]:
        if self._is_fresh and (begun := data.lstrip(_BLANK)):
            self._is_fresh = False
            if begun.startswith((b"{", b"[")):
                # A server that does not stream, or an error sent with status 200.
                self._whole, data = [], begun
        if self._whole is not None:
            self._keep(data)
            return []
        try:
            return self._decoder.feed(data)
        except EventTooLarge as oversize:
            return [*oversize.events, TOO_LARGE]

    def _keep(self, data: bytes) -> None:
        """Keep a part of an answer that came whole; raises where it is too large."""
        if self._whole is not None:
            self._whole.append(data)
        self._size += len(data)
        if self._size > self.largest:
            raise upstream_errors.no_answer("is too large")
