"""What a call asked, what was sent and what came back, where that is to be kept.

All of it waits in the entry of the ledger, cut to what is kept of it; it is redacted
when the ledger stores it (gateway/ledger/bodies/bodies_log.py).
"""

import time
from typing import Any

from gateway.calls.call import Call
from gateway.doors.protocol import Asked
from gateway.hub.protocol import JSON, UpstreamRequest
from gateway.ledger.bodies import bodies_log
from gateway.worker.call_settings import call_settings
from gateway.worker.registry import registry
from gateway.worker.snapshot import Provider

MOST_BYTES = 512 * 1024
"""What is kept of a stream's frames; as text alone they are a tenth of that."""


def _are_wanted(call: Call, provider: Provider) -> bool:
    """Tell whether bodies of this call are kept: of all, or for a time of such ones."""
    if call_settings.LOG_BODIES:
        return True
    windows = registry.snapshot.body_windows
    if not windows:  # As nearly always: not made a generator for.
        return False
    return any(
        window.holds(call.caller.name, provider.name, time.time()) for window in windows
    )


def note_request(
    call: Call, provider: Provider, asked: Asked, rendered: UpstreamRequest
) -> None:
    """Keep what the client asked and what is sent for it, where it is wanted.

    What another provider refused before stays then only beside its own request.
    """
    call.keeps_bodies = _are_wanted(call, provider)
    if not call.keeps_bodies:
        return
    call.entry.fields.pop("received", None)
    call.entry.fields["bodies"] = {
        "asked": bodies_log.cut(asked.body),
        "sent": bodies_log.cut(rendered.told().body),
        "path": rendered.path,
    }


def note_answer(call: Call, body: JSON) -> None:
    """Keep what the client gets as a whole."""
    call.entry.fields["answered"] = bodies_log.cut(body)


def note_refusal(call: Call, payload: bytes) -> None:
    """Keep what the provider said when it refused."""
    call.entry.fields["received"] = bodies_log.cut(payload.decode("utf-8", "replace"))


class Frames:
    """The frames that a client gets, as far as they are kept."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0

    def add(self, piece: Any) -> None:
        """Take a piece; what the console reads (no bytes) is not kept."""
        if isinstance(piece, bytes) and self._size < MOST_BYTES:
            self._pieces.append(piece)
            self._size += len(piece)

    def text(self) -> str:
        """Return them as they went out."""
        return b"".join(self._pieces)[:MOST_BYTES].decode("utf-8", "replace")
