"""What the ledger wants of a message that is passed on, and what the client reads.

https://platform.claude.com/docs/en/build-with-claude/streaming
"""

from collections.abc import Iterator
from typing import Any

from gateway.hub.answers.event_relay import pieces
from gateway.hub.answers.names import Names
from gateway.hub.answers.relay import Relayed
from gateway.hub.answers.state import StreamState
from gateway.hub.protocol import JSON
from gateway.translators.anthropic.answers.usage import parse_usage
from gateway.translators.anthropic.errors import WORDS
from gateway.translators.anthropic.relay.errors import from_event
from gateway.translators.anthropic.relay.pieces import PIECES, TEXT, said_in
from gateway.translators.anthropic.relay.whole import checked, events_of, finish_reason

_AS_IT_IS = Names("", "")


class Tap:
    """Follows the events of one message; `is_ended` once the last one has passed.

    That may be an error. Others that end an answer are noted in `state` alone. The
    message is told by the asked one of `names`.
    """

    PIECES = PIECES
    TEXT = TEXT
    LAST_WORD = b""
    WORDS = WORDS

    def __init__(self, names: Names = _AS_IT_IS) -> None:
        self._names = names
        self.state = StreamState()
        self.finish_reason = ""
        self.is_ended = False
        self._counts: JSON = {}

    def passed(self, block: bytes, event: JSON) -> Relayed[bytes]:
        """Return an event that is passed on as `block`, its figures taken.

        Those that only carry the answer's pieces need not come here. Counts are totals:
        a later one overwrites an earlier.
        """
        if event["type"] == "message_start":
            block = self._names.in_start(block, event.get("message"))
        self._take(event)
        self.is_ended = self.state.is_over
        if event["type"] == "content_block_delta":
            return pieces(block, TEXT)
        says = event["type"] not in ("ping", "error")
        return Relayed(block, 0, self.finish_reason, says, said_in(event))

    @staticmethod
    def events_of(payload: Any) -> Iterator[JSON]:
        """Return the events that tell a whole message; raises where it is none."""
        return events_of(checked(payload))

    def is_complete(self) -> bool:
        """Tell whether the message told why it ends, which makes it complete."""
        return bool(self.finish_reason)

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
