"""The straight way of a response to a server that speaks them: it goes on as it came.

Neither the request nor the answer is translated (gateway/translators/openai/responses).
Other servers of the type are reached over the hub, and so is one that turns out to have
no such path.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.calls.passages.passing_on import LastWords, RelayReader
from gateway.calls.passages.protocol import Passage, Prepared, Reader, Whole
from gateway.doors.protocol import Asked
from gateway.doors.responses.native.last_words import failure
from gateway.doors.responses.native.ours import without_ours
from gateway.errors import GatewayError
from gateway.hub.answers.event_relay import EventRelay
from gateway.hub.answers.upstream_headers import relayed_headers
from gateway.hub.protocol import JSON, Feature, Payload, Reply, Route
from gateway.translators.openai.responses import errors, request, usage, whole
from gateway.translators.openai.responses.hosts import speaks_responses
from gateway.translators.openai.responses.tap import ResponseTap, number_behind
from gateway.wire import sse
from gateway.wire.jsontext import decode_exactly, encode

_OWN_HEADERS = frozenset({"openai-processing-ms", "openai-version"})


@dataclass(frozen=True)
class RelayingResponses:
    """To servers of the Responses API and back; `hub` leads to all others.

    `tail` leads to a neighbour of the path, which a server may lack by itself.
    """

    hub: Passage[bytes]
    tail: str = ""

    def prepare(self, asked: Asked, route: Route) -> Prepared:
        """Return the request as it came, but for the model's name.

        The upstream fetches by itself what it is shown.
        """
        if not self._is_native(route):
            return self.hub.prepare(asked, route)
        own = received(asked)
        return Prepared(lambda fetched: request.render_request(own, route, self.tail))

    def parse_response(
        self, payload: Payload, headers: Mapping[str, str], reply: Reply, asked: Asked
    ) -> Whole:
        """Return a whole answer as it came; raises a 502 where it is none."""
        if reply.wire != request.WIRE:
            return self.hub.parse_response(payload, headers, reply, asked)
        response = whole.checked(payload.body)
        return _told(
            response, request.names_of(reply).for_client(payload.raw, response)
        )

    def parse_streamed(self, raw: bytes, reply: Reply, asked: Asked) -> Whole | None:
        """Return the answer that a stream in `raw` tells, None where it is none."""
        if reply.wire != request.WIRE:
            return self.hub.parse_streamed(raw, reply, asked)
        response = whole.response_in(raw)
        if response is None:
            return None
        name = request.names_of(reply).given(response.get("model"))
        return _told(response if name is None else {**response, "model": name})

    def parse_error(
        self, status: int, headers: Mapping[str, str], payload: bytes, reply: Reply
    ) -> GatewayError:
        """Return the upstream's refusal in the caller's terms; never raises."""
        if reply.wire != request.WIRE:
            return self.hub.parse_error(status, headers, payload, reply)
        return errors.from_response(status, headers, payload, reply.upstream_model)

    def answer_headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Return those of the upstream's headers that the client may see."""
        relayed = relayed_headers(headers)
        if not _OWN_HEADERS.isdisjoint(headers):
            own = [name for name in headers if name in _OWN_HEADERS]
            relayed |= {name: headers[name] for name in sorted(own)}
        return relayed

    def avoidable(self, reply: Reply) -> tuple[Feature, ...]:
        """Return the path, which may be missing, and what others have sealed."""
        if reply.wire != request.WIRE:
            return self.hub.avoidable(reply)
        return (self._missing, request.SEALED)

    def reader(self, reply: Reply, asked: Asked) -> Reader[bytes]:
        """Return what passes a stream on."""
        if reply.wire != request.WIRE:
            return self.hub.reader(reply, asked)
        return response_reader(reply, is_codex=asked.own.is_codex)

    @property
    def _missing(self) -> Feature:
        return request.MISSING._replace(name=request.MISSING.name + self.tail)

    def _is_native(self, route: Route) -> bool:
        """Tell whether a target is sent a request as it is."""
        if route.avoid:  # Nearly nothing is: no set is made of what may be.
            missing = {request.MISSING.name, self._missing.name}
            if not missing.isdisjoint(route.avoid):
                return False
        return speaks_responses(route.host, route.options)


def received(asked: Asked) -> request.Received:
    """Return a request as others understand it."""
    body, sent, reading = asked.body, asked.sent, asked.own
    if reading.may_hold_ours and (plain := without_ours(body)) is not body:
        exact = encode(without_ours(decode_exactly(sent.raw)))
        return request.Received(plain, exact, sent.headers)
    return request.Received(body, sent.raw, sent.headers, sent.members)


def _told(response: JSON, raw: bytes = b"") -> Whole:
    """Return a whole response, and what the ledger wants of it."""
    return Whole(response, usage.usage_of(response), usage.finish_reason(response), raw)


def response_reader(reply: Reply, *, is_codex: bool) -> RelayReader:
    """Return what passes the stream of a response on."""
    tap = ResponseTap(request.names_of(reply))
    relay = EventRelay(tap, reply.largest)
    return RelayReader(relay, _last_words(relay, tap, reply, is_codex=is_codex))


def _last_words(
    relay: EventRelay, tap: ResponseTap, reply: Reply, *, is_codex: bool
) -> LastWords:
    """Return what ends a response on its way, of which `tap` knows how far it is.

    A comment keeps it alive: the numbers of events are the upstream's.
    """

    def failed(error: GatewayError) -> bytes:
        if tap.is_failed or tap.state.done:
            return b""
        id = tap.response_id or f"resp_{reply.completion_id.rpartition('-')[2]}"
        head = {"id": id, "created_at": reply.created, "model": reply.model}
        head["output"] = tap.output
        return failure(
            error,
            head,
            number_behind(relay.recent),
            announced=tap.is_announced,
            is_codex=is_codex,
        )

    return LastWords(sse.KEEP_ALIVE, bytes, failed)
