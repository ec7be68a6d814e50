"""Claude's plain answer as a `chat.completion`, from bytes to bytes in one pass.

Most short calls are answered by a message that is one text. To decode it, to ask what
it holds, to build the completion and to encode that takes the interpreter 440 steps of
a call's 5,500; here it takes 90, for it is read into one shape and written from
another. Whatever is not plain to see is left to `response`, what is wrong as well; a
test holds both to the same bytes.
"""

from typing import Any, Literal

from gateway.hub.protocol import AtOnce, Reply
from gateway.translators.anthropic.answers.response import FINISH_REASONS
from gateway.translators.anthropic.answers.usage import SERVICE_TIERS
from gateway.wire.jsontext import JSONError, encode
from gateway.wire.shapes import (
    ABSENT,
    Absent,
    ExactlyOne,
    Shape,
    Text,
    Tokens,
    reader_of,
)


class _Text(Shape, forbid_unknown_fields=True, gc=False):
    type: Literal["text"]
    text: Text


class _Lasting(Shape, gc=False):
    """Read and written: what is absent is not written."""

    ephemeral_5m_input_tokens: Tokens | Absent = ABSENT
    ephemeral_1h_input_tokens: Tokens | Absent = ABSENT


class _Used(Shape, gc=False):
    input_tokens: Tokens
    output_tokens: Tokens
    cache_creation_input_tokens: Tokens | None = None
    cache_read_input_tokens: Tokens | None = None
    cache_creation: _Lasting | None = None
    service_tier: str | None = None
    output_tokens_details: Absent = ABSENT
    iterations: Absent = ABSENT


class _Message(Shape):
    type: Literal["message"]
    content: ExactlyOne[_Text]
    stop_reason: str
    usage: _Used


class _Details(Shape, gc=False):
    cached_tokens: int
    cache_write_tokens: int


class _Usage(Shape, gc=False):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: _Details
    cache_creation_input_tokens: int | Absent = ABSENT
    cache_read_input_tokens: int | Absent = ABSENT
    cache_creation: _Lasting | Absent = ABSENT


class _Said(Shape, gc=False):
    role: str
    content: str
    refusal: None


class _Choice(Shape, gc=False):
    index: int
    message: _Said
    logprobs: None
    finish_reason: str
    native_finish_reason: str


class _Completion(Shape):
    id: str
    object: str
    created: int
    model: str
    choices: tuple[_Choice]
    usage: _Usage
    service_tier: str | Absent = ABSENT


_message = reader_of(_Message)

_REASONS = {
    native: FINISH_REASONS.finish_reason(native, has_calls=False)
    for native in FINISH_REASONS.words
    if native != FINISH_REASONS.refused
}


def read_at_once(raw: bytes, reply: Reply) -> AtOnce | None:
    """Return an answer that is a text and nothing else; None for any other.

    For requests of which nothing was learned: no rule holds for their answers.
    """
    try:
        message = _message(raw)
        # What is passed over is not looked at so closely.
        if not raw.isascii():
            raw.decode()
    except JSONError:
        return None
    reason = _REASONS.get(message.stop_reason)
    if reason is None:
        return None
    usage, counts = _counted(message.usage)
    said = _Said("assistant", message.content[0].text, None)
    completion = _Completion(
        reply.completion_id,
        "chat.completion",
        reply.created,
        reply.model,
        (_Choice(0, said, None, reason, message.stop_reason),),
        usage,
        SERVICE_TIERS.get(message.usage.service_tier or "", ABSENT),
    )
    return AtOnce(encode(completion), reason, counts)


def _counted(used: _Used) -> tuple[_Usage, dict[str, Any]]:
    """Return the counts as OpenAI has them and as the ledger does; see `usage`."""
    write, read = used.cache_creation_input_tokens, used.cache_read_input_tokens
    prompt = used.input_tokens + (write or 0) + (read or 0)
    counts = {
        "input_tokens": prompt,
        "output_tokens": used.output_tokens,
        "cached_tokens": read or 0,
        "cache_write_tokens": write or 0,
    }
    made = used.cache_creation
    if made is not None and made.ephemeral_1h_input_tokens is not ABSENT:
        counts["cache_write_1h_tokens"] = made.ephemeral_1h_input_tokens
    usage = _Usage(
        prompt,
        used.output_tokens,
        prompt + used.output_tokens,
        _Details(read or 0, write or 0),
        ABSENT if write is None else write,
        ABSENT if read is None else read,
        ABSENT if made is None else made,
    )
    return usage, counts
