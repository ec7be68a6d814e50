"""The conversation in Converse's form; Nova's InvokeModel body takes the same.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Message.html

Rendering only appends: the turns of a longer conversation begin with those of the
shorter one, which prompt caches need.
"""

from dataclasses import dataclass, field

from gateway.errors import GatewayError, invalid_request, unsupported
from gateway.hub.protocol import JSON
from gateway.hub.requests.content.parsing import parse_part
from gateway.hub.requests.content.parts import (
    Audio,
    Document,
    FileId,
    Image,
    Part,
    Text,
)
from gateway.hub.requests.rendering import Rendering
from gateway.hub.requests.tools.arguments import parse_arguments
from gateway.hub.requests.tools.calls import Call, calls_by_place, calls_of
from gateway.hub.requests.tools.ids import call_ids
from gateway.hub.requests.turns import (
    CONTINUED,
    add_results,
    add_turn,
    begin_with_user,
    check_silent,
    check_text_only,
    refusal_of,
)
from gateway.translators.bedrock.converse.cache_points import MARK, mark
from gateway.translators.bedrock.converse.models import Profile
from gateway.wire.jsontext import dumps

NO_OUTPUT = {"text": "(no output)"}
_GO_ON = {"text": "Continue."}
_PAUSE = {"text": "."}
_ATTACHED = {"text": "See attached document."}

_AUDIO_FORMATS = frozenset(
    {"mp3", "opus", "wav", "aac", "flac", "mp4", "ogg", "mkv", "m4a", "pcm", "webm"}
)


@dataclass
class Conversation:
    """Rendered system blocks and turns; blocks may still carry `MARK`."""

    system: list[JSON] = field(default_factory=list)
    turns: list[JSON] = field(default_factory=list)

    def add(self, role: str, blocks: list[JSON]) -> None:
        """Append `blocks` to the last turn if it is `role`'s, else as a new turn."""
        add_turn(self.turns, role, blocks)


@dataclass(frozen=True)
class Options:
    """How to render.

    `tools_as_text` writes calls and results in words, for requests without tools.
    `takes_documents` and `takes_audio` say what the operation and the model read;
    `keeps_last` leaves a last assistant turn for the model to go on with.
    """

    tools_as_text: bool = False
    takes_documents: bool = True
    takes_audio: bool = False
    keeps_last: bool = False


def render_conversation(
    rendering: Rendering, profile: Profile, options: Options
) -> Conversation:
    """Return a request's messages as system blocks and alternating turns.

    Raises a 400 for content that the model does not take.
    """
    conversation = _Renderer(rendering, profile, options).render()
    turns = conversation.turns
    begin_with_user(turns, conversation.system, {"text": CONTINUED})
    if turns[-1]["role"] == "assistant":
        last = turns[-1]["content"][-1]
        if options.keeps_last and "text" in last:
            last["text"] = last["text"].rstrip()
        else:
            turns.append({"role": "user", "content": [dict(_GO_ON)]})
    conversation.turns = separated(turns, lone_results=profile.lone_results)
    return conversation


def separated(turns: list[JSON], *, lone_results: bool = False) -> list[JSON]:
    """Move what may not stand beside tool results into a turn of its own."""
    separated: list[JSON] = []
    for turn in turns:
        blocks = turn["content"]
        results = [block for block in blocks if "toolResult" in block]
        others = [block for block in blocks if "toolResult" not in block]
        if any("document" in block for block in others) and not any(
            "text" in block for block in others
        ):
            others.append(dict(_ATTACHED))
        must_part = lone_results or any("document" in each for each in others)
        if results and others and must_part:
            separated += [
                {"role": "user", "content": results},
                {"role": "assistant", "content": [dict(_PAUSE)]},
                {"role": "user", "content": others},
            ]
        else:
            separated.append({"role": turn["role"], "content": results + others})
    return separated


class _Renderer:
    def __init__(
        self, rendering: Rendering, profile: Profile, options: Options
    ) -> None:
        messages = self._messages = rendering.body["messages"]
        self._results = rendering.valid.results
        self._names = rendering.names
        self._profile = profile
        self._options = options
        self._ids = call_ids(messages, profile.call_id)
        self._calls = calls_by_place(messages) if options.tools_as_text else {}
        self._documents = 0
        self._conversation = Conversation()

    def render(self) -> Conversation:
        conversation = self._conversation
        answers: dict[tuple[int, int], list[JSON]] = {}
        for index, message in enumerate(self._messages):
            role = message["role"]
            if answers and role not in ("tool", "function"):
                add_results(conversation.turns, answers)
            if role in ("system", "developer"):
                conversation.system += self._text_blocks(message, index)
            elif role == "user":
                blocks = self._blocks(message["content"], f"messages[{index}].content")
                self._mark_last(blocks, message)
                conversation.add("user", blocks)
            elif role == "assistant":
                conversation.add("assistant", self._assistant_blocks(index, message))
            else:
                answers[self._results[index]] = self._result_blocks(index, message)
        add_results(conversation.turns, answers)
        return conversation

    def _text_blocks(self, message: JSON, index: int) -> list[JSON]:
        param = f"messages[{index}]"
        check_text_only(message, param)
        blocks = self._blocks(message.get("content"), f"{param}.content")
        self._mark_last(blocks, message)
        return blocks

    def _blocks(self, content: str | list[JSON] | None, param: str) -> list[JSON]:
        if content is None:
            return []
        if isinstance(content, str):
            return [{"text": content}] if content.strip() else []
        blocks = []
        for position, part in enumerate(content):
            path = f"{param}[{position}]"
            block = self._block(parse_part(part, path), path)
            if block is not None:
                mark(block, part)
                blocks.append(block)
        return blocks

    def _block(self, part: Part, param: str) -> JSON | None:
        match part:
            case Text(text):
                return {"text": text} if text.strip() else None
            case Image():
                return _image(part, param)
            case Document():
                return None if part.is_blank else self._document(part, param)
            case FileId():
                raise unsupported(
                    f"The file in '{param}' is not known to this provider. Send its "
                    "content as 'file_data'.",
                    param=param,
                )
            case Audio():
                return self._audio(part, param)

    def _document(self, document: Document, param: str) -> JSON:
        if not document.format:
            raise unsupported(
                f"The file in '{param}' is of a type that this model does not read. "
                "Convert it to PDF or text.",
                param=param,
            )
        if not self._options.takes_documents:
            if document.is_text:
                return {"text": document.text}
            raise unsupported(
                f"This model reads no documents over InvokeModel: remove '{param}', or "
                "set the provider's Bedrock API to 'auto' or 'converse'.",
                param=param,
            )
        self._documents += 1
        return {
            "document": {
                "format": "txt" if document.format == "json" else document.format,
                # A client's file name could tell the model what to do.
                "name": f"Document {self._documents}",
                "source": {"bytes": document.base64},
            }
        }

    def _audio(self, audio: Audio, param: str) -> JSON:
        if not self._options.takes_audio or audio.format not in _AUDIO_FORMATS:
            raise unsupported(
                f"This model takes no audio of this kind: replace '{param}' by its "
                "transcript.",
                param=param,
            )
        return {"audio": {"format": audio.format, "source": {"bytes": audio.base64}}}

    def _assistant_blocks(self, index: int, message: JSON) -> list[JSON]:
        check_silent(message, f"messages[{index}]")
        others = self._text_blocks(message, index)
        if refusal := refusal_of(message):
            others.append({"text": refusal})
        for position, call in enumerate(calls_of(message)):
            others.append(self._tool_use(call, self._ids[index, position]))
        self._mark_last(others, message)
        # Thinking is not sent back: only Claude, rendered elsewhere, signs its own.
        return others

    def _tool_use(self, call: Call, id: str) -> JSON:
        if self._options.tools_as_text:
            arguments = call.arguments
            text = arguments if isinstance(arguments, str) else dumps(arguments or {})
            return {"text": f"[called {call.name}({text})]"}
        return {
            "toolUse": {
                "toolUseId": id,
                "name": self._names.upstream(call.name),
                "input": parse_arguments(call.arguments),
            }
        }

    def _result_blocks(self, index: int, message: JSON) -> list[JSON]:
        call = self._results[index]
        blocks = self._blocks(message.get("content"), f"messages[{index}].content")
        if self._options.tools_as_text:
            name = self._calls[call].name
            said = "".join(block["text"] for block in blocks if "text" in block)
            others = [block for block in blocks if "text" not in block]
            return [{"text": f"[result of {name}: {said}]"}, *others]
        marks = [block.pop(MARK) for block in blocks if MARK in block]
        result: JSON = {
            "toolUseId": self._ids[call],
            "content": blocks or [dict(NO_OUTPUT)],
        }
        if self._profile.has_status:
            result["status"] = "error" if message.get("is_error") is True else "success"
        block: JSON = {"toolResult": result}
        if marks:
            block[MARK] = marks[-1]
        mark(block, message)
        return [block]

    def _mark_last(self, blocks: list[JSON], message: JSON) -> None:
        if blocks:
            mark(blocks[-1], message)


def _image(image: Image, param: str) -> JSON:
    if image.url:
        raise _not_fetched(param)
    return {
        "image": {
            "format": image.media_type.removeprefix("image/"),
            "source": {"bytes": image.base64},
        }
    }


def _not_fetched(param: str) -> GatewayError:
    return invalid_request(
        f"The image in '{param}' could not be fetched for this provider, which takes "
        "image data only. Send it as a data: URL.",
        param=param,
        code="invalid_image_url",
    )
