"""What the ledger wants of a response that is passed on, and what the client reads.

https://platform.openai.com/docs/api-reference/responses-streaming
"""

import re
from collections.abc import Iterator
from typing import Any

from gateway.hub.answers.event_relay import pieces
from gateway.hub.answers.names import Names
from gateway.hub.answers.relay import Relayed
from gateway.hub.answers.state import StreamState
from gateway.hub.protocol import JSON
from gateway.translators.openai.errors import WORDS
from gateway.translators.openai.responses.errors import from_event
from gateway.translators.openai.responses.pieces import PIECES, TEXT
from gateway.translators.openai.responses.usage import finish_reason, usage_of
from gateway.translators.openai.responses.whole import checked, events_of

_NUMBER = re.compile(rb'"sequence_number":\s*(\d{1,15})')
_SILENT = frozenset(
    {"error", "keepalive", "response.created", "response.in_progress"}
    | {"response.queued"}
)
"""Events before which nothing of an answer has been said."""


def number_behind(events: bytes) -> int:
    """Return the number of the event that comes behind `events`."""
    found = _NUMBER.findall(events)
    return int(found[-1]) + 1 if found else 0


class ResponseTap:
    """Follows the events of one response, which is told by the asked one of `names`.

    `response_id` is what the upstream calls it; `is_announced` and `is_failed` tell
    that an `error` event, and one of a failed response, have been passed on.
    """

    PIECES = PIECES
    TEXT = TEXT
    LAST_WORD = b"[DONE]"
    WORDS = WORDS

    def __init__(self, names: Names) -> None:
        self.state = StreamState()
        self.response_id = ""
        self.is_announced = False
        self.is_failed = False
        self._names = names
        self._done: dict[int, Any] = {}

    @property
    def output(self) -> list[Any]:
        """The items that were told whole, in their order."""
        return [self._done[index] for index in sorted(self._done)]

    def passed(self, block: bytes, event: JSON) -> Relayed[bytes]:
        """Return an event that is passed on as `block`, its figures taken."""
        kind, response = event["type"], event.get("response")
        finish = ""
        if isinstance(response, dict):
            block = self._names.in_start(block, response)
            finish = self._take(kind, response)
        if kind == "response.output_item.done":
            self._keep_item(event)
        if kind in ("error", "response.failed"):
            self.is_announced |= kind == "error"
            self.is_failed = kind != "error"
            self.state.error = from_event(event)
        if kind.endswith(".delta"):
            return pieces(block, TEXT)
        says = kind not in _SILENT and kind != "response.failed"
        return Relayed(block, 0, finish, says, None if says else {})

    @staticmethod
    def events_of(payload: Any) -> Iterator[JSON]:
        """Return the events that tell a whole response; raises where it is none."""
        return events_of(checked(payload))

    @staticmethod
    def is_complete() -> bool:
        """Tell that no response is, without the event that ends it."""
        return False

    def _keep_item(self, event: JSON) -> None:
        if type(index := event.get("output_index")) is int:
            self._done[index] = event.get("item")

    def _take(self, kind: str, response: JSON) -> str:
        """Note what a response tells of itself; return why it ended."""
        if isinstance(id := response.get("id"), str):
            self.response_id = id
        self.state.usage = usage_of(response) or self.state.usage
        if kind not in ("response.completed", "response.incomplete"):
            return ""
        self.state.done = self.state.may_go_on = True
        return finish_reason(response)
