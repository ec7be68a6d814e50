"""Where the servers differ that take OpenAI's body over InvokeModel."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from gateway.hub.protocol import Route
from gateway.hub.requests.schemas.grammar import SCHEMAS
from gateway.translators.openai.formats import (
    FORMATS,
    JSON_SCHEMA,
    RESPONSE_FORMAT,
)


@dataclass(frozen=True)
class Host:
    """Where the servers behind this body differ.

    `limit` names the output limit, `required` the tool choice that forces a call.
    `passed` are OpenAI's parameters that go through; `efforts` maps an effort, what it
    lacks goes through as it is, and what it maps to nothing is dropped.
    """

    limit: str = "max_tokens"
    required: str = "required"
    passed: frozenset[str] = frozenset(
        {
            "seed",
            "frequency_penalty",
            "presence_penalty",
            "logit_bias",
            "reasoning_effort",
        }
    )
    efforts: Mapping[str, str] | None = None
    takes_stop: bool = True
    takes_format: bool = True
    takes_strict: bool = True
    is_mistral: bool = False
    only_strings: bool = False

    @property
    def takes_names(self) -> bool:
        """Whether one tool can be demanded by name."""
        return self.required == "required"


_WITHOUT_FORMAT = frozenset({SCHEMAS.name, JSON_SCHEMA.name, RESPONSE_FORMAT.name})
"""Of what a server refused, that after which formats are asked for in words."""

_PLAIN = Host()
_MISTRAL = Host(is_mistral=True)
_MISTRAL_CHAT = replace(
    _MISTRAL,
    required="any",
    passed=frozenset(),
    takes_stop=False,
    takes_format=False,
    only_strings=True,
)
_MOONSHOT = Host(required="auto", takes_stop=False)

_HOSTS = {
    "openai.gpt-oss": Host(
        limit="max_completion_tokens",
        passed=_PLAIN.passed - {"logit_bias"} | {"logprobs", "top_logprobs"},
        efforts={"none": "low", "minimal": "low", "xhigh": "high", "max": "high"},
    ),
    "deepseek.": Host(
        efforts={"none": "", "minimal": "low", "xhigh": "high", "max": "high"}
    ),
    "qwen.": Host(
        passed=_PLAIN.passed - {"reasoning_effort"} | {"logprobs", "top_logprobs"}
    ),
    "moonshot.": _MOONSHOT,
    "moonshotai.": _MOONSHOT,
    "mistral.": _MISTRAL,
    "mistral.mistral-large-2": _MISTRAL_CHAT,
    "mistral.pixtral-": replace(_MISTRAL_CHAT, only_strings=False),
}


@lru_cache(maxsize=256)
def host_of(base: str) -> Host:
    """Return how the server of a base model differs."""
    prefixes = [prefix for prefix in _HOSTS if base.startswith(prefix)]
    return _HOSTS[max(prefixes, key=len)] if prefixes else _PLAIN


def host_at(route: Route) -> Host:
    """Return how the server differs, and what it refused before."""
    host, avoid = host_of(route.base_model), route.avoid
    if not {each.name for each in FORMATS}.isdisjoint(avoid):
        is_loose = avoid.isdisjoint(_WITHOUT_FORMAT)
        host = replace(host, takes_strict=False, takes_format=is_loose)
    return host
