"""The events of OpenAI's streams, made regular where compatible servers are not.

https://platform.openai.com/docs/api-reference/chat/streaming
"""

from gateway.hub.answers.state import StreamState
from gateway.hub.errors import upstream_errors
from gateway.hub.protocol import JSON, Reply
from gateway.translators.openai.choices import StreamedChoices
from gateway.translators.openai.errors import WORDS
from gateway.wire.jsontext import JSONError, decode
from gateway.wire.sse import Event

_DONE = b"[DONE]"

TOO_LARGE = Event(b"too large")
"""Stands where an event was that outgrew its bound."""


class ChunkReader:
    """Reads the events of one stream into chunks, under the client's model name.

    Every chunk leaves with the same id and time; the role comes once per choice, usage
    once at the end and only where the client asked for it.
    """

    def __init__(self, reply: Reply, state: StreamState) -> None:
        self.choices = StreamedChoices(reply)
        self._reply = reply
        self._model = reply.model
        self._include_usage = reply.include_usage
        self._state = state
        self._id = ""
        self._created = 0
        self._waiting: list[JSON] = []
        self._usage_chunk: JSON | None = None

    def read(self, events: list[Event], out: list[JSON]) -> None:
        """Append the chunks for `events`; raises `GatewayError` where they fail."""
        for data, name in events:
            if data == _DONE:
                self._finish(out)
                return
            try:
                chunk = decode(data)
            except JSONError:
                self._read_text(data, out)
                if self._state.done:
                    return
                continue
            if name == "error" or type(chunk) is not dict or chunk.get("error"):
                raise upstream_errors.from_object(chunk, WORDS)
            if type(chunk.get("choices")) is list:
                self._read_chunk(chunk, out)
            else:
                self._read_other(chunk)

    def close(self, rest: list[Event], foreign: bytes, out: list[JSON]) -> None:
        """End of input: append the last chunks, or raise `GatewayError`.

        `rest` is what lacked its blank line, `foreign` what came instead of events.
        """
        for event in rest:
            if not _is_whole(event.data):
                raise upstream_errors.truncated()
        self.read(rest, out)
        if self._state.done:
            return
        if self.choices.ended and not self.choices.running:
            # Some servers leave [DONE] out; the choices are complete all the same.
            self._finish(out)
        elif (whole := _as_chunk(foreign)) is not None:
            self._read_chunk(whole, out)
            self._finish(out)
        else:
            raise upstream_errors.unfinished(foreign, WORDS)

    def _read_text(self, data: bytes, out: list[JSON]) -> None:
        if data is TOO_LARGE.data:
            raise upstream_errors.no_answer("has an oversized event")
        bare = data.strip()
        if bare == _DONE:
            self._finish(out)
        elif bare:
            raise upstream_errors.no_answer("has an event without JSON")

    def _read_other(self, found: JSON) -> None:
        """Deal with an event without choices: usage, an error, or nothing we know."""
        if (error := upstream_errors.found_in(found, WORDS)) is not None:
            raise error
        if isinstance(found.get("usage"), dict):
            self._state.usage = found["usage"]

    def _read_chunk(self, chunk: JSON, out: list[JSON]) -> None:
        choices = chunk["choices"]
        usage = chunk.pop("usage", None)
        if type(usage) is dict:
            self._state.usage = usage
            if not choices and "moderation" not in chunk:
                self._usage_chunk = chunk
                return
        if not self._id and not self._begin(chunk, out):
            return
        says = not choices
        for choice in choices:
            if self.choices.read(choice):
                says = True
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

    def _finish(self, out: list[JSON]) -> None:
        """End the stream, with the usage that was held back until now."""
        self._state.done = True
        self._id = self._id or self._reply.completion_id
        self._created = self._created or self._reply.created
        out += [self._stamped(waiting) for waiting in self._waiting]
        if self._include_usage and self._state.usage is not None:
            chunk = self._stamped(self._usage_chunk or {"choices": []})
            chunk["usage"] = self._state.usage
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
