"""Ollama's answers: one JSON object, or one per line.

https://docs.ollama.com/api/chat and https://docs.ollama.com/api/streaming
"""

from collections.abc import Mapping
from typing import Any

from gateway.errors import GatewayError
from gateway.hub.answers import chunks, reply_rules
from gateway.hub.answers.chunks import Chunks
from gateway.hub.answers.writer import CallIds, count
from gateway.hub.errors import upstream_errors
from gateway.hub.protocol import JSON, Reply
from gateway.hub.requests.tools.arguments import dump_arguments
from gateway.translators.ollama.errors import WORDS
from gateway.wire.bounds import EventTooLarge
from gateway.wire.jsontext import JSONError, decode
from gateway.wire.ndjson import NDJSONDecoder

_CUT = "length"


def parse_response(payload: JSON, headers: Mapping[str, str], reply: Reply) -> JSON:
    """Return the whole answer; raises a 502 where `payload` is none."""
    if not isinstance(payload, dict):
        raise upstream_errors.no_answer("is not a JSON object")
    if payload.get("error"):
        raise upstream_errors.instead_of_answer(payload, WORDS)
    message = payload.get("message")
    if not isinstance(message, dict):
        raise upstream_errors.no_answer("holds no message")
    ids = CallIds(reply)
    calls = [
        chunks.tool_call(ids.take(call.get("id")), *_function(call))
        for call in _calls(message)
    ]
    native = _native(payload)
    completion = chunks.completion(
        reply,
        chunks.message(
            reply,
            content=_text(message, "content") or (None if calls else ""),
            reasoning=_thinking(message, reply),
            tool_calls=calls,
        ),
        _finish_reason(native, bool(calls)),
        _usage(payload),
        native=native,
        logprobs=_logprobs(payload),
    )
    return reply_rules.whole(completion, reply)


class LineStream:
    """One stream of lines, as chunks."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self._decoder = NDJSONDecoder()
        self._chunks = Chunks(reply)
        self._ids = CallIds(reply)
        self._begun = False
        self._calls = 0
        self.usage: JSON | None = None
        self.error: GatewayError | None = None
        self.done = False

    def feed(self, data: bytes) -> list[JSON]:
        """Return the chunks completed by `data`."""
        if self.done or self.error is not None:
            return []
        try:
            lines = self._decoder.feed(data)
        except EventTooLarge as error:
            out = self._lines(error.events)
            if not self.done and self.error is None:
                self.error = upstream_errors.no_answer("has an oversized line")
            return out
        return self._lines(lines)

    def close(self) -> list[JSON]:
        """Return the last chunks; a stream without its last line sets `error`."""
        if self.done or self.error is not None:
            return []
        out: list[JSON] = []
        for line in self._decoder.close():
            try:
                decode(line)
            except JSONError:
                if line.startswith(b"{"):
                    self.error = upstream_errors.truncated()
                    return out
            out += self._lines([line])
        if not self.done and self.error is None:
            self.error = upstream_errors.truncated()
        return out

    def _lines(self, lines: list[bytes]) -> list[JSON]:
        out: list[JSON] = []
        for line in lines:
            try:
                event = decode(line)
            except JSONError:
                self.error = upstream_errors.no_answer("has a line without JSON")
                return out
            if not isinstance(event, dict):
                self.error = upstream_errors.no_answer("has a line that is no object")
                return out
            if event.get("error"):
                self.error = upstream_errors.from_object(event, WORDS)
                return out
            self._event(event, out)
            if self.done:
                return out
        return out

    def _event(self, event: JSON, out: list[JSON]) -> None:
        message = event.get("message")
        if isinstance(message, dict):
            self._message(message, event, out)
        if event.get("done") is not True:
            return
        self._begin(out)
        native = _native(event)
        reason = _finish_reason(native, self._calls > 0)
        out.append(self._chunks.finish(reason, native=native))
        self.usage = _usage(event)
        if self._reply.include_usage:
            out.append(self._chunks.usage(self.usage))
        self.done = True

    def _message(self, message: JSON, event: JSON, out: list[JSON]) -> None:
        self._begin(out)
        if thinking := _thinking(message, self._reply):
            out.append(self._chunks.reasoning(thinking))
        logprobs = _logprobs(event)
        if (text := _text(message, "content")) or logprobs:
            chunk = self._chunks.content(text)
            if logprobs:
                chunk["choices"][0]["logprobs"] = logprobs
            out.append(chunk)
        for call in _calls(message):
            # The upstream's own index is 0 for every call on some servers.
            id = self._ids.take(call.get("id"))
            out.append(self._chunks.tool_start(self._calls, id, *_function(call)))
            self._calls += 1

    def _begin(self, out: list[JSON]) -> None:
        if not self._begun:
            self._begun = True
            out.append(self._chunks.role())


def _native(event: JSON) -> str | None:
    reason = event.get("done_reason")
    return reason if isinstance(reason, str) else None


def _finish_reason(native: str | None, called: bool) -> str:
    """Return OpenAI's word: Ollama says "stop" where it called a tool."""
    if native == _CUT:
        return "length"
    return "tool_calls" if called else "stop"


def _usage(event: JSON) -> JSON:
    """Return the counts; the prompt's is left out where it was cached whole."""
    return chunks.usage(
        count(event.get("prompt_eval_count")), count(event.get("eval_count"))
    )


def _text(message: JSON, field: str) -> str:
    value = message.get(field)
    return value if isinstance(value, str) else ""


def _thinking(message: JSON, reply: Reply) -> str:
    if reply.hides_reasoning:
        return ""
    return _text(message, "thinking")


def _calls(message: JSON) -> list[JSON]:
    calls = message.get("tool_calls")
    if not isinstance(calls, list):
        return []
    return [
        call
        for call in calls
        if isinstance(call, dict) and isinstance(call.get("function"), dict)
    ]


def _function(call: JSON) -> tuple[str, str]:
    """Return name and arguments; arguments come as an object."""
    function = call["function"]
    arguments = function.get("arguments")
    if not isinstance(arguments, str):
        arguments = dump_arguments(arguments or {})
    return _text(function, "name"), arguments


def _logprobs(event: JSON) -> JSON | None:
    """Return Ollama's flat list in OpenAI's shape, where the alternatives are a must.

    https://platform.openai.com/docs/api-reference/chat/object (logprobs)
    """
    tokens = event.get("logprobs")
    if not isinstance(tokens, list) or not tokens:
        return None
    return {
        "content": [_token(each) for each in tokens if isinstance(each, dict)],
        "refusal": None,
    }


def _token(token: JSON) -> JSON:
    alternatives: Any = token.get("top_logprobs")
    if not isinstance(alternatives, list):
        alternatives = []
    rendered = _probability(token)
    rendered["top_logprobs"] = [
        _probability(each) for each in alternatives if isinstance(each, dict)
    ]
    return rendered


def _probability(token: JSON) -> JSON:
    return {
        "token": _text(token, "token"),
        "logprob": token.get("logprob"),
        "bytes": token.get("bytes"),
    }
