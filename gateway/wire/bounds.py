"""How much of one upstream event is held in memory, whatever the framing."""

from typing import Any

MAX_EVENT = 8 * 1024 * 1024
"""Bytes of one event, unless the caller says better; a longer one ends the stream."""


class EventTooLarge(ValueError):
    """One upstream event outgrew its bound.

    `events` are the complete events that came before it in the same `feed`, so that
    nothing is lost and the outcome does not depend on how the bytes were cut.
    """

    def __init__(self, limit: int, events: list[Any] | None = None) -> None:
        super().__init__(f"one upstream event exceeds {limit} bytes")
        self.limit = limit
        self.events: list[Any] = events or []
