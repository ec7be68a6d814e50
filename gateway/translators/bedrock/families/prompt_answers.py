"""Answers of the models whose body is one prompt, whole and in pieces.

https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from gateway.hub.answers import chunks
from gateway.hub.answers.chunks import count, token_usage
from gateway.hub.answers.writer import AnswerWriter
from gateway.hub.errors.upstream_errors import no_answer
from gateway.hub.protocol import JSON, Reply
from gateway.translators.bedrock.families.tags import TagSplitter, split
from gateway.translators.bedrock.finish_reasons import FINISH_REASONS


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
        FINISH_REASONS.finish_reason(piece.native, has_calls=False),
        usage,
        native=piece.native if isinstance(piece.native, str) else None,
    )


class PromptReader:
    """Reads the pieces that one of the families streams."""

    def __init__(self, family: str, reply: Reply, writer: AnswerWriter) -> None:
        self._writer = writer
        self._piece = _PIECES[family]
        self._splitter = TagSplitter(starts_open=True) if family == "r1" else None
        self._prompt: int | None = None
        self._output: int | None = None

    def read(self, body: JSON) -> None:
        """Take in one piece."""
        piece = self._piece(body)
        if self._splitter is None:
            self._writer.text(piece.text)
        else:
            self._write(*self._splitter.feed(piece.text))
        # The prompt's count comes with the first piece only, the output's grows.
        self._prompt = piece.prompt if self._prompt is None else self._prompt
        self._output = self._output if piece.output is None else piece.output
        if self._prompt is not None and self._output is not None:
            self._writer.state.usage = token_usage(
                count(self._prompt), count(self._output), None, None
            )
        if piece.native is not None:
            self._writer.stop(piece.native)

    def close(self) -> None:
        """End of input; raises `GatewayError` where the answer is not complete."""
        if self._splitter is not None:
            self._write(*self._splitter.end())
        self._writer.finish()

    def _write(self, reasoning: str, text: str) -> None:
        self._writer.reasoning(reasoning)
        self._writer.text(text)
