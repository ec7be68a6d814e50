"""A stream that is passed on as it comes, read for a call, and its last words."""

from collections.abc import Callable
from typing import Protocol

from gateway.doors.protocol import StreamRenderer
from gateway.errors import GatewayError
from gateway.hub.answers.relay import Relayed
from gateway.hub.answers.state import StreamState
from gateway.hub.protocol import JSON, PausingParser


class Relay(Protocol):
    """One stream on its way, however its events are framed."""

    @property
    def state(self) -> StreamState: ...

    def feed(self, data: bytes) -> Relayed[bytes]:
        """Return the events that `data` completes."""
        ...

    def close(self) -> Relayed[bytes]:
        """End of input: return what was held back."""
        ...


class LastWords:
    """Writes what an upstream left unsaid: that it goes on, ended, or failed.

    `alive` is the frame that says nothing; `ended` and `failed` return the frames that
    the upstream did not send.
    """

    media_type = "text/event-stream; charset=utf-8"

    def __init__(
        self,
        alive: bytes,
        ended: Callable[[], bytes],
        failed: Callable[[GatewayError], bytes],
    ) -> None:
        self._alive = alive
        self.end = ended
        self.fail = failed

    def keep_alive(self, silent_for: float) -> bytes:
        """Return a frame that says nothing."""
        return self._alive

    @staticmethod
    def render(chunks: list[JSON]) -> bytes:
        """Return nothing: no chunks are made of what is passed on."""
        return b""


class RelayReader:
    """Reads a stream that is passed on; `renderer` writes its last frames."""

    pausing: PausingParser | None = None
    text = None

    def __init__(self, relay: Relay, renderer: StreamRenderer) -> None:
        self.renderer = renderer
        self.state = relay.state
        self.feed = relay.feed
        self.close = relay.close
