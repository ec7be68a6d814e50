"""What a door is: a module with the jobs of `Door`, the mirror of `Translator`'s.

Doors are sans-IO as translators are: bytes or objects in, objects or bytes out.
"""

from dataclasses import dataclass
from typing import Protocol

from gateway.errors import GatewayError
from gateway.wire.jsontext import JSON

__all__ = ["JSON", "Asked", "Door", "StreamRenderer"]


@dataclass(frozen=True)
class Asked:
    """What a client asks for, in its own words.

    `model` is the name it uses, `stream` whether it wants the answer as it comes.
    `body` is its request as it stands; an answer that must repeat a part of it finds it
    there.
    """

    model: str
    stream: bool
    body: JSON


class StreamRenderer(Protocol):
    """Writes one streamed answer in the client's format."""

    media_type: str
    """What the answer is labelled as."""

    keep_alive: bytes
    """A frame that says nothing, for when there is nothing to say for long."""

    def render(self, chunks: list[JSON]) -> bytes:
        """Return the frames for what was said, in `chat.completion.chunk` objects."""
        ...

    def end(self) -> bytes:
        """Return the last frames of an answer that is complete."""
        ...

    def fail(self, error: GatewayError) -> bytes:
        """Return the last frames of an answer that `error` cut short."""
        ...


class Door(Protocol):
    """The jobs of a door module."""

    def parse_request(self, body: JSON) -> Asked:
        """Return what is asked for.

        Raises `GatewayError` (400, with `param`) where `body` cannot be routed. What
        only a target can tell is refused when it is rendered.
        """
        ...

    def hub_request(self, asked: Asked) -> JSON:
        """Return the request in the hub's format, OpenAI's; not to be mutated.

        Only asked for where the upstream speaks another format than the client. Raises
        `GatewayError` (400, with `param`) for what it cannot express.
        """
        ...

    def render_response(self, completion: JSON, asked: Asked) -> JSON:
        """Return a whole answer, a `chat.completion`, in the client's format."""
        ...

    def stream_renderer(self, asked: Asked) -> StreamRenderer:
        """Return what writes one streamed answer."""
        ...

    def render_error(self, error: GatewayError) -> JSON:
        """Return the body that tells `error`."""
        ...
