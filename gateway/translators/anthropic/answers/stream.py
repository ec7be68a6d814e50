"""Anthropic's stream: server-sent events around the events of a message."""

from collections.abc import Iterable

from gateway.errors import GatewayError
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
        self.usage: JSON | None = None
        self.error: GatewayError | None = None
        self.done = False
        self.paused: JSON | None = None

    def feed(self, data: bytes) -> list[JSON]:
        """Return the chunks completed by `data`."""
        out: list[JSON] = []
        if self.done or self.error is not None or self.paused is not None:
            return out
        try:
            events = self._decoder.feed(data)
        except EventTooLarge as oversize:
            self._receive(oversize.events, out)
            self._events.fail("holds an event that is too large")
        else:
            self._receive(events, out)
        self._settle()
        return out

    def close(self) -> list[JSON]:
        """Return the last chunks; an upstream that stopped short sets `error`."""
        out: list[JSON] = []
        if self.done or self.error is not None:
            return out
        if self.paused is not None:
            self._events.finish(out)
            self._settle()
            return out
        for event in self._decoder.close():
            try:
                last = decode(event.data)
            except JSONError:
                break
            self._events.receive(last, out)
        self._events.close(self._decoder.foreign)
        self._settle()
        return out

    def resume(self, reply: Reply) -> None:
        """Expect the stream that goes on with a message that paused."""
        self._decoder = SSEDecoder()
        self._events.resume(reply)
        self.paused = None

    def _receive(self, events: Iterable[Event], out: list[JSON]) -> None:
        receive = self._events.receive
        for event in events:
            try:
                decoded = decode(event.data)
            except JSONError:
                self._events.fail("holds an event that is not JSON")
                return
            receive(decoded, out)

    def _settle(self) -> None:
        events = self._events
        self.usage, self.error, self.done = events.usage, events.error, events.done
        self.paused = events.paused
