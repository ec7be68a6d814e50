"""Anthropic's stream: server-sent events around the events of a message."""

from gateway.errors import GatewayError
from gateway.hub.answers.writer import AnswerWriter
from gateway.hub.errors.upstream_errors import no_answer
from gateway.hub.protocol import Reply
from gateway.translators.anthropic.answers.events import MessageReader
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


def _unreadable(payload: bytes) -> GatewayError:
    if payload is _TOO_LARGE.data:
        return no_answer("holds an event that is too large")
    return no_answer("holds an event that is not JSON")
