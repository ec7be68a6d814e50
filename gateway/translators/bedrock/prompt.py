"""Models whose body is one prompt: Llama, Mistral's older ones, DeepSeek R1, Titan.

https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from gateway.errors import unsupported
from gateway.translators import chunks
from gateway.translators.bedrock.plain import Conversation, Turn, conversation
from gateway.translators.bedrock.tags import TagSplitter, split
from gateway.translators.converse import params
from gateway.translators.converse.answer import (
    AnswerStream,
    count,
    finish_reason,
    token_usage,
)
from gateway.translators.converse.json_mode import asked_in_words
from gateway.translators.protocol import JSON, Reply, Route
from gateway.translators.upstream_errors import no_answer
from gateway.translators.validation import Losses, ValidRequest

# --- requests -------------------------------------------------------------------------


@dataclass(frozen=True)
class Family:
    """How a family writes a prompt and names its parameters.

    `control` finds what would end or begin a turn; `names` are the upstream's names of
    the parameters it has. Without ``stop`` among them stopping is the gateway's work.
    """

    prompt: Callable[[Conversation, str], str]
    control: re.Pattern[str]
    names: Mapping[str, str]
    default_limit: int = 0
    most: int = 0
    wrap: Callable[[str, JSON], JSON] = field(
        default=lambda prompt, settings: {"prompt": prompt, **settings}
    )


def render(
    family: str,
    valid: ValidRequest,
    route: Route,
    base: str,
    losses: Losses,
    reply: Reply,
) -> tuple[JSON, Reply]:
    """Return the body for `family` and what its answer's parser must know.

    Raises `GatewayError` (400) for tools and for content other than text.
    """
    body, of = valid.body, FAMILIES[family]
    if "tools" in body or "functions" in body:
        name = "tools" if "tools" in body else "functions"
        raise unsupported(
            f"This model takes no '{name}' over InvokeModel. Set the provider's "
            "Bedrock API to 'auto' or 'converse', or remove them.",
            param=name,
        )
    params.refuse(body)
    params.drop_rest(valid, losses, frozenset(of.names))
    talk = conversation(body, valid.results, max_images=_max_images(base))
    wanted = asked_in_words(body, losses)
    system = "\n\n".join(text for text in (talk.system, wanted) if text)
    talk = Conversation(
        _neutral(system, of.control),
        [Turn(turn.role, _neutral(turn.text, of.control)) for turn in talk.turns],
        talk.images,
    )
    settings = params.sampling(
        body, of.names, losses, default_limit=of.default_limit, most=of.most
    )
    rendered = of.wrap(of.prompt(talk, base), settings)
    if talk.images:
        rendered["images"] = [image.base64 for image in talk.images]
    reply = replace(reply, strip_fence=bool(wanted))
    if "stop" not in of.names:
        reply = replace(reply, stop=tuple(body.get("stop", ())))
    return rendered, reply


def _max_images(base: str) -> int:
    is_vision = base.startswith(("meta.llama3-2-11b", "meta.llama3-2-90b"))
    return 1 if is_vision else 0


def _neutral(text: str, control: re.Pattern[str]) -> str:
    """Break control tokens in what a client wrote, so that it cannot forge turns."""
    return control.sub(lambda found: f"{found[0][0]}\u200b{found[0][1:]}", text)


def _llama_prompt(talk: Conversation, base: str) -> str:
    # https://www.llama.com/docs/model-cards-and-prompt-formats/
    head, end, stop = "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"
    if base.startswith("meta.llama4"):
        head, end, stop = "<|header_start|>", "<|header_end|>", "<|eot|>"
    turns = [Turn("system", talk.system)] if talk.system else []
    text = "".join(
        f"{head}{turn.role}{end}\n\n{turn.text}{stop}" for turn in turns + talk.turns
    )
    return f"<|begin_of_text|>{text}{head}assistant{end}\n\n"


def _mistral_prompt(talk: Conversation, _: str) -> str:
    first, *rest = talk.turns
    opening = f"{talk.system}\n\n{first.text}" if talk.system else first.text
    text = f"<s>[INST] {opening} [/INST]"
    for turn in rest:
        if turn.role == "assistant":
            text += f" {turn.text}</s>"
        else:
            text += f"[INST] {turn.text} [/INST]"
    return text


def _r1_token(name: str) -> str:
    # R1's tokens are written with a full-width bar and a low block for a space.
    return "<\uff5c" + name.replace(" ", "\u2581") + "\uff5c>"


def _r1_prompt(talk: Conversation, _: str) -> str:
    user, assistant = _r1_token("User"), _r1_token("Assistant")
    end = _r1_token("end of sentence")
    text = _r1_token("begin of sentence") + talk.system
    for turn in talk.turns:
        if turn.role == "assistant":
            text += f"{assistant}{turn.text}{end}"
        else:
            text += f"{user}{turn.text}"
    return f"{text}{assistant}<think>\n"


def _titan_prompt(talk: Conversation, _: str) -> str:
    speakers = {"user": "User", "assistant": "Bot"}
    lines = [f"{speakers[turn.role]}: {turn.text}" for turn in talk.turns]
    text = "\n".join([*lines, "Bot:"])
    return f"{talk.system}\n\n{text}" if talk.system else text


def _titan_body(prompt: str, settings: JSON) -> JSON:
    return {
        "inputText": prompt,
        "textGenerationConfig": {**settings, "stopSequences": []},
    }


_COMMON = {"limit": "max_tokens", "temperature": "temperature", "top_p": "top_p"}

FAMILIES = {
    "llama": Family(
        _llama_prompt,
        re.compile(r"<\|"),
        {**_COMMON, "limit": "max_gen_len"},
        default_limit=2048,
    ),
    "mistral-text": Family(
        _mistral_prompt,
        re.compile(r"</?s>|\[/?[A-Z_]{3,}\]"),
        {**_COMMON, "top_k": "top_k", "stop": "stop"},
    ),
    "r1": Family(
        _r1_prompt,
        re.compile("<\uff5c|</?think>"),
        {**_COMMON, "stop": "stop"},
        default_limit=8192,
        most=32768,
    ),
    "titan": Family(
        _titan_prompt,
        re.compile(r"^(?:User|Bot):", re.MULTILINE),
        {"limit": "maxTokenCount", "temperature": "temperature", "top_p": "topP"},
        default_limit=2048,
        wrap=_titan_body,
    ),
}

# --- answers --------------------------------------------------------------------------


class Piece(NamedTuple):
    """One piece of an answer, or the whole of it; counts are None where unknown."""

    text: str
    native: Any = None
    prompt: int | None = None
    output: int | None = None


def _llama_piece(body: JSON) -> Piece:
    return Piece(
        _string(body.get("generation")),
        body.get("stop_reason"),
        body.get("prompt_token_count"),
        body.get("generation_token_count"),
    )


def _listed_piece(body: JSON) -> Piece:
    """Mistral's ``outputs`` and R1's ``choices`` differ in the name of the list."""
    for name in ("outputs", "choices"):
        match body.get(name):
            case [{"text": str(text)} as result, *_]:
                return Piece(text, result.get("stop_reason"))
    return Piece("")


def _titan_piece(body: JSON) -> Piece:
    match body.get("results"):
        case [{"outputText": str(text)} as result, *_]:
            return Piece(
                text,
                result.get("completionReason"),
                body.get("inputTextTokenCount"),
                result.get("tokenCount"),
            )
    return Piece(
        _string(body.get("outputText")),
        body.get("completionReason"),
        body.get("inputTextTokenCount"),
        body.get("totalOutputTextTokenCount"),
    )


_PIECES: dict[str, Callable[[JSON], Piece]] = {
    "llama": _llama_piece,
    "mistral-text": _listed_piece,
    "r1": _listed_piece,
    "titan": _titan_piece,
}

_ANSWERS = {
    "llama": "generation",
    "mistral-text": "outputs",
    "r1": "choices",
    "titan": "results",
}
"""The key that makes a body an answer."""


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""


def parse(family: str, payload: JSON, reply: Reply) -> JSON:
    """Return a whole answer; raises `GatewayError` (502) if `payload` is none."""
    if _ANSWERS[family] not in payload:
        raise no_answer("holds no text")
    piece = _PIECES[family](payload)
    reasoning, text = "", piece.text
    if family == "r1":
        reasoning, text = split(text, starts_open=True)
    usage = None
    if piece.prompt is not None or piece.output is not None:
        usage = token_usage(count(piece.prompt), count(piece.output), None, None)
    return chunks.completion(
        reply,
        chunks.message(reply, content=text, reasoning=reasoning),
        finish_reason(piece.native, has_tool_calls=False),
        usage,
        native=piece.native if isinstance(piece.native, str) else None,
    )


class PromptReader:
    """Reads the pieces that one of the families streams."""

    def __init__(self, family: str, reply: Reply) -> None:
        self.answer = AnswerStream(reply)
        self._piece = _PIECES[family]
        self._splitter = TagSplitter(starts_open=True) if family == "r1" else None
        self._prompt: int | None = None
        self._output: int | None = None

    def read(self, body: JSON) -> None:
        """Take in one piece."""
        piece = self._piece(body)
        if self._splitter is None:
            self.answer.text(piece.text)
        else:
            self._write(*self._splitter.feed(piece.text))
        # The prompt's count comes with the first piece only, the output's grows.
        self._prompt = piece.prompt if self._prompt is None else self._prompt
        self._output = self._output if piece.output is None else piece.output
        if self._prompt is not None and self._output is not None:
            self.answer.usage = token_usage(
                count(self._prompt), count(self._output), None, None
            )
        if piece.native is not None:
            self.answer.stop(piece.native)

    def close(self) -> None:
        """End of input; raises `GatewayError` where the answer is not complete."""
        if self._splitter is not None:
            self._write(*self._splitter.end())
        self.answer.finish()

    def _write(self, reasoning: str, text: str) -> None:
        self.answer.reasoning(reasoning)
        self.answer.text(text)
