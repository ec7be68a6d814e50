"""What a door is: a module with the jobs of `Door`, the mirror of `Translator`'s.

Doors are sans-IO as translators are: bytes or objects in, objects or bytes out.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Protocol

from gateway.errors import GatewayError
from gateway.hub.outlines import Outline
from gateway.hub.protocol import Route
from gateway.values import Record, Value
from gateway.wire.jsontext import JSON, decode
from gateway.wire.members import Members

__all__ = [
    "JSON",
    "NOTHING_SENT",
    "Asked",
    "Door",
    "Envelope",
    "HubRequest",
    "Sent",
    "StreamRenderer",
]


class Sent(Value, frozen=True):
    """A request as it came, apart from what its body says.

    `headers` maps lower-case names to all their values; whatever a door reads of them
    never holds a credential. `raw` is the body to the letter, `request_id` what every
    answer to it is marked with, `caller` the name of who asks. `members` tells where in
    `raw` the body's values stand, where that is known. With `is_outlined` the body that
    a door is given is an outline (gateway/hub/outlines.py).
    """

    headers: Mapping[str, list[str]]
    request_id: str = ""
    caller: str = ""
    raw: bytes = b""
    members: Members | None = None
    is_outlined: bool = False

    def header(self, name: str) -> str:
        """Return the first value of a header (lower-case name), or an empty string."""
        values = self.headers.get(name)
        return values[0] if values else ""


NOTHING_SENT = Sent(MappingProxyType({}))
"""What stands behind a question that is asked from within."""


class Asked(Record):
    """What a client asks for, in its own words.

    `model` is the name it uses, `stream` whether it wants the answer as it comes.
    `body` is its request as it stands; an answer that must repeat a part of it finds it
    there. `sent` is kept by doors that need the request's headers or bytes, `own` is
    what a door read of the body and wants to find again. What `stays` refers to things
    that one provider keeps: no other is asked. There is an `outline` of a long request
    as long as nothing was let go.
    """

    model: str
    stream: bool
    _body: JSON | None
    sent: Sent = NOTHING_SENT
    own: Any = None
    stays: bool = False
    outline: Outline | None = None

    @property
    def body(self) -> JSON:
        """The request as it stands, read again where it was let go."""
        if self._body is None:
            outline = self.outline
            self._body = decode(self.sent.raw) if outline is None else outline.whole()
        return self._body

    def let_go(self) -> bool:
        """Hold a long request as text alone, for as long as nobody asks for its body.

        Tell whether it is so. A call waits far longer than it works: what it holds
        until then is cold once it is let go, and so is what other calls get instead.
        """
        if self.sent.members is None or self.own is not None:
            return False
        self._body = self.outline = None
        return True


class HubRequest(Value, frozen=True):
    """A request in the hub's format; `body` is not to be mutated.

    `dropped` and `downgraded` name, in the client's words, what it lost on the way.
    `stop` are sequences at which the gateway ends the answer itself. `client_path` says
    by what path in the client's request something came to its place in `body`; whatever
    is told of a field is told by that. `shows_thinking` and `default_output` are
    `Route`'s, `tells_stop` and `blocks` are `Reply`'s.
    """

    body: JSON
    dropped: tuple[str, ...] = ()
    downgraded: tuple[str, ...] = ()
    stop: tuple[str, ...] = ()
    client_path: Callable[[str], str] | None = None
    shows_thinking: bool = False
    default_output: int = 0
    tells_stop: bool = False
    blocks: bool = False


class StreamRenderer(Protocol):
    """Writes one streamed answer in the client's format."""

    media_type: str
    """What the answer is labelled as."""

    def keep_alive(self, silent_for: float) -> bytes:
        """Return a frame that says nothing, where `silent_for` seconds nothing was."""
        ...

    def render(self, chunks: list[JSON]) -> bytes:
        """Return the frames for what was said, in `chat.completion.chunk` objects."""
        ...

    def end(self) -> bytes:
        """Return the last frames of an answer that is complete."""
        ...

    def fail(self, error: GatewayError) -> bytes:
        """Return the last frames of an answer that `error` cut short."""
        ...


class Envelope(Protocol):
    """How requests of a format are named, and told what went wrong."""

    NAME: str
    """What the ledger calls it."""

    def parse_request(self, body: JSON, sent: Sent) -> Asked:
        """Return what is asked for.

        Raises `GatewayError` (400, with `param`) where `body` cannot be routed. What
        only a target can tell is refused when it is rendered.
        """
        ...

    def about(self, sent: Sent) -> Mapping[str, str]:
        """Return what the headers tell the ledger, by its columns.

        A session, the agent within it, the class of the request; malformed ones are
        left out.
        """
        ...

    def render_error(self, error: GatewayError, sent: Sent) -> JSON:
        """Return the body that tells `error`."""
        ...

    def status_of(self, error: GatewayError, sent: Sent) -> int:
        """Return the HTTP status that clients of this format know `error` by."""
        ...

    def answer_headers(self, headers: dict[str, str], sent: Sent) -> dict[str, str]:
        """Return an answer's headers (lower-case names) as this format names them.

        Of refusals as well; it may change `headers` and return them.
        """
        ...


class Door(Envelope, Protocol):
    """The jobs of a door module: a format in which conversations are held."""

    KEEP_ALIVE: bytes
    """A frame that says nothing, of a stream that has not begun otherwise."""

    ESTIMATES_USAGE: bool
    """Whether a whole answer has counts of our own where the upstream told none."""

    def hub_request(self, asked: Asked, route: Route) -> HubRequest:
        """Return the request in the hub's format, OpenAI's.

        Only asked for where the upstream speaks another format than the client; where
        it goes decides what may be said in it. Raises `GatewayError` (400, with
        `param`) for what it cannot express.
        """
        ...

    def render_response(self, completion: JSON, asked: Asked) -> JSON:
        """Return a whole answer, a `chat.completion`, in the client's format."""
        ...

    def stream_renderer(self, asked: Asked) -> StreamRenderer:
        """Return what writes one streamed answer."""
        ...
