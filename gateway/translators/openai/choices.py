"""Choices of answers, made regular where compatible servers are not.

https://platform.openai.com/docs/api-reference/chat/streaming
"""

from typing import Any

from gateway.hub.errors import upstream_errors
from gateway.hub.protocol import JSON, Reply
from gateway.translators.openai.errors import WORDS
from gateway.translators.openai.parts import with_plain_content
from gateway.translators.openai.tool_indexes import ToolIndexes

_REASONING = (("reasoning_content", "reasoning"), ("reasoning", "reasoning_content"))

_FINISH_REASONS = {
    "end_turn": "stop",
    "eos": "stop",
    "eos_token": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "max_length": "length",
    "model_length": "length",
    "tool_use": "tool_calls",
}
"""Words of compatible servers that OpenAI's clients do not know."""


def with_both_names(message: JSON) -> JSON:
    """Return a message or delta with its reasoning under both names that servers use.

    DeepSeek, vLLM and others say `reasoning_content`, OpenRouter and Groq `reasoning`.
    """
    for name, other in _REASONING:
        if isinstance(text := message.get(name), str) and not message.get(other):
            return {**message, other: text}
    return message


def put_finish_reason(choice: JSON) -> None:
    """Give a choice the reason to end in OpenAI's words; None where it does not end."""
    reason = choice.get("finish_reason")
    if not reason and isinstance(details := choice.get("finish_details"), dict):
        # How the first vision models told it.
        reason = details.get("type")
    if not isinstance(reason, str):
        reason = None
    elif reason in _FINISH_REASONS:
        choice.setdefault("native_finish_reason", reason)
        reason = _FINISH_REASONS[reason]
    choice["finish_reason"] = reason or None


class StreamedChoices:
    """The choices of one stream: each tells the role once and ends once."""

    def __init__(self, reply: Reply) -> None:
        self.running: set[int] = set()
        self.ended: set[int] = set()
        self._alias = bool(reply.options.get("reasoning_alias"))
        self._tools: dict[int, ToolIndexes] = {}

    def read(self, choice: Any) -> bool:
        """Make a piece of a choice regular, in place; return whether it says anything.

        Raises `GatewayError` (502 unless the piece says better) where it is none.
        """
        delta = choice.get("delta") if type(choice) is dict else ""
        if delta is None:
            delta = choice["delta"] = {}
        elif type(delta) is not dict:
            raise upstream_errors.no_answer("has a chunk that is malformed")
        index = choice.get("index")
        if type(index) is not int:
            index = choice["index"] = 0
        if index in self.running or index in self.ended:
            delta.pop("role", None)
        else:
            self.running.add(index)
            if not delta.get("role"):
                delta = choice["delta"] = {**delta, "role": "assistant"}
        if type(delta.get("content")) is list:
            delta = choice["delta"] = with_plain_content(delta)
        if self._alias:
            delta = choice["delta"] = with_both_names(delta)
        if calls := delta.get("tool_calls"):
            self._number(index, calls)
        if choice.get("finish_reason") is None and "finish_details" not in choice:
            return index in self.running or any(delta.values())
        return self._end(index, choice) or any(delta.values())

    def _end(self, index: int, choice: JSON) -> bool:
        """Note that a choice ended; return whether this is news."""
        if choice.get("error"):
            raise upstream_errors.from_object(choice["error"], WORDS)
        put_finish_reason(choice)
        if choice["finish_reason"] is None:
            return index in self.running
        if index in self.ended:
            choice["finish_reason"] = None
            return False
        self.running.discard(index)
        self.ended.add(index)
        return True

    def _number(self, index: int, calls: Any) -> None:
        if type(calls) is not list:
            return
        tools = self._tools.setdefault(index, ToolIndexes())
        for call in calls:
            if type(call) is dict:
                tools.number(call)
