"""Who counts tokens, and how it is asked: by the type of a provider."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gateway.doors.protocol import Asked
from gateway.errors import GatewayError
from gateway.hub.protocol import JSON, Route, UpstreamRequest
from gateway.translators import bedrock
from gateway.translators.anthropic.relay import counting as relayed
from gateway.translators.anthropic.relay import errors
from gateway.translators.anthropic.relay.request import Received
from gateway.translators.bedrock.messages import counting as on_bedrock
from gateway.wire.jsontext import JSONError, decode

_NOT_THERE = frozenset({404, 405, 501})
_WRONG = 400
_UNSUPPORTED = re.compile(rb"support|not authorized|identifier is invalid", re.I)


@dataclass(frozen=True)
class Counter:
    """One upstream's way of counting; `denials` are statuses that may be for good."""

    render_count: Callable[[Received, Route], UpstreamRequest]
    parse: Callable[[JSON], JSON | None]
    parse_error: Callable[[int, Mapping[str, str], bytes], GatewayError]
    denials: frozenset[int] = frozenset()

    def render(self, asked: Asked, route: Route) -> UpstreamRequest:
        """Return the question; raises `GatewayError` where there is none."""
        sent = asked.sent
        received = Received(asked.body, sent.raw, sent.headers)
        return self.render_count(received, route)

    def counted(self, raw: bytes) -> JSON | None:
        """Return the count that an answer tells, None where it tells none."""
        try:
            payload = decode(raw)
        except JSONError:
            return None
        return self.parse(payload) if isinstance(payload, dict) else None

    def refusal(self, status: int, said: bytes) -> GatewayError | None:
        """Return what is wrong with the request itself, in words that clients know."""
        error = self.parse_error(status, {}, said)
        return error if status == _WRONG and error.told is not None else None

    def is_final(self, status: int, said: bytes) -> bool:
        """Tell whether a refusal holds for the model, whatever is counted."""
        if status in _NOT_THERE:
            return True
        return status in self.denials and bool(_UNSUPPORTED.search(said))


COUNTERS = {
    "anthropic": Counter(
        relayed.render_count, relayed.parse_count, errors.from_response
    ),
    "bedrock": Counter(
        on_bedrock.render_count,
        on_bedrock.parse_count,
        bedrock.parse_error,
        frozenset({400, 403}),
    ),
}
"""By the type of a provider."""
