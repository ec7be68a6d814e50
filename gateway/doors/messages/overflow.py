"""A conversation that is too long, told so that clients shorten it.

They match the words of the Messages API; what an upstream says of it in its own would
be shown to the user as a failure instead.
"""

import re

_NUMBER = r"(\d[\d,_]{0,12})"

_TOGETHER = (
    # vLLM
    re.compile(
        rf"is too large: {_NUMBER}.{{0,80}}?maximum context length is {_NUMBER} tokens "
        rf"and your request has {_NUMBER} input tokens",
        re.IGNORECASE | re.DOTALL,
    ),
)
"""Output, limit and input, in this order."""

_IN_PARTS = re.compile(
    rf"maximum context length (?:is|of) {_NUMBER} tokens.{{0,160}}?{_NUMBER} "
    r"(?:tokens )?(?:in|from|of) (?:the )?(?:messages|input messages|text input)"
    rf".{{0,80}}?{_NUMBER} (?:tokens )?(?:in|for) the (?:completion|output)",
    re.IGNORECASE | re.DOTALL,
)
"""Limit, input and output, as OpenAI, OpenRouter and SGLang tell them."""

_ALONE = (
    # OpenAI, and servers after it
    re.compile(
        rf"maximum (?:context|model) length (?:is|of) {_NUMBER}.{{0,160}}?"
        rf"(?:resulted in|has|requested|contains|with|of) (?:about )?{_NUMBER}"
        r"(?: input)? tokens",
        re.IGNORECASE | re.DOTALL,
    ),
)
"""Limit and input."""

_INPUT_FIRST = (
    # llama-server
    re.compile(
        rf"request \({_NUMBER} tokens\) exceeds the available context size "
        rf"\({_NUMBER} tokens\)",
        re.IGNORECASE,
    ),
    re.compile(
        rf"(?:prompt|input)(?: length| token count| tokens?)?(?: \(| of | is | )"
        rf"{_NUMBER}\)?(?: tokens)?.{{0,60}}?(?:exceeds?|longer|larger|greater|>)"
        rf".{{0,60}}?{_NUMBER}",
        re.IGNORECASE | re.DOTALL,
    ),
)
"""Input and limit."""


def told_so_that_clients_compact(message: str) -> str:
    """Return what an upstream says of a long conversation in the API's words."""
    if message.startswith(("prompt is too long", "input length and `max_tokens`")):
        return message
    if found := _together(message):
        input, output, limit = found
        if input < limit:
            return (
                "input length and `max_tokens` exceed context limit: "
                f"{input} + {output} > {limit}, decrease input length or `max_tokens` "
                "and try again"
            )
    if numbers := _numbers(message):
        input, limit = numbers
        if input > limit:
            return f"prompt is too long: {input} tokens > {limit} maximum"
    return f"prompt is too long (capability_rejected: prompt_too_long): {message}"


def _together(message: str) -> tuple[int, int, int] | None:
    """Return input, output and limit, where a message tells that they do not fit."""
    for pattern in _TOGETHER:
        if found := pattern.search(message):
            output, limit, input = map(_number, found.groups())
            return input, output, limit
    if found := _IN_PARTS.search(message):
        limit, input, output = map(_number, found.groups())
        return input, output, limit
    return None


def _numbers(message: str) -> tuple[int, int] | None:
    """Return input and limit, where a message tells both."""
    if found := _together(message):
        return found[0], found[2]
    for pattern in _ALONE:
        if found_alone := pattern.search(message):
            limit, input = map(_number, found_alone.groups())
            return input, limit
    for pattern in _INPUT_FIRST:
        if found_alone := pattern.search(message):
            input, limit = map(_number, found_alone.groups())
            return input, limit
    return None


def _number(text: str) -> int:
    return int(re.sub(r"[,_]", "", text))
