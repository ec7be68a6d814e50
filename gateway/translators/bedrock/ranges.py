"""The numbers that each family takes, where OpenAI allows more.

https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html
https://docs.aws.amazon.com/nova/latest/userguide/complete-request-schema.html

An answer at the border of what a family takes is nearer to what was asked for than a
refusal: what lies outside is moved there, and told as downgraded.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from gateway.hub.requests.rendering import Rendering
from gateway.hub.requests.validation import limit_name


class Range(NamedTuple):
    """The least and the most of a parameter, both allowed."""

    least: float
    most: float


_UNIT = Range(0, 1)

UNIT_TEMPERATURE: dict[str, Range] = {"temperature": _UNIT}
"""What Converse and the bodies that are no relation of OpenAI's have in common."""

# The ranges of every matching prefix hold, those of a longer one before a shorter's.
_RANGES: dict[str, dict[str, Range]] = {
    "cohere.command": {
        "top_p": Range(0.01, 0.99),
        "top_k": Range(0, 500),
        "frequency_penalty": _UNIT,
        "presence_penalty": _UNIT,
    },
    "cohere.command-r": {"limit": Range(0, 4000)},
    "amazon.nova-": {"top_k": Range(0, 128)},
    "amazon.nova-micro": {"limit": Range(1, 10_000)},
    "amazon.nova-lite": {"limit": Range(1, 10_000)},
    "amazon.nova-pro": {"limit": Range(1, 10_000)},
    "amazon.titan-text-express": {"limit": Range(0, 8192)},
    "amazon.titan-text-lite": {"limit": Range(0, 4096)},
    # 3072 by the documentation, and "exceeds the model limit of 3000" in use:
    # https://github.com/aws-samples/generative-ai-use-cases/issues/594
    "amazon.titan-text-premier": {"limit": Range(0, 3000)},
    # "The maximum tokens you requested exceeds the model limit of 2048."
    "meta.llama2": {"limit": Range(1, 2048)},
    "meta.llama3-8b": {"limit": Range(1, 2048)},
    "meta.llama3-70b": {"limit": Range(1, 2048)},
    "meta.llama3-": {"limit": Range(1, 8192)},
    "meta.llama4": {"limit": Range(1, 8192)},
    "mistral.mistral-7b": {"top_k": Range(0, 200), "limit": Range(1, 8192)},
    "mistral.mixtral": {"top_k": Range(0, 200), "limit": Range(1, 4096)},
    "mistral.mistral-small-2402": {"top_k": Range(0, 200), "limit": Range(1, 8192)},
    "mistral.mistral-large-2": {**UNIT_TEMPERATURE, "limit": Range(1, 8192)},
    "mistral.pixtral-": {**UNIT_TEMPERATURE, "limit": Range(1, 8192)},
    "ai21.jamba-": {"top_p": Range(0.01, 1), "limit": Range(0, 4096)},
    "deepseek.r1": {"limit": Range(1, 32_768)},
}


@lru_cache(maxsize=256)
def ranges_of(base: str) -> dict[str, Range]:
    """Return the ranges of a base model by OpenAI's names, ``limit`` for the output's.

    What is absent is taken as OpenAI allows it.
    """
    found: dict[str, Range] = {}
    for prefix in sorted(_RANGES, key=len):
        if base.startswith(prefix):
            found |= _RANGES[prefix]
    return found


def within(
    rendering: Rendering, field: str, value: Any, ranges: Mapping[str, Range]
) -> Any:
    """Return `value` of `field` moved into its range; moving it is a downgrade."""
    allowed = ranges.get(field)
    if allowed is None or value is None or allowed.least <= value <= allowed.most:
        return value
    name = limit_name(rendering.body) if field == "limit" else field
    rendering.losses.downgrade(name)
    return allowed.least if value < allowed.least else allowed.most
