"""The conversation in Converse's form; Nova's InvokeModel body takes the same.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Message.html

Rendering only appends: the turns of a longer conversation begin with those of the
shorter one, which prompt caches need.
"""

import re
from dataclasses import dataclass

from gateway.errors import GatewayError, invalid_request, unsupported
from gateway.hub.protocol import JSON
from gateway.hub.requests.caching import MARK
from gateway.hub.requests.content.parts import (
    Audio,
    Document,
    FileId,
    Image,
    Part,
    SearchResult,
    Text,
)
from gateway.hub.requests.conversation import Message, walk
from gateway.hub.requests.rendering import Rendering
from gateway.hub.requests.tools.arguments import parse_arguments
from gateway.hub.requests.tools.calls import ToolCall
from gateway.hub.requests.turns import (
    CONTINUED,
    GO_ON,
    PAUSE,
    Conversation,
    add_messages,
    begin_with_user,
    blocks_of,
)
from gateway.translators.bedrock.converse.models import Profile
from gateway.translators.bedrock.in_words import called, result_of

NO_OUTPUT = {"text": "(no output)"}
SOURCES = "sources"
"""What few models take: documents in context and to be cited, and search results."""

_ATTACHED = {"text": "See attached document."}
_SHOWN = {"text": "See attached image."}

_NO_NAME = re.compile(r"[^a-zA-Z0-9\s()\[\]-]+")
_LONGEST_NAME = 200

_AUDIO_FORMATS = frozenset(
    {"mp3", "opus", "wav", "aac", "flac", "mp4", "ogg", "mkv", "m4a", "pcm", "webm"}
)


class DocumentNames:
    """Names of documents in Converse's alphabet, each of them once.

    https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_DocumentBlock.html
    """

    def __init__(self) -> None:
        self._count = 0
        self._taken: set[str] = set()

    def take(self, title: str) -> str:
        """Return the name of the next document: its title, or its number."""
        self._count += 1
        plain = " ".join(_NO_NAME.sub("-", title).split())[:_LONGEST_NAME].strip()
        name = plain or f"Document {self._count}"
        if name in self._taken:
            name = f"{name} {self._count}"
        self._taken.add(name)
        return name


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

    Blocks may still carry `MARK`. Raises a 400 for content that the model does not
    take.
    """
    writer = _Writer(rendering, profile, options)
    add_messages(walk(rendering, profile.call_id), writer)
    conversation = writer.conversation
    begin_with_user(conversation, {"text": CONTINUED})
    turns = conversation.turns
    if turns[-1]["role"] == "assistant":
        last = turns[-1]["content"][-1]
        if options.keeps_last and "text" in last:
            last["text"] = last["text"].rstrip()
        else:
            turns.append({"role": "user", "content": [{"text": GO_ON}]})
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
                {"role": "assistant", "content": [{"text": PAUSE}]},
                {"role": "user", "content": others},
            ]
        else:
            separated.append({"role": turn["role"], "content": results + others})
    return separated


class _Writer:
    """Writes what is said as Converse's blocks; a `BlockWriter`."""

    def __init__(
        self, rendering: Rendering, profile: Profile, options: Options
    ) -> None:
        self.conversation = Conversation()
        self._names = rendering.names
        self._profile = profile
        self._options = options
        self._documents = DocumentNames()
        avoid = rendering.route.avoid
        self._tells_sources = profile.tells_sources and SOURCES not in avoid
        self._losses = rendering.losses

    def text(self, text: str) -> JSON:
        return {"text": text}

    def part(self, part: Part, param: str) -> JSON | None:
        match part:
            case Text(text):
                return {"text": text} if text.strip() else None
            case Image():
                return _image(part, param)
            case Document():
                return None if part.is_blank else self._document(part, param)
            case SearchResult():
                return self._search_result(part)
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
        told: JSON = {
            "format": "txt" if document.format == "json" else document.format,
            # A client's file name could tell the model what to do.
            "name": self._documents.take(document.title),
            "source": {"bytes": document.base64},
        }
        if self._tells_sources:
            if document.context:
                told["context"] = document.context
            _cite(told, document.cites)
        elif document.context or document.cites:
            self._losses.downgrade("messages")
        return {"document": told}

    def _search_result(self, found: SearchResult) -> JSON:
        if not self._tells_sources:
            if found.cites:
                self._losses.downgrade("messages")
            return self.text(found.text)
        told: JSON = {
            "source": found.source,
            "title": found.title,
            "content": [{"text": text} for text in found.texts],
        }
        return {"searchResult": _cite(told, found.cites)}

    def _audio(self, audio: Audio, param: str) -> JSON:
        if not self._options.takes_audio or audio.format not in _AUDIO_FORMATS:
            raise unsupported(
                f"This model takes no audio of this kind: replace '{param}' by its "
                "transcript.",
                param=param,
            )
        return {"audio": {"format": audio.format, "source": {"bytes": audio.base64}}}

    def call(self, call: ToolCall) -> JSON:
        if self._options.tools_as_text:
            return self.text(called(call.name, call.arguments))
        name = self._names.upstream(call.name)
        arguments = parse_arguments(call.arguments)
        return {
            "toolUse": {
                "toolUseId": call.id,
                "name": name,
                "input": self._names.call_arguments(name, arguments),
            }
        }

    def result(self, message: Message) -> list[JSON]:
        blocks = blocks_of(message, self)
        if self._options.tools_as_text:
            said = "".join(block["text"] for block in blocks if "text" in block)
            others = [block for block in blocks if "text" not in block]
            return [self.text(result_of(message.call.name, said)), *others]
        marks = [block.pop(MARK) for block in blocks if MARK in block]
        for each in blocks:
            _cite_nothing(each)
        beside = []
        if not self._profile.sees_results:
            beside = [block for block in blocks if "image" in block]
            blocks = [block for block in blocks if "image" not in block]
        nothing = _SHOWN if beside else NO_OUTPUT
        result: JSON = {
            "toolUseId": message.call.id,
            "content": blocks or [{**nothing}],
        }
        if self._profile.has_status:
            is_error = message.source.get("is_error") is True
            result["status"] = "error" if is_error else "success"
        block: JSON = {"toolResult": result}
        if marks:
            block[MARK] = marks[-1]
        self.conversation.mark(block, message.source)
        return [block, *beside]

    def spoken(self, message: Message, blocks: list[JSON]) -> list[JSON]:
        # Thinking is not sent back: only Claude, rendered elsewhere, signs its own.
        return blocks

    def add_system(self, message: Message, blocks: list[JSON]) -> None:
        self.conversation.system += blocks


def _cite(source: JSON, cites: bool | None) -> JSON:
    """Return a source that says whether it is to be cited, where that is known."""
    if cites is not None:
        source["citations"] = {"enabled": cites}
    return source


def _cite_nothing(block: JSON) -> None:
    """Take back from a document in a tool's result that it is to be cited.

    AWS refuses that: https://github.com/boto/boto3/issues/4648
    """
    if "document" in block:
        block["document"].pop("citations", None)


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
