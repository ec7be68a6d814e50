"""The long way, which leads from any door to any translator: over OpenAI's format."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from gateway.calls import images
from gateway.calls.passages.protocol import Prepared, Reader, Whole, nothing
from gateway.calls.passages.wording import in_client_words
from gateway.doors.protocol import Asked, Door, HubRequest, StreamRenderer
from gateway.errors import GatewayError
from gateway.hub.answers.assembly import assembled
from gateway.hub.answers.relay import Relayed, relayed
from gateway.hub.answers.state import StreamState
from gateway.hub.answers.upstream_headers import relayed_headers
from gateway.hub.protocol import (
    JSON,
    Feature,
    PausingParser,
    Payload,
    Reply,
    Route,
    StreamParser,
    Translator,
    UpstreamRequest,
)
from gateway.wire.jsontext import encode
from gateway.wire.members import rewritten

T = TypeVar("T")

_NO_STREAM = frozenset({"upstream_invalid_response", "upstream_stream_truncated"})


@dataclass(frozen=True)
class ThroughHub(Generic[T]):
    """From a door to a translator and back.

    `make_reader` says what a stream comes to: `frames` for a client, `chunks` for what
    asks from within. `learns` is what the door does without where it is refused, as
    the translator does. With `keeps_text` both speak the hub's format: the upstream
    takes what a client says as it was written, where it is not changed. `outlined`
    renders an outline (gateway/hub/outlines.py), or returns None. `plainly` renders a
    request that asks for little, whose answer may be read at once, or returns None; a
    translator that has it fetches nothing.
    """

    door: Door
    translator: Translator
    make_reader: Callable[[StreamParser, StreamRenderer], Reader[T]]
    learns: tuple[Feature, ...] = ()
    keeps_text: bool = False
    outlined: Callable[[JSON, Route], UpstreamRequest | None] | None = None
    plainly: Callable[[JSON, Route], UpstreamRequest | None] | None = None

    def prepare(self, asked: Asked, route: Route) -> Prepared:
        """Return the request; raises a 400 for what cannot be expressed."""
        outline = asked.outline
        if outline is not None and self.outlined is not None:
            rendered = self.outlined(outline.body, route)
            if rendered is not None:
                return Prepared(lambda fetched: self._from_outline(rendered, asked))
        if self.plainly is not None and asked.own is None:
            # Nothing is to be found out: to ask costs a call 3 µs.
            return Prepared(partial(self._render_as_asked, asked, route))
        hub = self.door.hub_request(asked, route)
        try:
            urls = self.translator.remote_urls(hub.body, route)
        except GatewayError as error:
            raise in_client_words(error, hub.client_path) from None
        if self.keeps_text and asked.sent.members is not None:
            return Prepared(
                lambda fetched: _as_written(self._render(hub, route, fetched), asked),
                urls,
            )
        render = partial(self._render, hub, route)
        return Prepared(render, urls, nothing, hub.client_path)

    def _render_as_asked(
        self, asked: Asked, route: Route, fetched: Mapping[str, str]
    ) -> UpstreamRequest:
        rendered = self.plainly(asked.body, route) if self.plainly is not None else None
        if rendered is None:
            rendered = self.translator.render_request(asked.body, route)
        if asked.sent.members is None or not self.keeps_text:
            return rendered
        return _as_written(rendered, asked)

    def _from_outline(self, rendered: UpstreamRequest, asked: Asked) -> UpstreamRequest:
        """Return a rendered outline as the bytes that are sent."""
        sent, outline = asked.sent, asked.outline
        if self.keeps_text and sent.members is not None and outline is not None:
            raw = rewritten(sent.raw, sent.members, outline.body, rendered.body)
        else:
            raw = encode(rendered.body)
        return rendered._replace(body={}, raw=raw)

    def _render(
        self, hub: HubRequest, route: Route, fetched: Mapping[str, str]
    ) -> UpstreamRequest:
        body = images.inlined(hub.body, fetched) if fetched else hub.body
        if hub.shows_thinking or hub.default_output:
            route = route._replace(
                shows_thinking=hub.shows_thinking, default_output=hub.default_output
            )
        try:
            rendered = self.translator.render_request(body, route)
        except GatewayError as error:
            raise in_client_words(error, hub.client_path) from None
        if hub.dropped or hub.downgraded or hub.stop or hub.client_path:
            return _noted(rendered, hub)
        return rendered

    def parse_response(
        self, payload: Payload, headers: Mapping[str, str], reply: Reply, asked: Asked
    ) -> Whole:
        """Return a whole answer; raises a 502 where it is none."""
        completion = self.translator.parse_response(payload.body, headers, reply)
        return self._whole(completion, asked)

    def parse_error(
        self, status: int, headers: Mapping[str, str], payload: bytes, reply: Reply
    ) -> GatewayError:
        """Return the upstream's refusal in the caller's terms; never raises."""
        return self.translator.parse_error(status, headers, payload)

    def answer_headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Return those of the upstream's headers that the client may see."""
        return relayed_headers(headers)

    def avoidable(self, reply: Reply) -> tuple[Feature, ...]:
        """Return what upstreams of this format may refuse, and can do without."""
        return self.translator.AVOIDABLE + self.learns

    def parse_streamed(self, raw: bytes, reply: Reply, asked: Asked) -> Whole | None:
        """Return the answer that a stream in `raw` tells, None where it is none.

        Raises `GatewayError` where the stream tells of an error.
        """
        parser = self.translator.stream_parser(reply._replace(goes_on=False))
        chunks = parser.feed(raw) + parser.close()
        if not parser.state.done:
            if parser.state.error is None or parser.state.error.code in _NO_STREAM:
                return None
            raise parser.state.error
        completion = assembled(chunks)
        if parser.state.usage is not None:
            completion["usage"] = parser.state.usage
        return self._whole(completion, asked)

    def _whole(self, completion: JSON, asked: Asked) -> Whole:
        answer = whole(completion, self.door.render_response(completion, asked))
        if answer.usage is None and self.door.ESTIMATES_USAGE:
            return answer._replace(estimated="usage")
        return answer

    def reader(self, reply: Reply, asked: Asked) -> Reader[T]:
        """Return what reads one streamed answer."""
        parser = self.translator.stream_parser(reply)
        return self.make_reader(parser, self.door.stream_renderer(asked))


class HubReader(Generic[T]):
    """Reads an upstream's stream; `render` makes what is given on of its chunks."""

    text = None

    def __init__(
        self,
        parser: StreamParser,
        renderer: StreamRenderer,
        render: Callable[[list[JSON]], T],
    ) -> None:
        self.renderer = renderer
        self._parser = parser
        self._render = render

    @property
    def state(self) -> StreamState:
        """How far the answer is."""
        return self._parser.state

    @property
    def pausing(self) -> PausingParser | None:
        """The parser, where its upstream may pause."""
        return self._parser if isinstance(self._parser, PausingParser) else None

    def feed(self, data: bytes) -> Relayed[T]:
        """Return what `data` came to."""
        return relayed(self._parser.feed(data), self._render)

    def close(self) -> Relayed[T]:
        """Return what was held back."""
        return relayed(self._parser.close(), self._render)


def _as_written(rendered: UpstreamRequest, asked: Asked) -> UpstreamRequest:
    """Return a request whose values are as the client wrote them, or written anew.

    Of 100 KB it costs a tenth of encoding all of it, 7 µs for 75.
    """
    sent = asked.sent
    if sent.members is None:
        return rendered
    raw = rewritten(sent.raw, sent.members, asked.body, rendered.body)
    return rendered._replace(raw=raw)


def _noted(rendered: UpstreamRequest, hub: HubRequest) -> UpstreamRequest:
    """Return a rendered request with what the door knows of it besides."""
    path, reply = hub.client_path, rendered.reply
    reply = reply._replace(
        client_path=path, tells_stop=hub.tells_stop, blocks=hub.blocks
    )
    dropped, downgraded = rendered.dropped, rendered.downgraded
    lost = hub.dropped or dropped or hub.downgraded or downgraded
    if not (lost or hub.stop or reply.stop):
        return rendered._replace(reply=reply)
    if path is not None:
        dropped, downgraded = tuple(map(path, dropped)), tuple(map(path, downgraded))
    stop = tuple(dict.fromkeys(hub.stop + reply.stop))
    return rendered._replace(
        dropped=tuple(dict.fromkeys(hub.dropped + dropped)),
        downgraded=tuple(dict.fromkeys(hub.downgraded + downgraded)),
        reply=reply._replace(stop=stop),
    )


def frames(parser: StreamParser, renderer: StreamRenderer) -> HubReader[bytes]:
    """Return a reader that gives the client's frames."""
    return HubReader(parser, renderer, renderer.render)


def chunks(parser: StreamParser, renderer: StreamRenderer) -> HubReader[list[JSON]]:
    """Return a reader that gives chunks as they are."""
    return HubReader(parser, renderer, lambda chunks: chunks)


def whole(completion: JSON, body: JSON) -> Whole:
    """Return the answer that `completion` is to the ledger and `body` to the client."""
    choices = completion.get("choices")
    finish_reason = choices[0].get("finish_reason") if choices else None
    return Whole(body, completion.get("usage"), finish_reason or "")
