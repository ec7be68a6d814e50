"""The straight way of messages to Claude on Bedrock, by InvokeModel or Converse.

The client's own body goes on without what Bedrock refuses of it, and Claude's own
answers come back (gateway/translators/bedrock/messages). Other models of the same
provider are reached over the hub.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.calls.passages.passing_on import RelayReader
from gateway.calls.passages.protocol import Passage, Prepared, Reader, Whole
from gateway.calls.passages.relaying import kept_of, last_words, told
from gateway.doors.messages.estimate import estimated
from gateway.doors.protocol import Asked, Door
from gateway.errors import GatewayError
from gateway.hub.answers.upstream_headers import relayed_headers
from gateway.hub.protocol import Feature, Payload, Reply, Route, UpstreamRequest
from gateway.translators.anthropic.relay import whole
from gateway.translators.anthropic.relay.request import Received
from gateway.translators.anthropic.relay.tap import Tap
from gateway.translators.bedrock.api import CONVERSE
from gateway.translators.bedrock.headers import usage_of
from gateway.translators.bedrock.messages import (
    answers,
    converse_request,
    errors,
    request,
    ways,
)
from gateway.translators.bedrock.messages.body import content
from gateway.translators.bedrock.messages.frames import (
    ConverseFrames,
    FrameRelay,
    InvokeFrames,
)

_DIRECT = frozenset({request.WIRE, converse_request.WIRE})
EMULATED = "output_config.format"


@dataclass(frozen=True)
class ClaudeOnBedrock:
    """From a door to Bedrock's Claude and back; `hub` leads to all other models."""

    door: Door
    hub: Passage[bytes]

    def prepare(self, asked: Asked, route: Route) -> Prepared:
        """Return the request; images and documents are fetched: it takes bytes only.

        Raises a 400 for what cannot be left out of it.
        """
        way, based = ways.way_of(asked.body, route)
        if way == ways.HUB:
            hub = self.hub.prepare(asked, route)
            if not ways.is_claude(route):
                return hub
            return hub._replace(render=lambda fetched: _emulated(hub.render(fetched)))
        received = Received(asked.body, asked.sent.raw, asked.sent.headers)
        render = request.render_invoke
        if way == CONVERSE:
            render = converse_request.render_converse
        return Prepared(
            lambda fetched: render(received, based, fetched),
            content.remote_urls(asked.body),
            lambda: kept_of(asked),
            is_read_again=asked.stream and way == CONVERSE,
        )

    def parse_response(
        self, payload: Payload, headers: Mapping[str, str], reply: Reply, asked: Asked
    ) -> Whole:
        """Return a whole answer; raises a 502 where it is none."""
        if reply.wire not in _DIRECT:
            return self.hub.parse_response(payload, headers, reply, asked)
        if reply.wire == converse_request.WIRE:
            return told(answers.from_converse(payload.body, reply))
        message = answers.checked(payload.body)
        raw = request.names_of(reply).for_client(payload.raw, message)
        answer = told(message, raw)
        return answer._replace(usage=answer.usage or usage_of(headers))

    def parse_streamed(self, raw: bytes, reply: Reply, asked: Asked) -> Whole | None:
        """Return the answer that came as a stream although nobody asked for one."""
        if reply.wire not in _DIRECT:
            return self.hub.parse_streamed(raw, reply, asked)
        reader = self.reader(reply, asked)
        events = reader.feed(raw).data + reader.close().data
        return told(whole.message_of(events)) if reader.state.done else None

    def parse_error(
        self, status: int, headers: Mapping[str, str], payload: bytes, reply: Reply
    ) -> GatewayError:
        """Return the upstream's refusal in the caller's terms; never raises."""
        if reply.wire in _DIRECT:
            return errors.from_response(status, headers, payload)
        return self.hub.parse_error(status, headers, payload, reply)

    def answer_headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Return those of the upstream's headers that the client may see."""
        return relayed_headers(headers)

    def avoidable(self, reply: Reply) -> tuple[Feature, ...]:
        """Return nothing for Claude: the client reads refusals and asks again."""
        return () if reply.wire in _DIRECT else self.hub.avoidable(reply)

    def reader(self, reply: Reply, asked: Asked) -> Reader[bytes]:
        """Return what reads one streamed answer."""
        if reply.wire not in _DIRECT:
            return self.hub.reader(reply, asked)
        tap = Tap()
        frames: InvokeFrames | ConverseFrames
        if reply.wire == converse_request.WIRE:
            estimate = estimated(asked.body)
            frames = ConverseFrames(reply, estimate)
        else:
            frames = InvokeFrames(request.names_of(reply), tap)
        relay = FrameRelay(tap, frames, reply.largest)
        return RelayReader(relay, last_words(tap, self.door, asked))


def _emulated(rendered: UpstreamRequest) -> UpstreamRequest:
    """Return a request whose schema the model is brought to by a tool."""
    downgraded = dict.fromkeys((*rendered.downgraded, EMULATED))
    return rendered._replace(downgraded=tuple(downgraded))
