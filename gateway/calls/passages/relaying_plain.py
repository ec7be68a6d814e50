"""The straight way of OpenAI's small formats to servers that have their paths.

What is asked and answered goes on as it stands (gateway/translators/openai/plain).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gateway.calls.passages.passing_on import RelayReader
from gateway.calls.passages.protocol import Prepared, Whole
from gateway.doors.protocol import Asked, Door
from gateway.errors import GatewayError
from gateway.hub.answers.upstream_headers import relayed_headers
from gateway.hub.protocol import Feature, Payload, Reply, Route
from gateway.translators.openai import AVOIDABLE
from gateway.translators.openai.plain import answers, request
from gateway.translators.openai.plain.stream import CompletionRelay

_USAGE = tuple(each for each in AVOIDABLE if each.name == "stream_options")


@dataclass(frozen=True)
class RelayingPlain:
    """From a door to servers of the same format and back.

    They are asked at `path`, and answer with a list under `field`. `not_here` is what
    is told of those that have no such path.
    """

    door: Door
    path: str
    field: str
    not_here: Callable[[], GatewayError]

    def prepare(self, asked: Asked, route: Route) -> Prepared:
        """Return the request as it came, but for the model's name."""
        raw = asked.sent.raw
        return Prepared(
            lambda fetched: request.render_request(asked.body, raw, route, self.path)
        )

    def parse_response(
        self, payload: Payload, headers: Mapping[str, str], reply: Reply, asked: Asked
    ) -> Whole:
        """Return a whole answer as it came; raises a 502 where it is none."""
        answer = answers.checked(payload.body, self.field)
        raw = request.names_of(reply).for_client(payload.raw, answer)
        usage, reason = answers.usage_of(answer), answers.finish_reason(answer)
        return Whole(answer, usage, reason, raw)

    def parse_streamed(self, raw: bytes, reply: Reply, asked: Asked) -> Whole | None:
        """Return nothing: nobody streams this unasked."""
        return None

    def parse_error(
        self, status: int, headers: Mapping[str, str], payload: bytes, reply: Reply
    ) -> GatewayError:
        """Return the upstream's refusal in the caller's terms; never raises."""
        model, not_here = reply.upstream_model, self.not_here()
        return answers.from_response(status, headers, payload, model, not_here)

    def answer_headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Return those of the upstream's headers that the client may see."""
        return relayed_headers(headers)

    def avoidable(self, reply: Reply) -> tuple[Feature, ...]:
        """Return what is not the client's own wish."""
        return _USAGE

    def reader(self, reply: Reply, asked: Asked) -> RelayReader:
        """Return what passes a stream on."""
        return RelayReader(CompletionRelay(reply), self.door.stream_renderer(asked))
