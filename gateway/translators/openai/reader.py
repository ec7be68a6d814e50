"""The events of OpenAI's streams, made regular where compatible servers are not.

https://platform.openai.com/docs/api-reference/chat/streaming
"""

from typing import Any

from gateway.errors import GatewayError
from gateway.hub.answers.calls.whole import id_text
from gateway.hub.answers.chunks import regular_usage, whole_number
from gateway.hub.answers.state import StreamState
from gateway.hub.errors import upstream_errors
from gateway.hub.protocol import JSON, Reply
from gateway.translators.openai.endings import HeldEndings
from gateway.translators.openai.errors import WORDS
from gateway.translators.openai.streamed_choices import StreamedChoices
from gateway.wire.jsontext import JSONError, decode, encode
from gateway.wire.mending import Mender, decode_mended
from gateway.wire.sse import Event

_DONE = b"[DONE]"
_MOST_TEXT = 2000

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
        self._endings = HeldEndings()
        self.mender = Mender()
        self._text = b""
        """What came that was no chunk: a server's words, should no answer come."""
        self._usage_chunk: JSON | None = None

    def read(self, events: list[Event], out: list[JSON]) -> None:
        """Append the chunks for `events`; raises `GatewayError` where they fail."""
        for data, name in events:
            if self.mender.held is not None:
                self._read_mended(data, name, out)
                if self._state.done:
                    return
                continue
            if data == _DONE:
                self._finish(out)
                return
            try:
                chunk = decode(data)
            except JSONError:
                self._read_text(data, name, out)
                if self._state.done:
                    return
                continue
            if name == "error" or type(chunk) is not dict or chunk.get("error"):
                self._read_odd(chunk, name)
            elif type(chunk.get("choices")) is list:
                self._read_chunk(chunk, out)
            else:
                self._read_other(chunk, name)

    def close(self, rest: list[Event], foreign: bytes, out: list[JSON]) -> None:
        """End of input: append the last chunks, or raise `GatewayError`.

        `rest` is what lacked its blank line, `foreign` what came instead of events.
        """
        for event in rest:
            if not _is_whole(event.data):
                raise upstream_errors.truncated()
        self.read(rest, out)
        self.read([Event(*event) for event in self.mender.rest()], out)
        if self._state.done:
            return
        if self.choices.ended and not self.choices.running:
            # Some servers leave [DONE] out; the choices are complete all the same.
            self._finish(out)
        else:
            raise upstream_errors.unfinished(foreign, WORDS)

    def read_whole(self, raw: bytes, out: list[JSON]) -> None:
        """Append the chunks for an answer that did not come as a stream.

        Raises `GatewayError` where it is none.
        """
        try:
            answer = decode_mended(raw)
        except JSONError:
            self._read_lines(raw, out)
            return
        if isinstance(answer, dict) and isinstance(answer.get("choices"), list):
            for choice in answer["choices"]:
                if isinstance(choice, dict) and isinstance(choice.get("message"), dict):
                    # Perplexity sends an empty delta beside what is said.
                    choice.pop("delta", None)
            self.read([Event(encode(answer)), Event(_DONE)], out)
        else:
            raise upstream_errors.unfinished(raw, WORDS)

    def _read_lines(self, raw: bytes, out: list[JSON]) -> None:
        """Append the chunks for lines of JSON; the last one may have been cut off."""
        lines = [line for line in raw.splitlines() if line.strip()]
        if len(lines) < 2:
            raise upstream_errors.truncated()
        self.close([Event(line) for line in lines], b"", out)

    def _read_text(self, data: bytes, name: str, out: list[JSON]) -> None:
        """Deal with an event that is no JSON: the end, an error, a sign of life."""
        if data is TOO_LARGE.data:
            raise upstream_errors.no_answer("has an oversized event")
        bare = data.strip()
        if bare == _DONE:
            self._finish(out)
        elif name == "error":
            raise upstream_errors.from_object(bare.decode("utf-8", "replace"), WORDS)
        elif name == "message" and b"\n" in bare:
            # Divided by one line feed instead of two: each line is an event.
            self.read([Event(line) for line in bare.split(b"\n")], out)
        elif name == "message" and bare.startswith(b"{"):
            self._read_mended(data, name, out)
        elif name == "message" and len(self._text) < _MOST_TEXT:
            self._text += bare[:_MOST_TEXT]

    def _read_mended(self, data: bytes, name: str, out: list[JSON]) -> None:
        """Read an event that is cut within a character, or follows one that was."""
        events: list[tuple[bytes, str]] = []
        if not data.lstrip().startswith(b"{"):
            events = [*self.mender.rest(), (data, name)]
        else:
            try:
                events = self.mender.mend(data, name)
            except JSONError:
                raise upstream_errors.no_answer("has an event without JSON") from None
        for event in events:
            self._read_one(event, out)

    def _read_one(self, event: tuple[bytes, str], out: list[JSON]) -> None:
        held, self.mender.held = self.mender.held, None
        self.read([Event(*event)], out)
        self.mender.held = self.mender.held or held

    def _read_odd(self, found: Any, name: str) -> None:
        """Deal with JSON that is an error, or no object: a sign of life."""
        if name == "error" or isinstance(found, dict | list):
            raise upstream_errors.from_object(found, WORDS)
        if isinstance(found, str) and len(self._text) < _MOST_TEXT:
            self._text += found[:_MOST_TEXT].encode()

    def _read_other(self, found: JSON, name: str) -> None:
        """Deal with an event without choices: usage, an error, or nothing we know."""
        if (error := upstream_errors.found_in(found, WORDS)) is not None:
            raise error
        if isinstance(found.get("usage"), dict):
            self._state.usage = regular_usage(found["usage"])

    def _read_chunk(self, chunk: JSON, out: list[JSON]) -> None:
        choices = chunk["choices"]
        usage = chunk.pop("usage", None)
        if type(usage) is dict:
            self._state.usage = regular_usage(usage)
            if not choices and "moderation" not in chunk:
                self._read_usage_chunk(chunk, out)
                return
        if not self._id and not self._begin(chunk, out):
            return
        says = not choices
        had_ended = len(self.choices.ended)
        for choice in choices:
            if self.choices.read(choice):
                says = True
        if self.choices.ended:
            self._read_beside_ends(chunk, had_ended, out)
        elif says:
            out.append(self._stamped(chunk))

    def _read_beside_ends(self, chunk: JSON, had_ended: int, out: list[JSON]) -> None:
        """Append what may leave of a chunk that ends a choice, or comes after that."""
        ended, running = self.choices.ended, self.choices.running
        if len(ended) > had_ended:
            left = self._endings.hold(self._stamped(chunk), ended)
        elif any(choice["index"] in running for choice in chunk["choices"]):
            # Ends need not wait for what other choices have to say.
            out += self._endings.release()
            left = [self._stamped(chunk)]
        elif self._endings:
            left = self._endings.add(self._stamped(chunk))
        else:
            left = [self._stamped(chunk)]
            for choice in chunk["choices"]:
                choice["finish_reason"] = None
        out += [each for each in left if self._says_more(each)]

    def _says_more(self, chunk: JSON) -> bool:
        """Tell whether a chunk beside the ends of choices says anything."""
        for choice in chunk["choices"]:
            if choice["index"] in self.choices.running or any(choice["delta"].values()):
                return True
        return not chunk["choices"]

    def _read_usage_chunk(self, chunk: JSON, out: list[JSON]) -> None:
        """Keep the chunk that tells usage: nothing comes after it but the end."""
        self._usage_chunk = chunk
        if self._endings:
            if not self._include_usage:
                self._endings.add_fields(chunk)
            out += self._endings.release()

    def _begin(self, chunk: JSON, out: list[JSON]) -> bool:
        """Find the id of the stream; return whether `chunk` can leave already.

        Azure's first chunk holds filter results only and has an empty id: it waits for
        the one after it.
        """
        id = id_text(chunk.get("id"))
        if not id and not chunk["choices"]:
            self._waiting.append(chunk)
            return False
        self._id = id or self._reply.completion_id
        self._created = whole_number(chunk.get("created")) or self._reply.created
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
        """End the stream, with the usage that was held back until now.

        Raises `GatewayError` where there was no answer.
        """
        if not self.choices.running and not self.choices.ended:
            raise self._silence()
        ends = self.choices.complete()
        self._state.done = True
        out += [self._stamped(waiting) for waiting in self._waiting]
        out += self._endings.release()
        if ends:
            self._state.is_unexplained = True
            out.append(self._stamped({"choices": ends}))
        if self._include_usage and self._state.usage is not None:
            chunk = self._stamped(self._usage_chunk or {"choices": []})
            chunk["usage"] = self._state.usage
            out.append(chunk)

    def _silence(self) -> GatewayError:
        """Return the error for a stream that ended without telling anything."""
        if self._text:
            text = self._text.decode("utf-8", "replace")
            return upstream_errors.instead_of_answer(text, WORDS)
        return upstream_errors.no_answer("is an empty stream")


def _is_whole(data: bytes) -> bool:
    """Tell whether the last event, which lacked its blank line, was cut off."""
    last = data.strip().rpartition(b"\n")[2]
    try:
        decode(data if b"\n" not in data else last)
    except JSONError:
        return last == _DONE or not last.startswith((b"{", b"["))
    return True
