"""Ollama's answers: one JSON object, or one per line.

https://docs.ollama.com/api/chat and https://docs.ollama.com/api/streaming
"""

from collections.abc import Mapping
from typing import Any

from gateway.errors import GatewayError
from gateway.hub.answers import chunks, reply_rules
from gateway.hub.answers.calls.ids import CallIds
from gateway.hub.answers.calls.whole import with_regular_calls
from gateway.hub.answers.chunks import count
from gateway.hub.answers.finish_reasons import FinishReasons
from gateway.hub.answers.writer import AnswerWriter
from gateway.hub.errors import upstream_errors
from gateway.hub.errors.upstream_errors import no_answer
from gateway.hub.protocol import JSON, Reply
from gateway.translators.ollama.errors import WORDS
from gateway.wire.bounds import EventTooLarge
from gateway.wire.jsontext import JSONError, decode
from gateway.wire.mending import Mender, decode_mended
from gateway.wire.ndjson import NDJSONDecoder

# It says "stop" where it called a tool, too.
FINISH_REASONS = FinishReasons({"length": "length"})

_TORN = object()
"""Stands for a line that is cut within a character, or follows one that was."""

_TOO_LARGE = b"too large"
"""Stands where a line was that outgrew its bound."""


def parse_response(payload: JSON, headers: Mapping[str, str], reply: Reply) -> JSON:
    """Return the whole answer; raises a 502 where `payload` is none."""
    if not isinstance(payload, dict):
        raise no_answer("is not a JSON object")
    if payload.get("error"):
        raise upstream_errors.instead_of_answer(payload, WORDS)
    message = payload.get("message")
    if not isinstance(message, dict):
        raise no_answer("holds no message")
    ids = CallIds(reply)
    calls = [
        chunks.tool_call(ids.take(id), name, arguments)
        for id, name, arguments in _calls(message, reply)
    ]
    native = _native(payload)
    completion = chunks.completion(
        reply,
        chunks.message(
            reply,
            content=_text(message, "content") or (None if calls else ""),
            reasoning=_text(message, "thinking"),
            tool_calls=calls,
        ),
        FINISH_REASONS.finish_reason(native, has_calls=bool(calls)),
        _usage(payload),
        native=native,
        logprobs=_logprobs(payload),
    )
    return reply_rules.whole(completion, reply)


class LineReader:
    """Reads one stream of lines; a `ByteReader`."""

    def __init__(self, reply: Reply, writer: AnswerWriter) -> None:
        self._reply = reply
        self._writer = writer
        self._decoder = NDJSONDecoder(reply.largest)
        self._mender = Mender()
        self._ids = CallIds(reply)

    def feed(self, data: bytes) -> None:
        """Take in what arrived."""
        try:
            lines = self._decoder.feed(data)
        except EventTooLarge as oversize:
            lines = [*oversize.events, _TOO_LARGE]
        self._read(lines)

    def close(self) -> None:
        """End of input: the last line must have come."""
        for line in self._decoder.close():
            try:
                decode_mended(line)
            except JSONError:
                if line.startswith(b"{"):
                    raise upstream_errors.truncated() from None
            self._read([line])
        self._read([mended for mended, _ in self._mender.rest()])
        if not self._writer.state.done:
            raise upstream_errors.truncated()

    def _read(self, lines: list[bytes]) -> None:
        state = self._writer.state
        for line in lines:
            try:
                event = decode(line) if self._mender.held is None else _TORN
            except JSONError:
                event = _TORN
            if event is _TORN:
                self._read_mended(line)
                if state.done:
                    return
                continue
            if not isinstance(event, dict):
                raise no_answer("has a line that is no object")
            if event.get("error"):
                raise upstream_errors.from_object(event, WORDS)
            message = event.get("message")
            if isinstance(message, dict):
                self._read_message(message, event)
            if event.get("done") is True:
                self._finish(event)
            if state.done:
                return

    def _read_mended(self, line: bytes) -> None:
        """Read a line that is cut within a character, or follows one that was."""
        try:
            lines = self._mender.mend(line)
        except JSONError:
            raise _unreadable(line) from None
        held, self._mender.held = self._mender.held, None
        self._read([mended for mended, _ in lines])
        self._mender.held = self._mender.held or held

    def _read_message(self, message: JSON, event: JSON) -> None:
        writer = self._writer
        writer.role()
        if "thinking" in message:
            writer.reasoning(_text(message, "thinking"))
        logprobs = _logprobs(event) if "logprobs" in event else None
        writer.text(_text(message, "content"), logprobs)
        if "tool_calls" in message:
            for id, name, arguments in _calls(message, self._reply):
                # The upstream's own index is 0 for every call on some servers.
                writer.tool_start(self._ids.take(id), name, arguments)

    def _finish(self, event: JSON) -> None:
        self._writer.state.usage = _usage(event)
        self._writer.stop(_native(event))
        self._writer.finish()


def _unreadable(line: bytes) -> GatewayError:
    if line is _TOO_LARGE:
        return no_answer("has an oversized line")
    return no_answer("has a line without JSON")


def _native(event: JSON) -> str | None:
    reason = event.get("done_reason")
    return reason if isinstance(reason, str) else None


def _usage(event: JSON) -> JSON:
    """Return the counts; the prompt's is left out where it was cached whole."""
    return chunks.usage(
        count(event.get("prompt_eval_count")), count(event.get("eval_count"))
    )


def _text(message: JSON, field: str) -> str:
    value = message.get(field)
    return value if isinstance(value, str) else ""


def _calls(message: JSON, reply: Reply) -> list[tuple[str, str, str]]:
    """Return id, name and arguments of the calls, which come as an object.

    Raises `GatewayError` (502) for arguments of a call that has no name.
    """
    found = message.get("tool_calls")
    told = [
        {"id": call.get("id"), "function": call["function"]}
        for call in (found if isinstance(found, list) else ())
        if isinstance(call, dict) and isinstance(call.get("function"), dict)
    ]
    calls = with_regular_calls({"tool_calls": told}, reply)["tool_calls"]
    return [
        (call["id"], function["name"], function["arguments"])
        for call in calls
        for function in [call["function"]]
    ]


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
