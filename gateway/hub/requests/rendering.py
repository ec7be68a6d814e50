"""One request being written in an upstream's format: what all translations share."""

from collections.abc import Mapping
from typing import NamedTuple

from gateway.hub.protocol import JSON, Learned, Reply, Route, UpstreamRequest
from gateway.hub.requests.losses import Losses
from gateway.hub.requests.tools.calls import Place, ToolCall
from gateway.hub.requests.tools.choice import is_parallel
from gateway.hub.requests.tools.ids import ToolNames
from gateway.hub.requests.validation import validate_request


class Rendering(NamedTuple):
    """What is asked, where it goes, and what it loses on the way.

    Made once per request and handed to whatever writes a part of the upstream's.
    `body` is the valid request, still in OpenAI's format, `calls` are those of its
    messages and `results` says which of them a tool's message answers. `names` and
    `losses` fill on the way.
    """

    body: JSON
    route: Route
    losses: Losses
    names: ToolNames
    calls: Mapping[int, list[ToolCall]]
    results: Mapping[int, Place]

    @classmethod
    def of(cls, body: JSON, route: Route) -> "Rendering":
        """Return the beginning: the request checked, its unknown fields lost.

        Raises a 400 `GatewayError` naming the field that is wrong.
        """
        valid, losses = validate_request(body), Losses(route)
        for field in valid.unknown:
            losses.drop(field)
        names = ToolNames()
        return cls(valid.body, route, losses, names, valid.calls, valid.results)

    def reply(self, learned: Learned) -> Reply:
        """Return what the parser of the answer must know, `learned` among it."""
        known: Learned = {
            "tool_names": self.names.originals,
            "argument_names": self.names.arguments,
            "single_tool_call": not is_parallel(self.body),
            "legacy_functions": "functions" in self.body,
            **learned,
        }
        return Reply.of(self.body, self.route, known)

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
