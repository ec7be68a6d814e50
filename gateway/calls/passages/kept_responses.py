"""The way of a question about a response to the provider that keeps it."""

from collections.abc import Mapping

from gateway.calls.passages.passing_on import RelayReader
from gateway.calls.passages.protocol import Passage, Prepared, Whole
from gateway.calls.passages.relaying_responses import response_reader
from gateway.doors.protocol import Asked, StreamRenderer
from gateway.doors.responses.native.kept import Kept
from gateway.errors import GatewayError
from gateway.hub.answers.relay import Relayed
from gateway.hub.answers.state import StreamState
from gateway.hub.answers.upstream_headers import relayed_headers
from gateway.hub.errors import upstream_errors
from gateway.hub.protocol import (
    Feature,
    PausingParser,
    Payload,
    Reply,
    Route,
    UpstreamRequest,
)
from gateway.translators import openai
from gateway.translators.openai.errors import WORDS
from gateway.translators.openai.headers import own_headers
from gateway.translators.openai.responses import request, usage
from gateway.translators.openai.responses.hosts import speaks_responses
from gateway.worker.snapshot import Target


def keeps(target: Target) -> bool:
    """Tell whether a provider is sent responses as they are, and so keeps them."""
    provider = target.provider
    is_native = speaks_responses(provider.host, provider.row.options)
    return provider.translator is openai and is_native


class KeptResponses:
    """From a question by id to who keeps the response, and back.

    The answer's usage was counted when it was made, and is not counted again.
    """

    def prepare(self, asked: Asked, route: Route) -> Prepared:
        """Return the question as it came."""
        kept: Kept = asked.own
        reply = Reply.of({"stream": asked.stream}, route)
        rendered = UpstreamRequest(
            f"{request.PATH}/{kept.place}",
            {},
            reply,
            own_headers(route.options),
            method=kept.method,
        )
        return Prepared(lambda fetched: rendered)

    def parse_response(
        self, payload: Payload, headers: Mapping[str, str], reply: Reply, asked: Asked
    ) -> Whole:
        """Return an answer as it came; raises a 502 where it tells an error only."""
        if payload.body.get("error") and "object" not in payload.body:
            raise upstream_errors.instead_of_answer(payload.body, WORDS)
        reason = usage.finish_reason(payload.body)
        return Whole(payload.body, None, reason, payload.raw)

    def parse_streamed(self, raw: bytes, reply: Reply, asked: Asked) -> Whole | None:
        """Return nothing: nobody streams this unasked."""
        return None

    def parse_error(
        self, status: int, headers: Mapping[str, str], payload: bytes, reply: Reply
    ) -> GatewayError:
        """Return the upstream's refusal in the caller's terms; never raises."""
        return upstream_errors.from_response(status, headers, payload, WORDS)

    def answer_headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Return those of the upstream's headers that the client may see."""
        return relayed_headers(headers)

    def avoidable(self, reply: Reply) -> tuple[Feature, ...]:
        """Return nothing: there is nothing to leave out."""
        return ()

    def reader(self, reply: Reply, asked: Asked) -> "_Uncounted":
        """Return what passes the rest of a stream on."""
        kept: Kept = asked.own
        return _Uncounted(response_reader(reply, is_codex=kept.is_codex))


class _Uncounted:
    """A stream that is passed on, and of which nothing is booked."""

    pausing: PausingParser | None = None
    text = None

    def __init__(self, reader: RelayReader) -> None:
        self._reader = reader

    @property
    def renderer(self) -> StreamRenderer:
        """What writes the last frames."""
        return self._reader.renderer

    @property
    def state(self) -> StreamState:
        """How far the answer is."""
        return self._reader.state

    def feed(self, data: bytes) -> Relayed[bytes]:
        """Return the events that `data` completes."""
        return self._free(self._reader.feed(data))

    def close(self) -> Relayed[bytes]:
        """Return what was held back."""
        return self._free(self._reader.close())

    def _free(self, relayed: Relayed[bytes]) -> Relayed[bytes]:
        self.state.usage = None
        return relayed._replace(characters=0)


PASSAGE: Passage[bytes] = KeptResponses()
