"""A stream of legacy completions, passed on event by event.

https://platform.openai.com/docs/api-reference/completions/create#completions_create-stream
"""

from typing import Any

from gateway.errors import GatewayError
from gateway.hub.answers.relay import Relayed, joined
from gateway.hub.answers.state import StreamState
from gateway.hub.errors import upstream_errors
from gateway.hub.protocol import JSON, Reply
from gateway.translators.openai.errors import WORDS
from gateway.translators.openai.plain.answers import (
    checked,
    finish_reason,
    usage_of,
)
from gateway.translators.openai.plain.request import names_of
from gateway.wire import sse
from gateway.wire.bounds import EventTooLarge
from gateway.wire.jsontext import JSONError
from gateway.wire.mending import decode_mended
from gateway.wire.sse import Event, SSEDecoder

_NOTHING: Relayed[bytes] = Relayed(b"")
_DONE = b"[DONE]"


class CompletionRelay:
    """One streamed completion on its way.

    A server that answers whole although a stream was asked for told one event.
    """

    def __init__(self, reply: Reply) -> None:
        self.state = StreamState()
        self._wants_usage = reply.include_usage
        self._names = names_of(reply)
        self._decoder = SSEDecoder(reply.largest)
        self._begun: set[Any] = set()
        self._ended: set[Any] = set()

    def feed(self, data: bytes) -> Relayed[bytes]:
        """Return the events that `data` completes."""
        if self.state.is_over:
            return _NOTHING
        try:
            events = self._decoder.feed(data)
        except EventTooLarge:
            self.state.error = upstream_errors.no_answer("has an oversized event")
            return _NOTHING
        return self._relayed(events)

    def close(self) -> Relayed[bytes]:
        """End of input: an error unless all choices ended, or the last word was said.

        Some servers leave that out.
        """
        if self.state.is_over:
            return _NOTHING
        rest = self._decoder.close() or self._whole()
        relayed = self._relayed(rest)
        if not self.state.is_over:
            if self._begun and self._begun == self._ended:
                self.state.done = True
            else:
                foreign = self._decoder.foreign
                self.state.error = upstream_errors.unfinished(foreign, WORDS)
        return relayed

    def _whole(self) -> list[Event]:
        """Return what came instead of a stream, as its one event."""
        try:
            answer = decode_mended(self._decoder.foreign)
            checked(answer, "choices")
        except (*JSONError, GatewayError, AttributeError):
            return []
        return [Event(self._decoder.foreign)]

    def _relayed(self, events: list[Event]) -> Relayed[bytes]:
        told = []
        for event in events:
            if not self.state.is_over:
                told.append(self._event(event))
        return joined(told)

    def _event(self, event: Event) -> Relayed[bytes]:
        if event.data.strip() == _DONE:
            self.state.done = True
            return _NOTHING
        try:
            chunk = decode_mended(event.data)
        except JSONError:
            return _NOTHING
        if not isinstance(chunk, dict):
            return _NOTHING
        if event.event == "error" or upstream_errors.found_in(chunk, WORDS):
            self.state.error = upstream_errors.from_object(chunk, WORDS)
            return _NOTHING
        return self._chunk(chunk)

    def _chunk(self, chunk: JSON) -> Relayed[bytes]:
        """Return a piece of the answer under the client's name of the model."""
        choices = [c for c in chunk.get("choices") or () if isinstance(c, dict)]
        if usage := usage_of(chunk):
            self.state.usage = usage
        if not self._wants_usage and "usage" in chunk:
            chunk = {name: chunk[name] for name in chunk if name != "usage"}
            if not choices:
                return _NOTHING
        name = self._names.given(chunk.get("model"))
        if name is not None:
            chunk["model"] = name
        for choice in choices:
            self._note(choice)
        characters = sum(len(str(choice.get("text") or "")) for choice in choices)
        return Relayed(
            sse.encode([chunk]), characters, finish_reason(chunk), bool(choices)
        )

    def _note(self, choice: JSON) -> None:
        index = choice.get("index") or 0
        self._begun.add(index)
        if choice.get("finish_reason"):
            self._ended.add(index)
