"""Anthropic's stream: server-sent events around the events of a message."""

from collections.abc import Iterable

from gateway.hub.protocol import JSON, Reply
from gateway.translators.anthropic.answers.events import MessageEvents
from gateway.wire.bounds import EventTooLarge
from gateway.wire.jsontext import JSONError, decode
from gateway.wire.sse import Event, SSEDecoder


class MessageStream:
    """One stream of Anthropic's server-sent events; see `StreamParser`."""

    def __init__(self, reply: Reply) -> None:
        self._decoder = SSEDecoder()
        self._events = MessageEvents(reply)
        self.state = self._events.state

    def feed(self, data: bytes) -> list[JSON]:
        """Return the chunks completed by `data`."""
        out: list[JSON] = []
        if self.state.is_over or self.state.paused is not None:
            return out
        try:
            events = self._decoder.feed(data)
        except EventTooLarge as oversize:
            self._receive(oversize.events, out)
            self._events.fail("holds an event that is too large")
        else:
            self._receive(events, out)
        return out

    def close(self) -> list[JSON]:
        """Return the last chunks; an upstream that stopped short sets `error`."""
        out: list[JSON] = []
        if self.state.is_over:
            return out
        if self.state.paused is not None:
            self._events.finish(out)
            return out
        for event in self._decoder.close():
            try:
                last = decode(event.data)
            except JSONError:
                break
            self._events.receive(last, out)
        self._events.close(self._decoder.foreign)
        return out

    def resume(self, reply: Reply) -> None:
        """Expect the stream that goes on with a message that paused."""
        self._decoder = SSEDecoder()
        self._events.resume(reply)

    def _receive(self, events: Iterable[Event], out: list[JSON]) -> None:
        receive = self._events.receive
        for event in events:
            try:
                decoded = decode(event.data)
            except JSONError:
                self._events.fail("holds an event that is not JSON")
                return
            receive(decoded, out)
