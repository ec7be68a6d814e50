"""How far the reading of one streamed answer has come."""

from dataclasses import dataclass

from gateway.errors import GatewayError
from gateway.wire.jsontext import JSON


@dataclass(slots=True)
class StreamState:
    """What all layers of one stream's parser know in common, shared by reference.

    `usage` is the last usage known, in OpenAI's shape, whether or not the client asked
    for it. `error` tells why the upstream failed inside the stream. `done` turns true
    once the answer is complete (the upstream may then be closed). `paused` is the
    message of an upstream that waits to be asked to go on, as it would have come whole.
    An answer `is_unexplained` where the upstream ended it without a reason. It
    `may_go_on` where what stands behind its end is passed on, too.
    """

    usage: JSON | None = None
    error: GatewayError | None = None
    done: bool = False
    paused: JSON | None = None
    is_unexplained: bool = False
    may_go_on: bool = False

    @property
    def is_over(self) -> bool:
        """Say whether nothing more will be told: the answer is complete or failed."""
        return self.done or self.error is not None
