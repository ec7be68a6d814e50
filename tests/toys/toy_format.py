"""The toy's format upstream: one text in, one text out, lines of JSON as a stream."""

from collections.abc import Mapping

from gateway.errors import GatewayError, unsupported, upstream_error
from gateway.hub.answers import chunks
from gateway.hub.answers.chunks import Chunks
from gateway.hub.answers.state import StreamState
from gateway.hub.protocol import JSON, Reply, Route, UpstreamRequest
from gateway.wire import jsontext
from gateway.wire.ndjson import NDJSONDecoder

AVOIDABLE = ()


def render_request(body: JSON, route: Route) -> UpstreamRequest:
    if body.get("tools"):
        raise unsupported("Toys use no tools.", param="tools")
    text = "\n".join(str(message["content"]) for message in body["messages"])
    stream = body.get("stream") is True
    reply = Reply(route.model, route.completion_id, route.created, stream=stream)
    path = "/play/live" if stream else "/play"
    return UpstreamRequest(path, {"toy": route.upstream_model, "text": text}, reply)


def remote_urls(body: JSON, route: Route) -> list[str]:
    return []


def parse_response(payload: JSON, headers: Mapping[str, str], reply: Reply) -> JSON:
    if not isinstance(payload.get("said"), str):
        raise upstream_error(502, "upstream_invalid_response", "The toy said nothing.")
    message = chunks.message(reply, content=payload["said"])
    usage = chunks.usage(payload["heard"], payload["spoken"])
    return chunks.completion(reply, message, "stop", usage)


def stream_parser(reply: Reply) -> "ToyStream":
    return ToyStream(reply)


def parse_error(
    status: int, headers: Mapping[str, str], payload: bytes
) -> GatewayError:
    return GatewayError(status, "invalid_request_error", "The toy refuses.", "broken")


class ToyStream:
    """One stream of the toy's."""

    def __init__(self, reply: Reply) -> None:
        self.state = StreamState()
        self._decoder = NDJSONDecoder()
        self._chunks = Chunks(reply)

    def feed(self, data: bytes) -> list[JSON]:
        out: list[JSON] = []
        for line in self._decoder.feed(data):
            event = jsontext.decode(line)
            if "piece" in event:
                out.append(self._chunks.content(event["piece"]))
            else:
                self.state.usage = chunks.usage(event["heard"], event["spoken"])
                out.append(self._chunks.finish("stop"))
                self.state.done = True
        return out

    def close(self) -> list[JSON]:
        if not self.state.done:
            self.state.error = upstream_error(
                502, "upstream_stream_truncated", "Cut off."
            )
        return []
