"""ConverseStream's events said as Claude's.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html

A block of text or thinking has no event at its beginning there, and the counts come
behind the reason to stop.
"""

from typing import Any

from gateway.hub.errors.upstream_errors import truncated
from gateway.hub.protocol import JSON, Reply
from gateway.translators.bedrock.converse.to_claude import (
    citation_of,
    ending,
    head,
    usage_of,
)

_TEXT: JSON = {"type": "text", "text": ""}
_THINKING: JSON = {"type": "thinking", "thinking": "", "signature": ""}


class ClaudeEvents:
    """One message: Converse's events in, Claude's out.

    `estimate` is about how many tokens were asked with, which is told before the counts
    are known.
    """

    def __init__(self, reply: Reply, estimate: int = 0) -> None:
        self._reply = reply
        self._estimate = estimate
        self._has_begun = False
        self._place: int | None = None
        """Converse's index of the block that is open."""
        self._index = -1
        self._signature = ""
        self._ending: JSON | None = None
        self._usage: JSON | None = None
        self._out: list[JSON] = []

    def read(self, name: str, payload: JSON) -> list[JSON]:
        """Return the events that one of Converse's comes to; unknown ones say nothing.

        Raises `GatewayError` (502) where the model's output is garbled.
        """
        match name:  # the most frequent comes first
            case "contentBlockDelta":
                self._read_delta(payload)
            case "contentBlockStart":
                self._read_start(payload)
            case "contentBlockStop":
                self._close()
            case "messageStart":
                self._begin()
            case "messageStop":
                self._close()
                self._ending = ending(payload)
            case "metadata":
                usage = payload.get("usage")
                self._usage = usage if isinstance(usage, dict) else {}
        if self._usage is not None and self._ending is not None:
            self._end()
        return self._taken()

    def close(self) -> list[JSON]:
        """End of input: return the end; raises a 502 where there is none yet."""
        if self._ending is None:
            raise truncated()
        self._end()
        return self._taken()

    def _taken(self) -> list[JSON]:
        out, self._out = self._out, []
        return out

    def _begin(self) -> None:
        if self._has_begun:
            return
        self._has_begun = True
        usage = usage_of({"inputTokens": self._estimate})
        why = {"stop_reason": None, "stop_sequence": None}
        message = {**head(self._reply), "content": [], **why, "usage": usage}
        self._out += [{"type": "message_start", "message": message}, {"type": "ping"}]

    def _end(self) -> None:
        self._begin()
        told = self._ending or {}
        usage = usage_of(self._usage or {})
        self._out.append({"type": "message_delta", "delta": told, "usage": usage})
        self._out.append({"type": "message_stop"})
        self._ending = self._usage = None

    def _open(self, place: int, block: JSON) -> None:
        """Begin a block, which ends the one before."""
        self._close()
        self._begin()
        self._place = place
        self._index += 1
        self._out.append(
            {
                "type": "content_block_start",
                "index": self._index,
                "content_block": dict(block),
            }
        )

    def _close(self) -> None:
        if self._place is None:
            return
        if self._signature:
            self._say({"type": "signature_delta", "signature": self._signature})
        self._out.append({"type": "content_block_stop", "index": self._index})
        self._place, self._signature = None, ""

    def _say(self, delta: JSON) -> None:
        self._out.append(
            {"type": "content_block_delta", "index": self._index, "delta": delta}
        )

    def _read_start(self, payload: JSON) -> None:
        match payload.get("start"):
            case {"toolUse": {"name": str(name), "toolUseId": str(id)}}:
                block = {"type": "tool_use", "id": id, "name": name, "input": {}}
                self._open(_place_of(payload), block)

    def _read_delta(self, payload: JSON) -> None:
        place = _place_of(payload)
        match payload.get("delta"):
            case {"text": str(text)}:
                self._within(place, _TEXT)
                self._say({"type": "text_delta", "text": text})
            case {"toolUse": {"input": str(piece)}} if self._place == place:
                self._say({"type": "input_json_delta", "partial_json": piece})
            case {"reasoningContent": dict(reasoning)}:
                self._read_reasoning(place, reasoning)
            case {"citation": dict(citation)}:
                told = citation_of(citation)
                if told is not None:
                    self._within(place, _TEXT)
                    self._say({"type": "citations_delta", "citation": told})

    def _read_reasoning(self, place: int, reasoning: JSON) -> None:
        match reasoning:
            case {"redactedContent": str(data)}:
                self._open(place, {"type": "redacted_thinking", "data": data})
            case {"text": str(text)}:
                self._within(place, _THINKING)
                self._say({"type": "thinking_delta", "thinking": text})
            case {"signature": str(signature)}:
                self._within(place, _THINKING)
                self._signature += signature

    def _within(self, place: int, block: JSON) -> None:
        if self._place != place:
            self._open(place, block)


def _place_of(payload: JSON) -> int:
    place: Any = payload.get("contentBlockIndex")
    return place if isinstance(place, int) else 0
