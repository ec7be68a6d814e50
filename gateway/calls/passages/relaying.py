"""The straight way of messages to a server that speaks them: they go on as they came.

Neither the request nor the answer is translated (gateway/translators/anthropic/relay);
what the door adds are its words for what goes wrong on the way.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.calls.passages.protocol import Prepared, Whole
from gateway.doors.protocol import Asked, Door
from gateway.errors import GatewayError
from gateway.hub.answers.relay import Relayed
from gateway.hub.answers.state import StreamState
from gateway.hub.protocol import (
    JSON,
    Feature,
    PausingParser,
    Payload,
    Reply,
    Route,
)
from gateway.translators.anthropic.relay import errors, history, request, whole
from gateway.translators.anthropic.relay.headers import for_client
from gateway.translators.anthropic.relay.stream import (
    PING,
    STOP,
    EventRelay,
    MessageRelay,
    framed,
)


@dataclass(frozen=True)
class Relaying:
    """From a door to servers of the same format and back."""

    door: Door

    def prepare(self, asked: Asked, route: Route) -> Prepared:
        """Return the request as it came, but for the model's name.

        The upstream fetches by itself what it is shown.
        """
        sent = asked.sent
        received = request.Received(asked.body, sent.raw, sent.headers, sent.members)
        return Prepared(
            lambda fetched: request.render_request(received, route),
            keeps=lambda: kept_of(asked),
        )

    def parse_response(
        self, payload: Payload, headers: Mapping[str, str], reply: Reply, asked: Asked
    ) -> Whole:
        """Return a whole answer as it came; raises a 502 where it is none."""
        message = whole.checked(payload.body)
        raw = request.names_of(reply).for_client(payload.raw, message)
        return told(message, raw)

    def parse_streamed(self, raw: bytes, reply: Reply, asked: Asked) -> Whole | None:
        """Return the answer that a stream in `raw` tells, None where it is none."""
        relay = EventRelay(request.names_of(reply), reply.largest)
        events = relay.feed(raw).data + relay.close().data
        if relay.state.error is not None:
            if relay.state.error.told is None:
                return None
            raise relay.state.error
        return told(whole.message_of(events))

    def parse_error(
        self, status: int, headers: Mapping[str, str], payload: bytes, reply: Reply
    ) -> GatewayError:
        """Return the upstream's refusal in its own words; never raises."""
        return errors.from_response(status, headers, payload)

    def answer_headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Return those of the upstream's headers that the client may see."""
        return for_client(headers)

    def avoidable(self, reply: Reply) -> tuple[Feature, ...]:
        """Return nothing: the client reads refusals and asks again by itself."""
        return ()

    def reader(self, reply: Reply, asked: Asked) -> "RelayReader":
        """Return what passes a stream on."""
        relay = EventRelay(request.names_of(reply), reply.largest)
        return RelayReader(relay, self.door, asked)


def kept_of(asked: Asked) -> tuple[str, ...]:
    """Return what of a request only Claude understands."""
    return ("thinking",) if history.is_signed(asked.body["messages"]) else ()


def told(message: JSON, raw: bytes = b"") -> Whole:
    """Return a whole message, and what the ledger wants of it."""
    return Whole(message, *whole.figures(message), raw)


class RelayReader:
    """A stream that is passed on, and its last frames."""

    def __init__(self, relay: MessageRelay, door: Door, asked: Asked) -> None:
        self.renderer = _LastWords(relay, door, asked)
        self.pausing: PausingParser | None = None
        self._relay = relay

    @property
    def state(self) -> StreamState:
        """How far the answer is."""
        return self._relay.state

    def feed(self, data: bytes) -> Relayed[bytes]:
        """Return the events that `data` completes."""
        return self._relay.feed(data)

    def close(self) -> Relayed[bytes]:
        """Return what was held back."""
        return self._relay.close()


class _LastWords:
    """Writes what the upstream left unsaid: that it goes on, ended, or failed."""

    media_type = "text/event-stream; charset=utf-8"

    def __init__(self, relay: MessageRelay, door: Door, asked: Asked) -> None:
        self._relay = relay
        self._door = door
        self._asked = asked

    @staticmethod
    def keep_alive(silent_for: float) -> bytes:
        """Return an event that says nothing."""
        return PING

    @staticmethod
    def render(chunks: list[JSON]) -> bytes:
        """Return nothing: no chunks are made of what is passed on."""
        return b""

    def end(self) -> bytes:
        """Return the last event, where it has not been passed on."""
        return b"" if self._relay.is_ended else STOP

    def fail(self, error: GatewayError) -> bytes:
        """Return the event that tells `error`, where it has not been passed on."""
        if self._relay.is_ended:
            return b""
        return framed(
            {"type": "error", **self._door.render_error(error, self._asked.sent)}
        )
