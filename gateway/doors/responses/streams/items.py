"""The items of a streamed answer: announced, told piece by piece, told whole."""

from typing import Any, Protocol

from gateway.doors.responses.calls import call_item
from gateway.doors.responses.custom_input import CustomInput
from gateway.doors.responses.output import (
    message_item,
    reasoning_item,
    refusal_part,
    summary_part,
    text_part,
)
from gateway.doors.responses.request.offer import Offered
from gateway.doors.responses.streams.frames import Frames, opening
from gateway.hub.protocol import JSON
from gateway.wire import jsontext
from gateway.wire.unread import Unread

_TEXT_DELTA = opening("response.output_text.delta")
_ARGUMENTS_DELTA = opening("response.function_call_arguments.delta")


class StreamedItem(Protocol):
    """One item on its way."""

    def close(self, status: str) -> JSON:
        """End it and return it whole."""
        ...


class _Place:
    """Where an item stands, which each of its events tells."""

    def __init__(self, frames: Frames, id: str, index: int) -> None:
        self.frames = frames
        self.id = id
        self.index = index

    def begin(self, item: JSON) -> None:
        self.frames.add(
            "response.output_item.added", {"output_index": self.index, "item": item}
        )

    def say(self, type: str, **fields: Any) -> None:
        said = {"item_id": self.id, "output_index": self.index, **fields}
        self.frames.add(f"response.{type}", said)

    def end(self, item: JSON) -> JSON:
        self.frames.add(
            "response.output_item.done", {"output_index": self.index, "item": item}
        )
        return item

    def before(self, **fields: Any) -> bytes:
        """Return the encoded fields of a delta up to the delta itself."""
        said = {"item_id": self.id, "output_index": self.index, **fields}
        return b"," + jsontext.encode(said)[1:-1] + b',"delta":'


class StreamedReasoning:
    """What is thought, whether in the open or in a block that comes at its end."""

    def __init__(self, frames: Frames, id: str, index: int) -> None:
        self._place = _Place(frames, id, index)
        self._texts: list[str] = []
        self._block: JSON | None = None
        item = {"type": "reasoning", "id": id, "summary": [], "status": "in_progress"}
        self._place.begin(item)

    def text(self, text: str) -> None:
        """Tell a piece of it."""
        if not self._texts:
            part = summary_part("")
            self._place.say("reasoning_summary_part.added", summary_index=0, part=part)
        self._texts.append(text)
        self._place.say("reasoning_summary_text.delta", summary_index=0, delta=text)

    def seal(self, block: JSON) -> None:
        """Take the block that holds it."""
        self._block = block
        if not self._texts and (text := block.get("thinking")):
            self.text(text)

    def close(self, status: str) -> JSON:
        """End it; a block is whole whatever becomes of the answer."""
        text, say = "".join(self._texts), self._place.say
        if self._texts:
            say("reasoning_summary_text.done", summary_index=0, text=text)
            part = summary_part(text)
            say("reasoning_summary_part.done", summary_index=0, part=part)
        if self._block:
            status = "completed"
        return self._place.end(
            reasoning_item(self._place.id, text, status, self._block)
        )


class StreamedMessage:
    """A message: text, then perhaps a refusal."""

    def __init__(self, frames: Frames, id: str, index: int) -> None:
        self._place = _Place(frames, id, index)
        self._parts: list[JSON] = []
        self._kind = ""
        self._texts: list[str] = []
        self._annotations: list[JSON] = []
        self._logprobs: list[JSON] = []
        self._before = b""
        self._place.begin(message_item(id, [], "in_progress"))

    def text(self, text: str, logprobs: list[JSON]) -> None:
        """Tell a piece of text."""
        if self._kind != "text":
            self._begin_part("text", text_part("", [], []))
        self._texts.append(text)
        if logprobs:
            self._logprobs += logprobs
        told = b'%b%b,"logprobs":%b}' % (
            self._before,
            jsontext.encode(text),
            jsontext.encode(logprobs) if logprobs else b"[]",
        )
        self._place.frames.add_encoded(_TEXT_DELTA, told)

    def texts(self, strings: list[bytes], text: str) -> bool:
        """Tell pieces of text, each one as JSON; `text` is what they come to.

        Tells whether it could: a part that is text must have begun.
        """
        if self._kind != "text":
            return False
        self._texts.append(text)
        if strings:
            self._place.frames.add_each(
                _TEXT_DELTA, self._before, strings, b',"logprobs":[]}'
            )
        return True

    def say_nothing(self) -> None:
        """Tell that it is blank."""
        self._begin_part("text", text_part("", [], []))

    def refusal(self, text: str) -> None:
        """Tell a piece of a refusal."""
        if self._kind != "refusal":
            self._begin_part("refusal", refusal_part(""))
        self._texts.append(text)
        self._place.say("refusal.delta", content_index=len(self._parts), delta=text)

    def annotate(self, annotations: list[JSON]) -> None:
        """Tell what the text refers to."""
        if self._kind != "text":
            return
        for annotation in annotations:
            self._place.say(
                "output_text.annotation.added",
                content_index=len(self._parts),
                annotation_index=len(self._annotations),
                annotation=annotation,
            )
            self._annotations.append(annotation)

    def close(self, status: str) -> JSON:
        """End it."""
        self._end_part()
        return self._place.end(message_item(self._place.id, self._parts, status))

    def _begin_part(self, kind: str, part: JSON) -> None:
        self._end_part()
        self._kind = kind
        at = len(self._parts)
        self._place.say("content_part.added", content_index=at, part=part)
        self._before = self._place.before(content_index=at)

    def _end_part(self) -> None:
        if not self._kind:
            return
        # In four events: encoded once.
        text = Unread(jsontext.encode("".join(self._texts)))
        at, say = len(self._parts), self._place.say
        if self._kind == "text":
            logprobs = self._logprobs
            say("output_text.done", content_index=at, text=text, logprobs=logprobs)
            part = text_part(text, self._annotations, logprobs)
        else:
            say("refusal.done", content_index=at, refusal=text)
            part = refusal_part(text)
        say("content_part.done", content_index=at, part=part)
        self._parts.append(part)
        self._kind, self._texts = "", []


class StreamedCall:
    """A call of a tool; `kind` of it decides how its arguments are told."""

    def __init__(
        self, frames: Frames, id: str, index: int, offered: Offered, call_id: str
    ) -> None:
        self._place = _Place(frames, id, index)
        self._offered = offered
        self._call_id = call_id
        self._arguments: list[str] = []
        self._input = CustomInput() if offered.kind == "custom" else None
        self._said: list[str] = []
        self._is_checked = True
        self._before = self._place.before()
        self._place.begin(self._item("", "in_progress"))

    def arguments(self, fragment: str) -> None:
        """Tell a piece of its arguments."""
        if not fragment:
            return
        self._arguments.append(fragment)
        self._is_checked = False
        if self._input is not None:
            self._say_input(self._input.feed(fragment))
        elif self._offered.kind == "function":
            self._say(_ARGUMENTS_DELTA, fragment)

    @property
    def is_whole(self) -> bool:
        """Whether its arguments are a complete object, so that no more will come.

        Arguments that grew since are looked at once.
        """
        if self._is_checked:
            return False
        self._is_checked = True
        try:
            return isinstance(jsontext.decode("".join(self._arguments)), dict)
        except jsontext.JSONError:
            return False

    def close(self, status: str) -> JSON:
        """End it."""
        if self._input is not None:
            self._say_input(self._input.close())
            said = "".join(self._said)
            self._place.say("custom_tool_call_input.done", input=said)
            return self._place.end(self._item(said, status))
        said = "".join(self._arguments)
        said = said if said.strip() else "{}"
        if self._offered.kind == "function":
            name = self._offered.name
            self._place.say("function_call_arguments.done", name=name, arguments=said)
        return self._place.end(self._item(said, status))

    def _item(self, said: str, status: str) -> JSON:
        return call_item(self._offered, self._place.id, self._call_id, said, status)

    def _say_input(self, text: str) -> None:
        if text:
            self._said.append(text)
            self._say(_INPUT_DELTA, text)

    def _say(self, delta: bytes, text: str) -> None:
        told = b"%b%b}" % (self._before, jsontext.encode(text))
        self._place.frames.add_encoded(delta, told)


_INPUT_DELTA = opening("response.custom_tool_call_input.delta")
