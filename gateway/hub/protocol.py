"""What a translator is: a module with the four jobs of `Translator`.

Translators are sans-IO: no Django, httpx, clock, settings, logging or randomness.
Whatever a translator needs from outside (ids, the time, fetched images) is handed in
through `Route`; whatever it learned while rendering and needs again for the answer
travels in `Reply`.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Set
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol, TypedDict, runtime_checkable

from gateway.errors import GatewayError
from gateway.hub.answers.state import StreamState
from gateway.values import Value
from gateway.wire.bounds import MAX_EVENT
from gateway.wire.jsontext import JSON, decode

__all__ = [
    "JSON",
    "NOTHING",
    "AtOnce",
    "Feature",
    "Learned",
    "PausingParser",
    "Payload",
    "Reply",
    "Route",
    "StreamParser",
    "Translator",
    "UpstreamRequest",
]

NOTHING: Mapping[str, Any] = MappingProxyType({})


class Route(Value, frozen=True):
    """Where a request goes, as far as its format depends on it; no credentials.

    `model` is the id the client used and reads in every answer, `upstream_model` the
    id to send. `base_model` says what an opaque id really is; it decides
    capabilities, never the wire id. `options` are the provider's route flags and
    `capabilities` the model's overrides, both by their names in docs/translation.md.
    `completion_id` and `created` (Unix seconds) are stamped on answers that bring none.
    `avoid` names upstream features that a previous attempt saw refused. `largest` is
    how many bytes of an answer are held in memory: an image may come in one event.
    `provider_type` names the translator (gateway/translators), `host` is the name of
    the upstream's: at home a vendor's models take what nobody else's servers do.
    With `shows_thinking` a model that thinks anyway is asked to do so readably.
    `default_output` bounds an answer whose client gives no limit, where the upstream
    must be told one; 0 for what is usual there.
    """

    model: str
    upstream_model: str
    base_model: str = ""
    region: str = ""
    completion_id: str = "chatcmpl-0"
    created: int = 0
    options: Mapping[str, Any] = NOTHING
    capabilities: Mapping[str, Any] = NOTHING
    avoid: frozenset[str] = frozenset()
    largest: int = MAX_EVENT
    provider_type: str = ""
    host: str = ""
    shows_thinking: bool = False
    default_output: int = 0


class Reply(Value, frozen=True):
    """What the parser of an answer must know about the request.

    Each translator fills in what it needs; `wire` lets a translator with several
    formats find the parser again. `tool_names` and, by tool, `argument_names` lead from
    the upstream's names to the client's. `forced_tool` is the one tool that the answer
    must call; with `hides_reasoning` the client wants no thinking. `earlier` are
    the payloads of an answer that paused, of which the next one is the continuation;
    with `goes_on` a pause is not the end of a stream. `upstream_model` is what the
    upstream calls the model, where an answer is passed on as it came. `client_path`
    leads from a path in the hub's request to that in the client's; with `tells_stop`
    the client is told which of the `stop` sequences ended the text. With `blocks` it
    is told where one block of the answer ends and the next begins, by `block_index`.
    """

    model: str
    completion_id: str = "chatcmpl-0"
    created: int = 0
    stream: bool = False
    include_usage: bool = False
    wire: str = ""
    tool_names: Mapping[str, str] = NOTHING
    argument_names: Mapping[str, Mapping[str, str]] = NOTHING
    json_tool: str = ""
    strip_fence: bool = False
    stop: tuple[str, ...] = ()
    single_tool_call: bool = False
    legacy_functions: bool = False
    forced_tool: str = ""
    hides_reasoning: bool = False
    options: Mapping[str, Any] = NOTHING
    earlier: tuple[JSON, ...] = ()
    goes_on: bool = False
    largest: int = MAX_EVENT
    upstream_model: str = ""
    client_path: Callable[[str], str] | None = None
    tells_stop: bool = False
    blocks: bool = False

    @classmethod
    def of(cls, body: JSON, route: Route, learned: "Learned | None" = None) -> "Reply":
        """Return what every request tells, and what a translator learned of it."""
        stream = body.get("stream") is True
        wants_usage = stream and bool(_inner(body, "stream_options", "include_usage"))
        reply = cls(
            route.model,
            route.completion_id,
            route.created,
            stream,
            wants_usage,
            options=route.options,
            largest=route.largest,
        )
        if learned is None and "reasoning" not in body:
            return reply
        known: Learned = learned or {}
        if _inner(body, "reasoning", "exclude"):
            known = {"hides_reasoning": True, **known}
        return reply._replace(**known) if known else reply


def _inner(body: JSON, field: str, name: str) -> Any:
    """Return what a field's object holds, None where it is no object."""
    value = body.get(field)
    return value.get(name) if isinstance(value, dict) else None


class Feature(NamedTuple):
    """A part of a request that some upstreams refuse, and that can be left out.

    `name` stands in `Route.avoid` where it is left out. It is sent in one of `fields`,
    at the top of the body or, with `anywhere`, at any depth, and `refusal` finds in an
    upstream's words that it is meant. `lasts` says that these words are always about
    the model, never about one request; `denied` that they may come as a 403, too;
    `of_schemas` that they are about the schemas of the request, and hold for these.
    A group `value` in `refusal` finds what the model takes instead: a limit, or levels.
    What `is_path` is the API itself that was asked; what is `of_one` request is never
    remembered.
    What has a `header` is a list of values, sent there or in one of `fields`: those
    that the words name are left out, all where they name none.
    """

    name: str
    fields: tuple[str, ...]
    refusal: re.Pattern[str]
    anywhere: bool = False
    lasts: bool = False
    denied: bool = False
    of_schemas: bool = False
    header: str = ""
    is_path: bool = False
    of_one: bool = False

    def of_values(self, values: Iterable[str]) -> "Feature":
        """Return the feature of single `values` of the list that this one is."""
        return self._replace(name=" ".join([self.name, *values]))

    def left(self, values: Iterable[str], avoid: Set[str]) -> tuple[str, ...]:
        """Return which of `values` an upstream takes that refused `avoid`."""
        refused = [each.split(" ") for each in avoid if self.name in each]
        if [self.name] in refused:
            return ()
        named = {value for name, *of in refused if name == self.name for value in of}
        return tuple(value for value in values if value not in named)


class Learned(TypedDict, total=False):
    """The fields of a `Reply` that only rendering tells."""

    wire: str
    tool_names: Mapping[str, str]
    argument_names: Mapping[str, Mapping[str, str]]
    json_tool: str
    strip_fence: bool
    stop: tuple[str, ...]
    single_tool_call: bool
    legacy_functions: bool
    forced_tool: str
    hides_reasoning: bool


class UpstreamRequest(Value, frozen=True):
    """One request in the upstream's format.

    `path` is appended to the provider's endpoint exactly as it stands, percent-encoding
    included. `dropped` names parameters that were not sent, `downgraded` those sent in
    a weaker form; both are told to the client in response headers. `resume` takes the
    payload of a whole answer, or what a `PausingParser` gives, and returns the request
    that goes on with it, None where the answer ends there; most upstreams never pause.
    `listed_headers` are names in `headers` whose values stand beside those that the
    administrator gave, in one list. `raw` is what is sent where it is not `body` as it
    would be encoded, but the client's own bytes. What is no POST has no body.
    `at_once` reads the bytes of a whole answer in one pass, for a client that speaks
    the hub's format; it returns None of one that is not as plain as most.
    """

    path: str
    body: JSON
    reply: Reply
    headers: Mapping[str, str] = NOTHING
    dropped: tuple[str, ...] = ()
    downgraded: tuple[str, ...] = ()
    resume: "Callable[[JSON], UpstreamRequest | None] | None" = None
    listed_headers: frozenset[str] = frozenset()
    raw: bytes = b""
    method: str = "POST"
    at_once: "Callable[[bytes, Reply], AtOnce | None] | None" = None

    def told(self) -> "UpstreamRequest":
        """Return it with its body, read again where only the bytes were kept."""
        if self.body or not self.raw:
            return self
        return self._replace(body=decode(self.raw))


class Payload(Value, frozen=True):
    """A whole answer: what it says, and the bytes that say so."""

    body: JSON
    raw: bytes


class AtOnce(Value, frozen=True):
    """A whole answer read in one pass: the bytes of a `chat.completion`.

    `counts` are those of its usage by the ledger's columns, where they are known, else
    that is its `usage`.
    """

    raw: bytes
    finish_reason: str
    counts: dict[str, Any] | None = None
    usage: JSON | None = None


class StreamParser(Protocol):
    """One upstream stream, fed with whatever the network delivered.

    `feed` and `close` return finished `chat.completion.chunk` objects and change
    `state`, which stays the same object. Chunks that came before an error are returned
    by the call that sets it; once the state is over nothing more is returned.
    """

    state: StreamState

    def feed(self, data: bytes) -> list[JSON]: ...

    def close(self) -> list[JSON]:
        """End of input: an error unless the upstream's terminal event was seen."""
        ...


@runtime_checkable
class PausingParser(StreamParser, Protocol):
    """A stream parser whose upstream may pause, to be asked to go on.

    The state is then `paused`. After `resume` the bytes of the next upstream stream are
    fed, and its chunks continue those before; `close` instead ends the answer where it
    paused.
    """

    def resume(self, reply: Reply) -> None:
        """Expect the stream that answers the next request, whose `reply` this is."""
        ...


class Translator(Protocol):
    """The jobs of a translator module."""

    AVOIDABLE: tuple[Feature, ...]
    """What is asked for again without, where an upstream refuses it."""

    def render_request(self, body: JSON, route: Route) -> UpstreamRequest:
        """Return `body` (OpenAI's format, not mutated) as the upstream wants it.

        Raises `GatewayError` (400, with `param`) for what cannot be expressed.
        """
        ...

    def remote_urls(self, body: JSON, route: Route) -> list[str]:
        """Return the http(s) URLs in `body` that must be fetched before rendering.

        The caller replaces each by a ``data:`` URL in a copy of the body. Empty where
        the upstream fetches by itself.
        """
        ...

    def parse_response(
        self, payload: JSON, headers: Mapping[str, str], reply: Reply
    ) -> JSON:
        """Return the whole answer as a `chat.completion`.

        `headers` have lower-case names. Raises `GatewayError` (502) when the payload is
        not an answer.
        """
        ...

    def stream_parser(self, reply: Reply) -> StreamParser:
        """Return a parser for one stream."""
        ...

    def parse_error(
        self, status: int, headers: Mapping[str, str], payload: bytes
    ) -> GatewayError:
        """Return the upstream's refusal in the caller's terms; never raises."""
        ...
