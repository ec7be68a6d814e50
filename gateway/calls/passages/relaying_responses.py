"""The straight way of a response to a server that speaks them: it goes on as it came.

Neither the request nor the answer is translated (gateway/translators/openai/responses).
Other servers of the type are reached over the hub, and so is one that turns out to have
no such path.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.calls.passages.protocol import Passage, Prepared, Reader, Whole
from gateway.doors.protocol import Asked
from gateway.doors.responses.native.last_words import failure
from gateway.doors.responses.native.ours import may_hold_ours, without_ours
from gateway.errors import GatewayError
from gateway.hub.answers.relay import Relayed
from gateway.hub.answers.state import StreamState
from gateway.hub.answers.upstream_headers import relayed_headers
from gateway.hub.protocol import (
    JSON,
    Feature,
    PausingParser,
    Payload,
    Reply,
    Route,
)
from gateway.translators.openai.responses import errors, request, usage, whole
from gateway.translators.openai.responses.hosts import speaks_responses
from gateway.translators.openai.responses.stream import ResponseRelay
from gateway.wire import sse
from gateway.wire.jsontext import decode_exactly, encode

_OWN_HEADERS = ("openai-processing-ms", "openai-version")


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
        own = {name: headers[name] for name in _OWN_HEADERS if name in headers}
        return {**relayed_headers(headers), **own}

    def avoidable(self, reply: Reply) -> tuple[Feature, ...]:
        """Return the path, which may be missing, and what others have sealed."""
        if reply.wire != request.WIRE:
            return self.hub.avoidable(reply)
        return (self._missing, request.SEALED)

    def reader(self, reply: Reply, asked: Asked) -> Reader[bytes]:
        """Return what passes a stream on."""
        if reply.wire != request.WIRE:
            return self.hub.reader(reply, asked)
        relay = ResponseRelay(request.names_of(reply), reply.largest)
        return ResponseReader(relay, reply, is_codex=asked.own.is_codex)

    @property
    def _missing(self) -> Feature:
        return request.MISSING._replace(name=request.MISSING.name + self.tail)

    def _is_native(self, route: Route) -> bool:
        """Tell whether a target is sent a request as it is."""
        missing = {request.MISSING.name, self._missing.name}
        if not missing.isdisjoint(route.avoid):
            return False
        return speaks_responses(route.host, route.options)


def received(asked: Asked) -> request.Received:
    """Return a request as others understand it."""
    body, sent = asked.body, asked.sent
    if may_hold_ours(sent.raw) and (plain := without_ours(body)) is not body:
        exact = encode(without_ours(decode_exactly(sent.raw)))
        return request.Received(plain, exact, sent.headers)
    return request.Received(body, sent.raw, sent.headers, sent.members)


def _told(response: JSON, raw: bytes = b"") -> Whole:
    """Return a whole response, and what the ledger wants of it."""
    return Whole(response, usage.usage_of(response), usage.finish_reason(response), raw)


class ResponseReader:
    """A stream that is passed on, and its last frames."""

    pausing: PausingParser | None = None

    def __init__(self, relay: ResponseRelay, reply: Reply, *, is_codex: bool) -> None:
        self.renderer = _LastWords(relay, reply, is_codex=is_codex)
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
    """Writes what the upstream left unsaid: that it goes on, or failed."""

    media_type = "text/event-stream; charset=utf-8"

    def __init__(self, relay: ResponseRelay, reply: Reply, *, is_codex: bool) -> None:
        self._relay = relay
        self._reply = reply
        self._is_codex = is_codex

    @staticmethod
    def keep_alive(silent_for: float) -> bytes:
        """Return a comment: the numbers of events are the upstream's."""
        return sse.KEEP_ALIVE

    @staticmethod
    def render(chunks: list[JSON]) -> bytes:
        """Return nothing: no chunks are made of what is passed on."""
        return b""

    @staticmethod
    def end() -> bytes:
        """Return nothing: the last event has been passed on."""
        return b""

    def fail(self, error: GatewayError) -> bytes:
        """Return the events that tell `error`, where they have not been passed on."""
        relay, reply = self._relay, self._reply
        if relay.is_failed or relay.state.done:
            return b""
        id = relay.response_id or f"resp_{reply.completion_id.rpartition('-')[2]}"
        head = {"id": id, "created_at": reply.created, "model": reply.model}
        head["output"] = relay.output
        return failure(
            error,
            head,
            relay.next_number,
            announced=relay.is_announced,
            is_codex=self._is_codex,
        )
