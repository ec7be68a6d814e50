"""What the model families behind Converse accept, as data.

https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-supported-models-features.html
and the API's own refusals where that page is silent.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from gateway.translators.bedrock.tool_ids import converse_id, mistral_id

Reasoning = Literal["", "nova", "effort", "qwen", "deepseek"]


@dataclass(frozen=True)
class Profile:
    """One family.

    `choices` are the kinds of tool choice it knows. `has_status` tells whether a tool
    result may say that it failed, `lone_results` that a turn with results may hold
    nothing else. `caches` tells whether cache points are understood after messages and
    system, `structured` whether a JSON schema is enforced, `takes_stop` whether stop
    sequences are taken; `takes_system` is off where a system prompt is refused,
    `streams_tools` where streams are refused beside tools. `prefills` tells whether a
    last assistant turn is gone on with, `sees_results` whether a tool's result may hold
    images, `tells_sources` whether documents in context and search results may be
    cited, `bare_schemas` whether the root of a tool's schema may hold next to nothing.
    `reasoning` is how its effort is set, `call_id` what its tool ids must look like.
    """

    choices: frozenset[str] = frozenset()
    has_status: bool = False
    lone_results: bool = False
    caches: bool = False
    structured: bool = False
    takes_stop: bool = True
    takes_system: bool = True
    streams_tools: bool = True
    prefills: bool = False
    sees_results: bool = False
    tells_sources: bool = False
    bare_schemas: bool = False
    reasoning: Reasoning = ""
    takes_top_k: bool = False
    call_id: Callable[[str], str] = converse_id


_ANY = frozenset({"auto", "any"})
_NAMED = frozenset({"auto", "any", "tool"})

_PLAIN = Profile()
# Claude 2 and Instant; all others are rendered by Anthropic's own rules.
_CLAUDE = Profile(choices=_NAMED, has_status=True, sees_results=True)
_NOVA = Profile(
    choices=_NAMED,
    has_status=True,
    caches=True,
    takes_top_k=True,
    prefills=True,
    sees_results=True,
    tells_sources=True,
    bare_schemas=True,
)
_MISTRAL = Profile(lone_results=True, call_id=mistral_id)
_MISTRAL_LARGE = replace(_MISTRAL, choices=_ANY)
_LLAMA = Profile(lone_results=True, takes_stop=False, streams_tools=False)
_QWEN = Profile(takes_stop=False, reasoning="qwen")
_DEEPSEEK = Profile(takes_stop=False)
_SCHEMA = Profile(structured=True)

# The longest matching prefix wins.
PROFILES = {
    "anthropic.": _CLAUDE,
    "amazon.nova-": _NOVA,
    "amazon.nova-2-": replace(_NOVA, reasoning="nova"),
    "amazon.titan-": Profile(takes_system=False),
    "meta.": _LLAMA,
    "meta.llama4": replace(_LLAMA, sees_results=True),
    "mistral.": _MISTRAL,
    "mistral.mistral-7b": replace(_MISTRAL, takes_system=False),
    "mistral.mixtral": replace(_MISTRAL, takes_system=False),
    "mistral.mistral-large-": _MISTRAL_LARGE,
    "mistral.pixtral-large-": _MISTRAL_LARGE,
    "mistral.mistral-large-3": replace(_MISTRAL_LARGE, structured=True),
    "mistral.magistral": replace(_MISTRAL_LARGE, structured=True),
    "mistral.ministral-3": replace(_MISTRAL, structured=True),
    "writer.": Profile(lone_results=True, streams_tools=False),
    "openai.gpt-oss": Profile(reasoning="effort"),
    "qwen.": _QWEN,
    "qwen.qwen3": replace(_QWEN, structured=True),
    "deepseek.": _DEEPSEEK,
    "deepseek.v3": replace(_DEEPSEEK, reasoning="deepseek"),
    "zai.": Profile(choices=_ANY, structured=True),
    "moonshot.": Profile(choices=_ANY, structured=True, takes_stop=False),
    "moonshotai.": Profile(choices=_ANY, structured=True, takes_stop=False),
    "minimax.minimax-m2": _SCHEMA,
    "nvidia.nemotron-nano": _SCHEMA,
    "google.gemma-3-12b": _SCHEMA,
    "google.gemma-3-27b": _SCHEMA,
}


@lru_cache(maxsize=1024)
def profile_of(base: str) -> Profile:
    """Return the profile of a base model; an unknown one is given the least."""
    prefixes = [prefix for prefix in PROFILES if base.startswith(prefix)]
    return PROFILES[max(prefixes, key=len)] if prefixes else _PLAIN
