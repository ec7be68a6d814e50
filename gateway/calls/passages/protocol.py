"""What a passage is: the way of one request to an upstream, and of its answer back."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from gateway.calls.passages.wording import ClientPath
from gateway.doors.protocol import Asked, StreamRenderer
from gateway.errors import GatewayError
from gateway.hub.answers.relay import Relayed, Text
from gateway.hub.answers.state import StreamState
from gateway.hub.protocol import (
    JSON,
    Feature,
    PausingParser,
    Payload,
    Reply,
    Route,
    UpstreamRequest,
)
from gateway.values import Value

__all__ = ["Passage", "Prepared", "Reader", "Whole"]

T = TypeVar("T")


class Whole(Value, frozen=True):
    """A whole answer: its `body` for the client, and what the ledger wants of it.

    `usage` has OpenAI's shape. `raw` is what the client gets where that is not `body`
    as it would be encoded, but the upstream's own bytes. `estimated` names what of it
    is our estimate. `counts` are the ledger's fields for `usage`, where they are known.
    """

    body: JSON
    usage: JSON | None
    finish_reason: str
    raw: bytes = b""
    estimated: str = ""
    counts: dict[str, Any] | None = None


def nothing() -> tuple[str, ...]:
    """Return nothing that goes one way alone."""
    return ()


class Prepared(Value, frozen=True):
    """A request as far as it can be read before its images are there.

    `remote_urls` must be fetched before `render` makes the upstream's request: it takes
    a ``data:`` URL for each, and raises `GatewayError` (400, with `param`) for what
    cannot be expressed. `keeps` tells, when it is asked, what of the request goes this
    way and no other. `client_path` leads from a field that is refused to the client's.
    What `is_read_again` is needed by who reads the answer.
    """

    render: Callable[[Mapping[str, str]], UpstreamRequest]
    remote_urls: Sequence[str] = ()
    keeps: Callable[[], tuple[str, ...]] = nothing
    client_path: ClientPath | None = None
    is_read_again: bool = False


class Reader(Protocol[T]):
    """One upstream stream, fed with whatever the network delivered.

    `state` tells how far the answer is, `pausing` is the parser of one that may pause.
    `renderer` is the one that wrote the frames so far, and so knows the last ones.
    `text` is a quicker way of reads that bring text as those before did, where there is
    one: it returns None, and changes nothing, where they are to be fed all the same.
    """

    @property
    def state(self) -> StreamState: ...

    @property
    def pausing(self) -> PausingParser | None: ...

    @property
    def renderer(self) -> StreamRenderer: ...

    @property
    def text(self) -> Callable[[bytes], Text[T] | None] | None: ...

    def feed(self, data: bytes) -> Relayed[T]:
        """Return what `data` came to."""
        ...

    def close(self) -> Relayed[T]:
        """End of input: return what was held back."""
        ...


class Passage(Protocol[T]):
    """A translator's jobs, with the client's own format on the near side.

    `T` is what a stream comes to: frames for a client, or chunks.
    """

    def prepare(self, asked: Asked, route: Route) -> Prepared:
        """Return the request, read once for all that is to be done with it.

        Raises `GatewayError` (400, with `param`) for what cannot be expressed.
        """
        ...

    def parse_response(
        self, payload: Payload, headers: Mapping[str, str], reply: Reply, asked: Asked
    ) -> Whole:
        """Return a whole answer; raises `GatewayError` (502) where it is none."""
        ...

    def parse_error(
        self, status: int, headers: Mapping[str, str], payload: bytes, reply: Reply
    ) -> GatewayError:
        """Return the upstream's refusal in the caller's terms; never raises."""
        ...

    def answer_headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Return those of the upstream's headers that the client may see."""
        ...

    def avoidable(self, reply: Reply) -> tuple[Feature, ...]:
        """Return what is asked for again without, where the upstream refuses it."""
        ...

    def parse_streamed(self, raw: bytes, reply: Reply, asked: Asked) -> Whole | None:
        """Return the answer that came as a stream although nobody asked for one.

        None where `raw` is no stream; raises `GatewayError` where it tells of an error.
        """
        ...

    def reader(self, reply: Reply, asked: Asked) -> Reader[T]:
        """Return what reads one streamed answer."""
        ...
