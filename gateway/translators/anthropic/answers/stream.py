"""Anthropic's stream: server-sent events around the events of a message."""

from gateway.errors import GatewayError
from gateway.hub.answers.parser import AnswerParser
from gateway.hub.answers.plain.frames import PlainFormat
from gateway.hub.answers.writer import AnswerWriter
from gateway.hub.errors.upstream_errors import no_answer
from gateway.hub.protocol import Reply
from gateway.translators.anthropic.answers import plain_text
from gateway.translators.anthropic.answers.events import MessageReader
from gateway.translators.anthropic.answers.response import FINISH_REASONS
from gateway.wire.bounds import EventTooLarge
from gateway.wire.jsontext import JSONError, decode
from gateway.wire.mending import Mender, decode_mended
from gateway.wire.sse import Event, SSEDecoder

_TOO_LARGE = Event(b"too large")
"""Stands where an event was that outgrew its bound."""


class SSEReader:
    """Reads one stream of Anthropic's server-sent events; a `ByteReader`."""

    def __init__(self, reply: Reply, writer: AnswerWriter) -> None:
        self._decoder = SSEDecoder(reply.largest)
        self._message = MessageReader(reply, writer)
        self._mender = Mender()
        self._state = writer.state

    def feed(self, data: bytes) -> None:
        """Take in what arrived."""
        try:
            events = self._decoder.feed(data)
        except EventTooLarge as oversize:
            events = [*oversize.events, _TOO_LARGE]
        read, state, mender = self._message.read, self._state, self._mender
        for payload, _ in events:
            try:
                event = decode(payload) if mender.held is None else None
            except JSONError:
                event = None
            if event is None:
                self._read_mended(payload)
            else:
                read(event)
            if state.done or state.paused is not None:
                return

    def _read_mended(self, payload: bytes) -> None:
        """Read an event that is cut within a character, or follows one that was."""
        try:
            for mended, _ in self._mender.mend(payload):
                self._message.read(decode(mended))
        except JSONError:
            raise _unreadable(payload) from None

    @property
    def is_between(self) -> bool:
        """Whether nothing is held, and each event would be read by itself."""
        return self._decoder.is_between and self._mender.held is None

    def takes_text(self, block: int) -> bool:
        """Tell whether text of a content block would be told."""
        return self._message.takes_text(block)

    def close(self) -> None:
        """End of input: a message that paused ends there; others must have ended."""
        if self._state.paused is not None:
            self._message.finish()
            return
        for event in self._decoder.close():
            try:
                last = decode_mended(event.data)
            except JSONError:
                break
            self._message.read(last)
        for mended, _ in self._mender.rest():
            self._message.read(decode(mended))
        if not self._state.done:
            self._message.close(self._decoder.foreign)


class MessageStream:
    """One stream of a message, which does not go on if it pauses; a `PlainParser`."""

    plain: PlainFormat = plain_text

    def __init__(self, reply: Reply) -> None:
        self.largest = reply.largest
        parser = AnswerParser(reply, FINISH_REASONS, self._reading)
        self.state = parser.state
        self.feed, self.close = parser.feed, parser.close

    def _reading(self, reply: Reply, writer: AnswerWriter) -> SSEReader:
        self._writer = writer
        self._reader = SSEReader(reply, writer)
        return self._reader

    @property
    def is_between(self) -> bool:
        """Whether nothing is held, and each event would be read by itself."""
        return self._reader.is_between

    def takes_text(self, part: int) -> bool:
        """Tell whether text of a content block would be told."""
        return self._reader.takes_text(part)

    def passed(self, part: int, characters: int) -> None:
        """Take note of text that was translated elsewhere."""
        self._writer.length += characters


def _unreadable(payload: bytes) -> GatewayError:
    if payload is _TOO_LARGE.data:
        return no_answer("holds an event that is too large")
    return no_answer("holds an event that is not JSON")
