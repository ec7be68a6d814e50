"""Answers of the models that speak OpenAI's format over InvokeModel.

Servers differ: a choice holds a ``delta``, a ``message`` or a ``text``, and ends with a
``finish_reason`` or a ``stop_reason``.
"""

import re
from typing import Any

from gateway.hub.answers import chunks
from gateway.hub.answers.calls.ids import CallIds
from gateway.hub.answers.calls.streamed import StreamedCalls
from gateway.hub.answers.calls.whole import with_regular_calls
from gateway.hub.answers.chunks import count
from gateway.hub.answers.writer import AnswerWriter
from gateway.hub.errors.upstream_errors import no_answer
from gateway.hub.protocol import JSON, Reply
from gateway.translators.bedrock.families.tags import TagSplitter, split
from gateway.translators.bedrock.finish_reasons import FINISH_REASONS

_is_tagged = re.compile(
    r"openai\.gpt-oss|moonshot(ai)?\.|minimax\.|qwen\..*thinking"
).match
"""Models that write their thinking into the text, between tags."""


def wire_of(base: str) -> str:
    """Return the name under which the answer's reader is found again."""
    return "oai-tagged" if _is_tagged(base) else "oai"


def parse(payload: JSON, reply: Reply, *, is_tagged: bool) -> JSON:
    """Return a whole answer; raises `GatewayError` (502) if `payload` is none."""
    choice = _first_choice(payload)
    if choice is None:
        raise no_answer("holds no choice")
    message = choice.get("message")
    message = message if isinstance(message, dict) else {"content": choice.get("text")}
    text, reasoning = _text(message.get("content")), _reasoning(message)
    if is_tagged and text:
        thought, text = split(text)
        reasoning += thought
    ids = CallIds(reply)
    called = with_regular_calls({"tool_calls": _calls(message)}, reply)["tool_calls"]
    calls = [
        chunks.tool_call(ids.take(call["id"]), function["name"], function["arguments"])
        for call in called
        for function in [call["function"]]
    ]
    native = choice.get("finish_reason") or choice.get("stop_reason")
    refusal = message.get("refusal")
    return chunks.completion(
        reply,
        chunks.message(
            reply,
            content=text if text or not calls else None,
            reasoning=reasoning,
            tool_calls=calls,
            refusal=refusal if isinstance(refusal, str) else None,
        ),
        FINISH_REASONS.finish_reason(native, has_calls=bool(calls)),
        openai_usage(payload.get("usage")),
        native=native if isinstance(native, str) else None,
        logprobs=_logprobs(choice),
    )


def _first_choice(payload: JSON) -> JSON | None:
    match payload.get("choices"):
        case [dict(choice), *_]:
            return choice
    return None


def _text(content: Any) -> str:
    if isinstance(content, list):
        return "".join(
            part["text"]
            for part in content
            if isinstance(part, dict) and isinstance(part.get("text"), str)
        )
    return content if isinstance(content, str) else ""


def _reasoning(message: JSON) -> str:
    for name in ("reasoning_content", "reasoning"):
        if isinstance(message.get(name), str):
            return str(message[name])
    return ""


def _calls(message: JSON) -> list[JSON]:
    """Return the calls that a message or delta tells, in whichever way."""
    calls = message.get("tool_calls")
    found = calls if isinstance(calls, list) else [calls]
    if isinstance(function := message.get("function_call"), dict):
        found = [{"function": function}]
    return [
        {**call, "type": "function"}
        for call in found
        if isinstance(call, dict) and isinstance(call.get("function"), dict)
    ]


def _logprobs(choice: JSON) -> JSON | None:
    logprobs = choice.get("logprobs")
    return logprobs if isinstance(logprobs, dict) else None


def openai_usage(usage: Any) -> JSON | None:
    """Return an OpenAI-shaped usage with a total of our own; None if it is none."""
    if not isinstance(usage, dict) or "prompt_tokens" not in usage:
        return None
    counted = chunks.usage(
        count(usage.get("prompt_tokens")), count(usage.get("completion_tokens"))
    )
    for name in ("prompt_tokens_details", "completion_tokens_details"):
        if isinstance(usage.get(name), dict):
            counted[name] = usage[name]
    return counted


class ChoiceReader:
    """Reads the chunks of a chat completion, tolerant of older shapes."""

    def __init__(self, reply: Reply, writer: AnswerWriter, *, is_tagged: bool) -> None:
        self._writer = writer
        self._ids = CallIds(reply)
        self._splitter = TagSplitter() if is_tagged else None
        self._calls = StreamedCalls(reply)
        self._native: Any = None

    def read(self, body: JSON) -> None:
        """Take in one chunk."""
        usage = openai_usage(body.get("usage"))
        if usage is not None:
            self._writer.state.usage = usage
        choice = _first_choice(body)
        if choice is None:
            return
        delta = choice.get("delta", choice.get("message"))
        delta = delta if isinstance(delta, dict) else {"content": choice.get("text")}
        self._writer.role()
        self._writer.reasoning(_reasoning(delta))
        self._write(_text(delta.get("content")), _logprobs(choice))
        if isinstance(delta.get("refusal"), str) and delta["refusal"]:
            self._writer.refusal(delta["refusal"])
        if calls := _calls(delta):
            self._write_calls(self._calls.read(calls))
        native = choice.get("finish_reason") or choice.get("stop_reason")
        if native is not None:
            self._native = self._native or native
            self._writer.stop(native)

    def close(self) -> None:
        """End of input; raises `GatewayError` where the answer is not complete."""
        if self._splitter is not None:
            reasoning, text = self._splitter.end()
            self._writer.reasoning(reasoning)
            self._writer.text(text)
        reason = FINISH_REASONS.finish_reason(self._native, has_calls=True)
        is_cut_off = not self._writer.is_stopped or reason != "tool_calls"
        self._write_calls(self._calls.end(is_cut_off=is_cut_off))
        self._writer.finish()

    def _write(self, text: str, logprobs: JSON | None) -> None:
        if self._splitter is not None:
            reasoning, text = self._splitter.feed(text)
            self._writer.reasoning(reasoning)
        self._writer.text(text, logprobs if text else None)

    def _write_calls(self, pieces: list[JSON]) -> None:
        for piece in pieces:
            function = piece["function"]
            arguments = function.get("arguments", "")
            if "id" in piece:
                id = self._ids.take(piece["id"])
                self._writer.tool_start(id, function["name"], arguments)
            else:
                self._writer.tool_arguments(piece["index"], arguments)
