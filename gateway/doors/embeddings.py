"""OpenAI's embeddings: a list of texts in, a vector for each out.

https://platform.openai.com/docs/api-reference/embeddings/create
"""

from typing import Any

from gateway.doors.chat import about, answer_headers, render_error, status_of
from gateway.doors.fields import model_of, wrong_field
from gateway.doors.protocol import JSON, Asked, Sent
from gateway.errors import GatewayError, invalid_request
from gateway.hub.embeddings import EmbeddingRequest, Vectors
from gateway.hub.requests.extra_body import with_extra_body

__all__ = [
    "NAME",
    "about",
    "answer_headers",
    "parse_request",
    "render_answer",
    "render_error",
    "status_of",
]

NAME = "embeddings"

MOST_INPUTS = 2048
FORMATS = ("float", "base64")

_KINDS: dict[type, str] = {str: "string", list: "list", dict: "object"}


def parse_request(body: JSON, sent: Sent) -> Asked:
    """Return what is asked for, an `EmbeddingRequest` in `own`; raises a 400."""
    body = with_extra_body(body)
    model = model_of(body, "text-embedding-3-small")
    form = body.get("encoding_format")
    if form not in (None, *FORMATS):
        raise wrong_field("encoding_format", form, "float or base64")
    request = EmbeddingRequest(_inputs(body.get("input")), form == "base64", body)
    return Asked(model, False, body, own=request)


def render_answer(vectors: list[Vectors], model: str, tokens: int) -> JSON:
    """Return the answer for what the parts of a request came to, in their order."""
    if len(vectors) == 1 and vectors[0].data is not None:
        data: Any = vectors[0].data
    else:
        every = [each for part in vectors for each in part.embeddings]
        data = [
            {"object": "embedding", "index": index, "embedding": each}
            for index, each in enumerate(every)
        ]
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    extra = vectors[0].extra or {} if len(vectors) == 1 else {}
    answer = {"object": "list", "data": data, "model": model}
    if vectors[0].tokens is None:
        extra = {name: extra[name] for name in extra if name != "usage"}
    return {**answer, "usage": usage, **extra}


def _inputs(given: Any) -> tuple[Any, ...]:
    """Return the inputs one by one; raises a 400 that names the wrong one."""
    inputs: list[Any]
    match given:
        case str():
            inputs = [given]
        case [int(), *_] if not isinstance(given[0], bool):
            _check_ids(given, "input")
            inputs = [given]
        case [_, *_]:
            inputs = given
            if len(inputs) > MOST_INPUTS:
                raise _invalid("input", "input may hold 2,048 entries at most.")
        case dict():
            inputs = [given]
        case _:
            raise wrong_field("input", given, "a text, or a list with at least one")
    for index, each in enumerate(inputs):
        _check(each, index, type(inputs[0]))
    return tuple(inputs)


def _check(value: Any, index: int, kind: type) -> None:
    where = f"input[{index}]"
    if type(value) is not kind or not isinstance(value, str | list | dict):
        raise wrong_field(where, value, "text, as all others, or a list of token ids")
    if not value:
        raise _invalid(where, f"Input cannot be an empty {_KINDS[kind]}.")
    if isinstance(value, list):
        _check_ids(value, where)


def _check_ids(value: list[Any], where: str) -> None:
    if not all(type(each) is int and each >= 0 for each in value):
        raise _invalid(where, f"{where} must hold token ids only, or texts only.")


def _invalid(param: str, message: str) -> GatewayError:
    return invalid_request(message, param=param, code="invalid_value")
