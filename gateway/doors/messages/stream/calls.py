"""Tool calls of a streamed answer: told one after the other, whatever their pieces do.

Upstreams may mix the pieces of several calls; here a block must have ended before the
next begins.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.doors.messages.calls import client_id, input_of
from gateway.doors.messages.stream.blocks import Blocks
from gateway.doors.messages.stream.scanning import ObjectScanner
from gateway.wire.jsontext import JSON, dumps


@dataclass
class _Call:
    """One call: what it is, and the pieces that wait for its turn."""

    id: str
    given_id: Any
    name: str
    scanner: ObjectScanner = field(default_factory=ObjectScanner)
    waiting: list[str] = field(default_factory=list)


class StreamedCalls:
    """Writes the calls of one answer into its blocks.

    `names` leads from the upstream's names to the client's; with `is_single` only the
    first call counts.
    """

    def __init__(
        self, blocks: Blocks, names: Mapping[str, str], *, is_single: bool
    ) -> None:
        self._blocks = blocks
        self._names = names
        self._is_single = is_single
        self._calls: list[_Call] = []
        self._by_index: dict[Any, _Call | None] = {}
        self._open: _Call | None = None
        self._queue: list[_Call] = []
        self._seen: set[str] = set()

    @property
    def any(self) -> bool:
        """Whether the client was told of a call, or will be."""
        return bool(self._calls)

    @property
    def blocks_others(self) -> bool:
        """Whether nothing else can be told before the calls are."""
        if self._queue:
            return True
        return self._open is not None and not self._open.scanner.is_whole

    def piece(self, piece: JSON, completion_id: str) -> None:
        """Take in an entry of a delta's `tool_calls`."""
        function = piece.get("function")
        function = function if isinstance(function, dict) else {}
        call = self._call_of(piece, function, completion_id)
        if call is None:
            return
        arguments = function.get("arguments")
        if isinstance(arguments, str) and arguments:
            if call is self._open:
                self._tell(call.scanner.feed(arguments))
            else:
                call.waiting.append(arguments)

    def pause(self) -> None:
        """End a call that is complete, because something else is told now."""
        if self._open is not None:
            self._close(self._open)

    def flush(self) -> None:
        """Tell all that is left: the answer ends."""
        self.pause()
        queue, self._queue = self._queue, []
        for call in queue:
            self._start(call)
            self._close(call)

    def _call_of(self, piece: JSON, function: JSON, completion_id: str) -> _Call | None:
        """Return the call that a piece belongs to, a new one where it begins it."""
        index, id, name = piece.get("index", 0), piece.get("id"), function.get("name")
        if index in self._by_index:
            known = self._by_index[index]
            # Some servers count every call as the first.
            if known is None or not id or id == known.given_id:
                return known
        if self._is_single and self._calls:
            self._by_index[index] = None
            return None
        call = _Call(self._fresh_id(id, completion_id), id, self._name(name))
        self._by_index[index] = call
        self._calls.append(call)
        if self.blocks_others:
            self._queue.append(call)
        else:
            self.pause()
            self._start(call)
        return call

    def _fresh_id(self, id: Any, completion_id: str) -> str:
        """Return the id of a new call: two of one id could not be told apart."""
        ordinal = len(self._calls)
        fresh = client_id(id, completion_id, ordinal)
        if fresh in self._seen:
            fresh = client_id("", completion_id, ordinal)
        self._seen.add(fresh)
        return fresh

    def _name(self, name: Any) -> str:
        text = name if isinstance(name, str) else ""
        return self._names.get(text, text)

    def _start(self, call: _Call) -> None:
        self._open = call
        self._blocks.start(
            "tool_use",
            {"type": "tool_use", "id": call.id, "name": call.name, "input": {}},
        )
        self._tell("".join(map(call.scanner.feed, call.waiting)))
        call.waiting.clear()

    def _close(self, call: _Call) -> None:
        if not call.scanner.is_told:
            self._tell(dumps(input_of(call.scanner.rest)))
        self._open = None
        self._blocks.close()

    def _tell(self, text: str) -> None:
        if text:
            self._blocks.delta({"type": "input_json_delta", "partial_json": text})
