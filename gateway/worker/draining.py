"""The end of a worker: calls that run may finish, then they are told and ended.

`begin` comes with SIGTERM. From then on `/readyz` fails; after `seconds` every call
that still runs is cancelled, and whoever handles it asks `is_over` whether that was
the client or the server. A client that stops reading has its call cancelled too, with
`STALLED` as the reason.
"""

import asyncio

from gateway.errors import GatewayError

STALLED = "the client stopped reading"
"""The message of the cancellation of a call whose answer cannot be written."""


class Draining:
    """What one worker knows about its own end."""

    def __init__(self) -> None:
        self.has_begun = False
        self.is_over = False
        self.calls: set[asyncio.Task[object]] = set()

    def begin(self, seconds: float) -> None:
        """Let what runs go on for `seconds`; for the worker's event loop."""
        self.has_begun = True
        asyncio.get_running_loop().call_later(seconds, self.end)

    def end(self) -> None:
        """End what still runs."""
        self.has_begun = self.is_over = True
        for call in list(self.calls):
            call.cancel()


def shutting_down() -> GatewayError:
    """Return what a call is told that the server ends."""
    return GatewayError(
        503,
        "server_error",
        "The gateway is shutting down. Try again shortly.",
        code="shutting_down",
        headers={"retry-after": "2"},
    )


draining = Draining()
"""This worker's."""
