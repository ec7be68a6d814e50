"""OpenAI's streams, made regular where compatible servers are not.

https://platform.openai.com/docs/api-reference/chat/streaming
"""

from typing import Any

from gateway.errors import GatewayError
from gateway.hub.answers.relay import Relayed, encoded, joined
from gateway.hub.errors import upstream_errors
from gateway.hub.protocol import JSON, Reply
from gateway.translators.openai.errors import WORDS
from gateway.translators.openai.frames import PlainFrames
from gateway.translators.openai.parts import with_plain_content
from gateway.wire.bounds import EventTooLarge
from gateway.wire.jsontext import JSONError, decode
from gateway.wire.sse import Event, SSEDecoder

_DONE = b"[DONE]"

_LESSONS = 8
"""Frames per stream that are looked at for being plain: some streams hold none."""

_REASONING = (("reasoning_content", "reasoning"), ("reasoning", "reasoning_content"))

FINISH_REASONS = {
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


class ToolIndexes:
    """Numbers the tool calls of one choice.

    Some servers leave the index out, give every call the index 0, or repeat id and name
    in each piece; clients add up pieces by index and join the strings.
    """

    def __init__(self) -> None:
        self._calls: list[JSON] = []
        self._by_upstream: dict[Any, int] = {}

    def number(self, call: JSON) -> None:
        """Give `call` its index, and take away what an earlier piece told."""
        upstream = call.get("index")
        id = call.get("id")
        known = self._by_upstream.get(upstream)
        if known is None or (id and id != self._calls[known]["id"]):
            known = self._begin(upstream, id, call)
        elif id:
            del call["id"]
            function = call.get("function")
            name = self._calls[known]["name"]
            if isinstance(function, dict) and name and function.get("name") == name:
                call["function"] = {k: function[k] for k in function if k != "name"}
        call["index"] = known

    def _begin(self, upstream: Any, id: Any, call: JSON) -> int:
        if not id and upstream is None and self._calls:
            return len(self._calls) - 1
        function = call.get("function")
        name = function.get("name") if isinstance(function, dict) else None
        if name and not call.get("type"):
            call["type"] = "function"
        self._calls.append({"id": id, "name": name})
        self._by_upstream[upstream] = len(self._calls) - 1
        return len(self._calls) - 1


class ChunkStream:
    """One stream of OpenAI chunks, under the client's model name.

    Every chunk leaves with the same id and time; the role comes once per choice, usage
    once at the end and only where the client asked for it.
    """

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self._model = reply.model
        self._include_usage = reply.include_usage
        self._alias = bool(reply.options.get("reasoning_alias"))
        self._decoder = SSEDecoder()
        self._id = ""
        self._created = 0
        self._waiting: list[JSON] = []
        self._running: set[int] = set()
        self._ended: set[int] = set()
        self._tools: dict[int, ToolIndexes] = {}
        self._usage_chunk: JSON | None = None
        self._frames: PlainFrames | None = None
        self._lessons = _LESSONS
        self.usage: JSON | None = None
        self.error: GatewayError | None = None
        self.done = False

    def feed(self, data: bytes) -> list[JSON]:
        """Return the chunks completed by `data`."""
        if self.done or self.error is not None:
            return []
        events, is_oversized = self._events(data)
        out = self._chunks(events)
        if is_oversized:
            self._fail_oversized()
        return out

    def relay(self, data: bytes) -> Relayed:
        """Return what `feed` gives for `data`, encoded; text goes a shorter way."""
        if self.done or self.error is not None:
            return Relayed(b"")
        events, is_oversized = self._events(data)
        pieces: list[Relayed] = []
        position = 0
        while position < len(events) and not self.done and self.error is None:
            plain = self._plain_run(events, position)
            found = self._frames.translate(plain) if self._frames and plain else None
            if found is not None:
                pieces.append(Relayed(*found, says=True))
                position += len(plain)
                continue
            for event in events[position : position + max(len(plain), 1)]:
                pieces.append(self._relay_event(event))
                position += 1
                if self.done or self.error is not None:
                    break
        if is_oversized:
            self._fail_oversized()
        return joined(pieces)

    def _plain_run(self, events: list[Event], start: int) -> list[bytes]:
        """Return the payloads of the plain frames from `start` on."""
        run: list[bytes] = []
        if self._frames is not None:
            holds = self._frames.holds
            for data, name in events[start:]:
                if name != "message" or not holds(data):
                    break
                run.append(data)
        return run

    def _relay_event(self, event: Event) -> Relayed:
        """Translate one event the long way, and learn of it where it is plain."""
        chunks = self._chunks([event])
        if self._ended:
            # What comes after an end may mean something else than it did before.
            self._frames = None
        elif len(chunks) == 1 and self._lessons > 0 and event.event == "message":
            self._lessons -= 1
            self._frames = PlainFrames.like(event.data, chunks[0]) or self._frames
        return encoded(chunks)

    def _events(self, data: bytes) -> tuple[list[Event], bool]:
        try:
            return self._decoder.feed(data), False
        except EventTooLarge as error:
            return error.events, True

    def _fail_oversized(self) -> None:
        if not self.done and self.error is None:
            self.error = upstream_errors.no_answer("has an oversized event")

    def close(self) -> list[JSON]:
        """Return the last chunks; a stream that did not finish sets `error`."""
        if self.done or self.error is not None:
            return []
        out: list[JSON] = []
        for event in self._decoder.close():
            if not _is_whole(event.data):
                self.error = upstream_errors.truncated()
                return out
            out += self._chunks([event])
        if self.done or self.error is not None:
            return out
        if self._ended and not self._running:
            # Some servers leave [DONE] out; the choices are complete all the same.
            self._finish(out)
        elif (whole := _as_chunk(self._decoder.foreign)) is not None:
            self._chunk(whole, out)
            if self.error is None:
                self._finish(out)
        else:
            self.error = upstream_errors.unfinished(self._decoder.foreign, WORDS)
        return out

    def _chunks(self, events: list[Event]) -> list[JSON]:
        out: list[JSON] = []
        for data, event in events:
            if data == _DONE:
                self._finish(out)
                return out
            try:
                chunk = decode(data)
            except JSONError:
                self._not_json(data, out)
            else:
                if event == "error" or type(chunk) is not dict or chunk.get("error"):
                    self.error = upstream_errors.from_object(chunk, WORDS)
                elif type(chunk.get("choices")) is list:
                    self._chunk(chunk, out)
                else:
                    self._other(chunk)
            if self.done or self.error is not None:
                return out
        return out

    def _not_json(self, data: bytes, out: list[JSON]) -> None:
        bare = data.strip()
        if bare == _DONE:
            self._finish(out)
        elif bare:
            self.error = upstream_errors.no_answer("has an event without JSON")

    def _other(self, found: JSON) -> None:
        """Deal with an event without choices: usage, an error, or nothing we know."""
        if found.get("object") == "error" or "detail" in found or "code" in found:
            self.error = upstream_errors.from_object(found, WORDS)
        elif isinstance(found.get("usage"), dict):
            self.usage = found["usage"]

    def _chunk(self, chunk: JSON, out: list[JSON]) -> None:
        choices = chunk["choices"]
        usage = chunk.pop("usage", None)
        if type(usage) is dict:
            self.usage = usage
            if not choices and "moderation" not in chunk:
                self._usage_chunk = chunk
                return
        if not self._id and not self._begin(chunk, out):
            return
        says = not choices
        for choice in choices:
            if self._choice(choice):
                says = True
            if self.error is not None:
                return
        if says:
            out.append(self._stamped(chunk))

    def _begin(self, chunk: JSON, out: list[JSON]) -> bool:
        """Find the id of the stream; return whether `chunk` can leave already.

        Azure's first chunk holds filter results only and has an empty id: it waits for
        the one after it.
        """
        id, created = chunk.get("id"), chunk.get("created")
        if not id and not chunk["choices"]:
            self._waiting.append(chunk)
            return False
        self._id = id if isinstance(id, str) and id else self._reply.completion_id
        self._created = created if type(created) is int else 0
        self._created = self._created or self._reply.created
        out += [self._stamped(waiting) for waiting in self._waiting]
        self._waiting = []
        return True

    def _stamped(self, chunk: JSON) -> JSON:
        chunk["id"] = self._id
        chunk["object"] = "chat.completion.chunk"
        chunk["created"] = self._created
        chunk["model"] = self._model
        if self._include_usage:
            chunk["usage"] = None
        return chunk

    def _choice(self, choice: Any) -> bool:
        """Make one choice regular; return whether it says anything."""
        delta = choice.get("delta") if type(choice) is dict else ""
        if delta is None:
            delta = choice["delta"] = {}
        elif type(delta) is not dict:
            self.error = upstream_errors.no_answer("has a chunk that is malformed")
            return False
        index = choice.get("index")
        if type(index) is not int:
            index = choice["index"] = 0
        if index in self._running or index in self._ended:
            delta.pop("role", None)
        else:
            self._running.add(index)
            if not delta.get("role"):
                delta = choice["delta"] = {**delta, "role": "assistant"}
        if type(delta.get("content")) is list:
            delta = choice["delta"] = with_plain_content(delta)
        if self._alias:
            delta = choice["delta"] = with_both_names(delta)
        if calls := delta.get("tool_calls"):
            self._number(index, calls)
        reason = choice.get("finish_reason")
        if reason is None and "finish_details" not in choice:
            return index in self._running or any(delta.values())
        return self._end(index, choice, reason) or any(delta.values())

    def _end(self, index: int, choice: JSON, reason: Any) -> bool:
        """Note that a choice ended; return whether this is news."""
        if not reason and isinstance(details := choice.get("finish_details"), dict):
            # How the first vision models told it.
            reason = details.get("type")
        if choice.get("error"):
            self.error = upstream_errors.from_object(choice["error"], WORDS)
        if not isinstance(reason, str) or not reason:
            choice["finish_reason"] = None
            return index in self._running
        if reason in FINISH_REASONS:
            choice.setdefault("native_finish_reason", reason)
        choice["finish_reason"] = FINISH_REASONS.get(reason, reason)
        if index in self._ended:
            choice["finish_reason"] = None
            return False
        self._running.discard(index)
        self._ended.add(index)
        return True

    def _number(self, index: int, calls: Any) -> None:
        if type(calls) is not list:
            return
        tools = self._tools.setdefault(index, ToolIndexes())
        for call in calls:
            if type(call) is dict:
                tools.number(call)

    def _finish(self, out: list[JSON]) -> None:
        """End the stream, with the usage that was held back until now."""
        self.done = True
        self._id = self._id or self._reply.completion_id
        self._created = self._created or self._reply.created
        out += [self._stamped(waiting) for waiting in self._waiting]
        if self._include_usage and self.usage is not None:
            chunk = self._stamped(self._usage_chunk or {"choices": []})
            chunk["usage"] = self.usage
            out.append(chunk)


def _as_chunk(foreign: bytes) -> JSON | None:
    """Return the answer of a server that ignored `stream`, as the one chunk it is."""
    try:
        answer = decode(foreign)
    except JSONError:
        return None
    if not isinstance(answer, dict) or not isinstance(answer.get("choices"), list):
        return None
    choices = []
    for choice in answer["choices"]:
        if not isinstance(choice, dict) or not isinstance(choice.get("message"), dict):
            return None
        delta = choice["message"]
        kept = {key: choice[key] for key in choice if key != "message"}
        choices.append({**kept, "delta": delta})
    return {**answer, "choices": choices} if choices else None


def _is_whole(data: bytes) -> bool:
    """Tell whether the last event, which lacked its blank line, was cut off."""
    try:
        decode(data)
    except JSONError:
        return data.strip() in (b"", _DONE)
    return True
