"""The output of a streamed answer: what the hub's deltas come to, item by item.

Items do not overlap but for calls, which some servers interleave: one ends when the
next item begins and its arguments are whole, so that a client may start it early.
"""

from typing import Any

from gateway.doors.responses.calls import PREFIXES, offered_as
from gateway.doors.responses.ids import Ids
from gateway.doors.responses.output import annotations_of, logprobs_of
from gateway.doors.responses.reading import Reading
from gateway.doors.responses.streams.frames import Frames
from gateway.doors.responses.streams.items import (
    StreamedCall,
    StreamedItem,
    StreamedMessage,
    StreamedReasoning,
)
from gateway.hub.answers.relay import Texts
from gateway.hub.protocol import JSON


class StreamedOutput:
    """The items of one answer.

    `refused` tells of a refusal, `characters` how much was said.
    """

    def __init__(self, frames: Frames, ids: Ids, reading: Reading) -> None:
        self.refused = False
        self.characters = 0
        self._frames = frames
        self._ids = ids
        self._kinds = reading.kinds
        self._is_codex = reading.is_codex
        self._items: list[JSON | None] = []
        self._open: dict[int, StreamedItem] = {}
        self._reasoning: StreamedReasoning | None = None
        self._message: StreamedMessage | None = None
        self._calls: dict[int, StreamedCall] = {}
        self._content = 0
        self._before = 0

    @property
    def done(self) -> list[JSON]:
        """The items that were told whole."""
        return [item for item in self._items if item is not None]

    def add(self, choice: JSON) -> None:
        """Tell what the hub's choice of a chunk adds."""
        delta = choice["delta"]
        if len(delta) < 2:
            # Nearly every chunk is a piece of text, or an end.
            if text := delta.get("content"):
                self._say(text, choice.get("logprobs"))
                return
            if not delta:
                return
        if text := delta.get("reasoning_content") or delta.get("reasoning"):
            self._think(text)
        for block in delta.get("thinking_blocks") or ():
            self._thinking().seal(block)
            self._close_spoken()
        if text := delta.get("content"):
            self._say(text, choice.get("logprobs"))
        if annotations := delta.get("annotations"):
            self._annotate(annotations)
        if refusal := delta.get("refusal"):
            self._refuse(refusal)
        for call in delta.get("tool_calls") or ():
            self._call(call)

    def add_texts(self, texts: Texts) -> bool:
        """Tell more of the text of an open message, unless there is none."""
        choice = texts.chunk["choices"][0]
        if self._message is None or choice["index"] or choice.get("logprobs"):
            return False
        if not self._message.texts(texts.strings, texts.text):
            return False
        self.characters += len(texts.text)
        self._content += len(texts.text)
        return True

    def close(self, status: str) -> None:
        """End what is open; the last of it may be `incomplete`.

        An answer that said nothing at all is a blank message.
        """
        if not self._items:
            self._speaking().say_nothing()
        last = max(self._open, default=-1)
        for index in sorted(self._open):
            item = self._open[index]
            whole = isinstance(item, StreamedCall) and item.is_whole
            ends = status if index == last or not whole else "completed"
            self._items[index] = item.close(ends)
        self._open.clear()
        self._reasoning = self._message = None

    def _say(self, text: str, logprobs: Any) -> None:
        self.characters += len(text)
        spoken = self._message or self._speaking()
        spoken.text(text, logprobs_of(logprobs) if logprobs else [])
        self._content += len(text)

    def _think(self, text: Any) -> None:
        if isinstance(text, str):
            self.characters += len(text)
            self._thinking().text(text)

    def _annotate(self, annotations: Any) -> None:
        if self._message is not None:
            self._message.annotate(annotations_of(annotations, self._before))

    def _refuse(self, text: str) -> None:
        self.refused = True
        self.characters += len(text)
        if self._is_codex:
            # It loses a whole message over a part that it does not know.
            self._speaking().text(text, [])
        else:
            self._speaking().refusal(text)

    def _call(self, delta: JSON) -> None:
        index, function = delta["index"], delta.get("function") or {}
        if index not in self._calls:
            self._calls[index] = self._begin_call(delta, function.get("name") or "")
        arguments = function.get("arguments") or ""
        self.characters += len(arguments)
        self._calls[index].arguments(arguments)

    def _begin_call(self, delta: JSON, name: str) -> StreamedCall:
        offered = offered_as(name, self._kinds)
        id, index = self._next(PREFIXES[offered.kind])
        call = StreamedCall(self._frames, id, index, offered, delta.get("id") or "")
        self._open[index] = call
        return call

    def _speaking(self) -> StreamedMessage:
        if self._message is None:
            id, index = self._next("msg")
            self._before = self._content
            self._message = StreamedMessage(self._frames, id, index)
            self._open[index] = self._message
        return self._message

    def _thinking(self) -> StreamedReasoning:
        if self._reasoning is None:
            id, index = self._next("rs")
            self._reasoning = StreamedReasoning(self._frames, id, index)
            self._open[index] = self._reasoning
        return self._reasoning

    def _next(self, prefix: str) -> tuple[str, int]:
        """End what the next item ends; return the id and the place of that."""
        self._close_spoken()
        for index, item in list(self._open.items()):
            if isinstance(item, StreamedCall) and item.is_whole:
                self._end(index)
        self._items.append(None)
        return self._ids.take(prefix), len(self._items) - 1

    def _close_spoken(self) -> None:
        """End the message or the reasoning that is open."""
        for index, item in list(self._open.items()):
            if item is self._message or item is self._reasoning:
                self._end(index)
        self._reasoning = self._message = None

    def _end(self, index: int) -> None:
        self._items[index] = self._open.pop(index).close("completed")
