"""One request being written in an upstream's format: what all translations share."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.hub.protocol import JSON, Reply, Route, UpstreamRequest
from gateway.hub.requests.losses import Losses
from gateway.hub.requests.tools.choice import is_parallel
from gateway.hub.requests.tools.ids import ToolNames
from gateway.hub.requests.validation import ValidRequest, validate_request


@dataclass(frozen=True, slots=True)
class Rendering:
    """What is asked, where it goes, and what it loses on the way.

    Made once per request and handed to whatever writes a part of the upstream's;
    `names` and `losses` fill while it does.
    """

    valid: ValidRequest
    route: Route
    losses: Losses
    names: ToolNames

    @classmethod
    def of(cls, body: JSON, route: Route) -> "Rendering":
        """Return the beginning: the request checked, its unknown fields lost.

        Raises a 400 `GatewayError` naming the field that is wrong.
        """
        valid, losses = validate_request(body), Losses(route)
        for field in valid.unknown:
            losses.drop(field)
        return cls(valid, route, losses, ToolNames())

    @property
    def body(self) -> JSON:
        """The valid request, still in OpenAI's format."""
        return self.valid.body

    def reply(self) -> Reply:
        """Return what the parser of the answer must know of any request."""
        return Reply.of(
            self.body,
            self.route,
            tool_names=self.names.originals,
            single_tool_call=not is_parallel(self.body),
            legacy_functions="functions" in self.body,
        )

    def request(
        self,
        path: str,
        body: JSON,
        reply: Reply,
        headers: Mapping[str, str],
        listed_headers: frozenset[str] = frozenset(),
    ) -> UpstreamRequest:
        """Return what is sent, with what was lost on the way to it."""
        return UpstreamRequest(
            path,
            body,
            reply,
            headers,
            self.losses.dropped,
            self.losses.downgraded,
            listed_headers=listed_headers,
        )
