"""The straight way of messages to a server that speaks them: they go on as they came.

Neither the request nor the answer is translated (gateway/translators/anthropic/relay);
what the door adds are its words for what goes wrong on the way.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.calls.passages.passing_on import LastWords, RelayReader
from gateway.calls.passages.protocol import Prepared, Whole
from gateway.doors.protocol import Asked, Door
from gateway.errors import GatewayError
from gateway.hub.answers.event_relay import EventRelay, framed
from gateway.hub.protocol import JSON, Feature, Payload, Reply, Route
from gateway.translators.anthropic.relay import errors, history, request, whole
from gateway.translators.anthropic.relay.headers import for_client
from gateway.translators.anthropic.relay.tap import Tap

STOP = framed({"type": "message_stop"})


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
        relay = EventRelay(Tap(request.names_of(reply)), reply.largest)
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

    def reader(self, reply: Reply, asked: Asked) -> RelayReader:
        """Return what passes a stream on."""
        tap = Tap(request.names_of(reply))
        relay = EventRelay(tap, reply.largest)
        return RelayReader(relay, last_words(tap, self.door, asked))


def kept_of(asked: Asked) -> tuple[str, ...]:
    """Return what of a request only Claude understands."""
    return ("thinking",) if history.is_signed(asked.body["messages"]) else ()


def told(message: JSON, raw: bytes = b"") -> Whole:
    """Return a whole message, and what the ledger wants of it."""
    return Whole(message, *whole.figures(message), raw)


def last_words(tap: Tap, door: Door, asked: Asked) -> LastWords:
    """Return what ends a message on its way, of which `tap` knows how far it is."""

    def ended() -> bytes:
        return b"" if tap.is_ended else STOP

    def failed(error: GatewayError) -> bytes:
        if tap.is_ended:
            return b""
        return framed({"type": "error", **door.render_error(error, asked.sent)})

    return LastWords(door.KEEP_ALIVE, ended, failed)
