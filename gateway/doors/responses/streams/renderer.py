"""A streamed answer: the hub's chunks in, events out.

https://platform.openai.com/docs/api-reference/responses-streaming
"""

from gateway.doors.responses.answer import echo_of, head, incomplete_reason, tier_of
from gateway.doors.responses.errors import failed_error, stream_error
from gateway.doors.responses.ids import Ids
from gateway.doors.responses.reading import Reading
from gateway.doors.responses.streams.frames import DONE, Frames, opening
from gateway.doors.responses.streams.output import StreamedOutput
from gateway.doors.responses.usage import estimated_usage, usage_of
from gateway.errors import GatewayError
from gateway.hub.answers.relay import Texts
from gateway.hub.protocol import JSON
from gateway.wire import jsontext, sse

EVENT_SECONDS = 60
"""Seconds without an event after which one is sent that says nothing.

Clients wait for events, not for bytes: Codex gives up after 300 seconds of comments.
OpenAI itself sends these: https://github.com/openai/openai-node/issues/1964
"""

_CREATED, _IN_PROGRESS = opening("response.created"), opening("response.in_progress")


class ResponsesRenderer:
    """Writes one streamed answer; a `TextRenderer`."""

    media_type = "text/event-stream; charset=utf-8"

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._frames = Frames()
        self._ids = Ids(reading.route.completion_id)
        self._output = StreamedOutput(self._frames, self._ids, reading)
        self._echo = b""
        self._finish_reason: str | None = None
        self._usage: JSON | None = None
        self._tier = "default"
        self._silences = 0

    def render(self, chunks: list[JSON]) -> bytes:
        """Return the events for what was said; the first of them announce it.

        What an upstream sends before it says anything announces nothing: a failure may
        follow, which then has a status of its own, or another target answers.
        """
        if not chunks:
            return b""
        self._begin()
        self._silences = 0
        for chunk in chunks:
            self._note(chunk)
            for choice in chunk["choices"]:
                if not choice.get("index"):
                    self._output.add(choice)
                    self._finish_reason = (
                        choice.get("finish_reason") or self._finish_reason
                    )
        return self._frames.take()

    def render_texts(self, texts: Texts) -> bytes | None:
        """Return the events for more of the text that is being told."""
        if not self._output.add_texts(texts):
            return None
        self._silences = 0
        self._note(texts.chunk)
        return self._frames.take()

    def keep_alive(self, silent_for: float) -> bytes:
        """Return a comment, now and then an event; begin where nothing was said yet."""
        if not self._echo:
            self._begin()
            return self._frames.take()
        if silent_for < EVENT_SECONDS * (self._silences + 1):
            return sse.KEEP_ALIVE
        self._silences += 1
        self._frames.add("keepalive", {})
        return self._frames.take()

    @property
    def id(self) -> str:
        """The response's id."""
        return self._ids.response

    def finish(self) -> list[JSON]:
        """End the items of a complete answer; return all of them."""
        self._begin()
        self._output.close("completed" if self._why() is None else "incomplete")
        return self._output.done

    def end(self) -> bytes:
        """Return the events that end a complete answer."""
        self.finish()
        output, why = self._output, self._why()
        status = "completed" if why is None else "incomplete"
        response = head(self._ids.response, self._reading, status)
        response["incomplete_details"] = None if why is None else {"reason": why}
        response["usage"] = (
            usage_of(self._usage)
            if self._usage
            else estimated_usage(self._reading, output.characters)
        )
        self._tell(status, response)
        return self._frames.take() + DONE

    def fail(self, error: GatewayError) -> bytes:
        """Return the events that end an answer which `error` cut short."""
        self._begin()
        reading = self._reading
        self._frames.add("error", stream_error(error))
        response = head(self._ids.response, reading, "failed")
        response["error"] = failed_error(error, is_codex=reading.is_codex)
        response["usage"] = usage_of(self._usage) if self._usage else None
        self._tell("failed", response)
        return self._frames.take() + DONE

    def _note(self, chunk: JSON) -> None:
        """Note what a chunk tells of the whole answer."""
        if chunk.get("usage"):
            self._usage = chunk["usage"]
        if chunk.get("service_tier"):
            self._tier = tier_of(chunk["service_tier"])

    def _why(self) -> str | None:
        """Return why the answer is incomplete, None where it is not."""
        return incomplete_reason(self._finish_reason, refused=self._output.refused)

    def _begin(self) -> None:
        """Announce the response, unless that is done."""
        if self._echo:
            return
        self._echo = b"," + jsontext.encode(echo_of(self._reading))[1:]
        response = head(self._ids.response, self._reading, "in_progress")
        told = self._told(response)
        self._frames.add_encoded(_CREATED, told)
        self._frames.add_encoded(_IN_PROGRESS, told)

    def _tell(self, state: str, response: JSON) -> None:
        """Write an event with the whole response."""
        self._frames.add_encoded(opening(f"response.{state}"), self._told(response))

    def _told(self, response: JSON) -> bytes:
        """Return an event's fields with the response: what it repeats stands ready."""
        response["service_tier"] = self._tier
        response["output"] = self._output.done
        told = jsontext.encode(response)[:-1]
        return b"".join((b',"response":', told, self._echo, b"}"))
