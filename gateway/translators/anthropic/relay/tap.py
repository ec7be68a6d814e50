"""What the ledger wants of a message that is passed on.

https://platform.claude.com/docs/en/build-with-claude/streaming
"""

from typing import Any

from gateway.hub.answers.relay import Relayed
from gateway.hub.answers.state import StreamState
from gateway.hub.protocol import JSON
from gateway.translators.anthropic.answers.usage import parse_usage
from gateway.translators.anthropic.relay.errors import from_event
from gateway.translators.anthropic.relay.pieces import pieces, said_in

_REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
}
"""By which names the ledger knows them; others stay as they are."""

_LONGEST = 32
"""Characters of a reason that the ledger's column holds."""


def finish_reason(stop_reason: Any) -> str:
    """Return why an answer ended, in the ledger's words; empty before its end."""
    if not isinstance(stop_reason, str):
        return ""
    return _REASONS.get(stop_reason, stop_reason[:_LONGEST])


class Tap:
    """Follows the events of one message; `is_ended` once the last one has passed.

    That may be an error. Others that end an answer are noted in `state` alone.
    """

    def __init__(self) -> None:
        self.state = StreamState()
        self.finish_reason = ""
        self.is_ended = False
        self._counts: JSON = {}

    def passed(self, block: bytes, event: JSON) -> Relayed[bytes]:
        """Return an event that is passed on as `block`, its figures taken.

        Those that only carry the answer's pieces need not come here. Counts are totals:
        a later one overwrites an earlier.
        """
        self._take(event)
        self.is_ended = self.state.is_over
        if event["type"] == "content_block_delta":
            return pieces(block)
        says = event["type"] not in ("ping", "error")
        return Relayed(block, 0, self.finish_reason, says, said_in(event))

    def _take(self, event: JSON) -> None:
        match event.get("type"):
            case "message_start":
                message = event.get("message")
                self._add(message.get("usage") if isinstance(message, dict) else None)
            case "message_delta":
                self._end(event.get("delta"))
                self._add(event.get("usage"))
            case "message_stop":
                self.state.done = True
            case "error":
                self.state.error = from_event(event)

    def has_counts(self, name: str) -> bool:
        """Tell whether a count has been told by this name."""
        return name in self._counts

    def _end(self, delta: Any) -> None:
        if isinstance(delta, dict):
            reason = finish_reason(delta.get("stop_reason"))
            self.finish_reason = reason or self.finish_reason

    def _add(self, usage: Any) -> None:
        if isinstance(usage, dict):
            told = {name: usage[name] for name in usage if usage[name] is not None}
            self._counts |= told
            self.state.usage = parse_usage(self._counts)
