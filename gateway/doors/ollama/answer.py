"""Answers as Ollama gives them: one object, or one a line.

https://docs.ollama.com/api/streaming
"""

from datetime import UTC, datetime
from typing import Any

from gateway.doors.protocol import JSON
from gateway.errors import GatewayError
from gateway.wire.jsontext import JSONError, decode, encode

KEEP_ALIVE = b"\n"

_REASONS = {"length": "length"}
"""Why it ended, in its words; everything else is `stop`, calls included."""


def message_of(completion: JSON, model: str) -> JSON:
    """Return a whole `chat.completion` as one object."""
    choice = completion["choices"][0]
    message = choice["message"]
    said: JSON = {"role": "assistant", "content": message.get("content") or ""}
    if thinking := _thinking(message):
        said["thinking"] = thinking
    if calls := message.get("tool_calls"):
        said["tool_calls"] = [_call(each["function"]) for each in calls]
    if message.get("refusal"):
        said["content"] = said["content"] or message["refusal"]
    end = _end(choice.get("finish_reason"), completion.get("usage"))
    return {**head(completion, model), "message": said, **end}


class Lines:
    """One streamed answer. Calls are said whole, when they are."""

    media_type = "application/x-ndjson"

    def __init__(self, model: str) -> None:
        self._model = model
        self._last: JSON = {}
        self._calls: dict[int, JSON] = {}
        self._reason: str | None = None
        self._usage: JSON | None = None

    def keep_alive(self, silent_for: float) -> bytes:
        """Return a blank line, which readers of lines pass over."""
        return KEEP_ALIVE

    def render(self, chunks: list[JSON]) -> bytes:
        """Return a line for each piece of text."""
        return b"".join(map(self._render, chunks))

    def end(self) -> bytes:
        """Return the calls, and the line that says why it ended and what it took."""
        lines = b""
        if self._calls:
            calls = [_call(self._calls[index]) for index in sorted(self._calls)]
            lines = self._line({"tool_calls": calls})
        said = {"role": "assistant", "content": ""}
        end = _end(self._reason, self._usage)
        return lines + _written({**self._head(), "message": said, **end})

    def fail(self, error: GatewayError) -> bytes:
        """Return the line by which a started stream tells that it failed."""
        return _written({"error": error.message})

    def _render(self, chunk: JSON) -> bytes:
        self._last = chunk
        self._usage = chunk.get("usage") or self._usage
        for choice in chunk["choices"]:
            if choice.get("index"):
                continue
            self._reason = choice.get("finish_reason") or self._reason
            delta = choice.get("delta") or {}
            for piece in delta.get("tool_calls") or ():
                self._collect(piece)
            pieces = {
                "content": delta.get("content") or delta.get("refusal"),
                "thinking": _thinking(delta),
            }
            said = {name: text for name, text in pieces.items() if text}
            if said:
                return self._line(said)
        return b""

    def _collect(self, piece: JSON) -> None:
        call = self._calls.setdefault(piece["index"], {"name": "", "arguments": ""})
        function = piece.get("function") or {}
        call["name"] = function.get("name") or call["name"]
        call["arguments"] += function.get("arguments") or ""

    def _line(self, said: JSON) -> bytes:
        message = {"role": "assistant", "content": "", **said}
        return _written({**self._head(), "message": message, "done": False})

    def _head(self) -> JSON:
        return head(self._last, self._model)


def head(told: JSON, model: str) -> JSON:
    """Return how each object of an answer begins; `told` may say when it was made."""
    moment = datetime.fromtimestamp(told.get("created") or 0, UTC)
    return {"model": model, "created_at": moment.isoformat().replace("+00:00", "Z")}


def _thinking(said: JSON) -> Any:
    """Return what was thought, by either of its names in OpenAI's format."""
    return said.get("reasoning_content") or said.get("reasoning")


def _call(function: JSON) -> JSON:
    return {"function": {"name": function["name"], "arguments": _arguments(function)}}


def _arguments(function: JSON) -> Any:
    """Return the arguments as the object that they are; as text where they are none."""
    text = function.get("arguments") or "{}"
    try:
        return decode(text)
    except JSONError:
        return {"arguments": text}


def _end(reason: str | None, usage: Any) -> JSON:
    counts = usage if isinstance(usage, dict) else {}
    # Times are the server's own business; clients divide by them, so none is zero.
    return {
        "done": True,
        "done_reason": _REASONS.get(reason or "", "stop"),
        "total_duration": 1,
        "load_duration": 1,
        "prompt_eval_count": counts.get("prompt_tokens") or 0,
        "prompt_eval_duration": 1,
        "eval_count": counts.get("completion_tokens") or 0,
        "eval_duration": 1,
    }


def _written(line: JSON) -> bytes:
    return encode(line) + b"\n"
