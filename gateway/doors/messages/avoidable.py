"""What upstreams refuse of what this door's clients always send, and can do without.

Coding agents ask for the longest answer and the highest effort whatever the model, and
do not know what to do with a refusal in another API's words.
https://platform.openai.com/docs/api-reference/chat/create
"""

import re

from gateway.doors.unknown_fields import named_unknown
from gateway.hub.protocol import Feature

_FLAGS = re.IGNORECASE | re.DOTALL
_MOST = (
    r"(?:supports? at most|at most|<=?(?!\d+>)|less (?:than )?or equal to|limited to"
    r"|(?:must|should) be (?:at most|below)|between \d+ and|model limit of"
    r"|range of \S+ (?:is|should be) \[\d+,|tokens: \d+ >"
    r"|maximum (?:allowed |output |value )*(?:tokens )?(?:is|of|:|=)?)"
)


LIMIT = Feature(
    "limit",
    ("max_tokens", "max_completion_tokens", "max_gen_len", "inferenceConfig"),
    re.compile(
        r"^(?=.*(?:max_(?:completion_|output_|new_)?tokens|max_gen_len"
        r"|maximum tokens you requested))(?!.*\bcontext\b)"
        rf".*?{_MOST}[\s`'\"]*(?P<value>\d{{2,9}})",
        _FLAGS,
    ),
    lasts=True,
)
"""A limit above the model's own: it is asked for again with that."""

LIMIT_FIELD = Feature(
    "limit_field",
    ("max_tokens", "max_completion_tokens"),
    re.compile(
        r"max_tokens.{0,60}(?:not supported|unsupported).{0,80}max_completion_tokens"
        r"|max_completion_tokens.{0,60}(?:unknown|unrecogni[sz]ed|extra|not permitted"
        r"|not supported|unsupported)"
        r"|(?:unknown|unrecogni[sz]ed|extra|unsupported).{0,60}max_completion_tokens",
        _FLAGS,
    ),
    lasts=True,
)
"""The name of the limit: https://github.com/openai/openai-python/issues/2046"""

EFFORT_BESIDE_TOOLS = Feature(
    "effort_beside_tools",
    ("tools",),
    re.compile(r"tools with reasoning_effort", _FLAGS),
    lasts=True,
)
"""Some of OpenAI's models take tools only without reasoning, even where none is asked
for: https://github.com/BerriAI/litellm/issues/34569"""

EFFORT = Feature(
    "reasoning_effort",
    ("reasoning_effort",),
    re.compile(
        r"^.*?reasoning_effort.*?supported values are:?(?P<value>[^.]{1,200})"
        rf"|{named_unknown('reasoning_effort').pattern}"
        r"|does not support (?:thinking|reasoning)",
        _FLAGS,
    ),
    lasts=True,
)
"""How much to think: left out, or the highest of the levels that are named."""

MID_SYSTEM = Feature(
    "mid_system",
    ("messages",),
    re.compile(
        r"system messages? (?:is|are) not allowed|system message must (?:be|come)"
        r"|only user and assistant roles|role '?system'? is not supported"
        r"|system role (?:is )?not supported|unexpected role '?system"
        r"|raise_exception.{0,200}system",
        _FLAGS,
    ),
    lasts=True,
)
"""Instructions amid the conversation, which some templates know at its start only:
https://github.com/ollama/ollama/issues/17774"""

OPTIONAL = (
    "temperature",
    "top_p",
    "parallel_tool_calls",
    "safety_identifier",
    "prompt_cache_key",
    "service_tier",
    "response_format",
)
"""Fields that are left out where a server does not know them."""

STRICT = Feature("strict_schemas", ("strict",), named_unknown("strict"), anywhere=True)

AVOIDABLE: tuple[Feature, ...] = (
    LIMIT_FIELD,
    LIMIT,
    EFFORT_BESIDE_TOOLS,
    EFFORT,
    MID_SYSTEM,
    *(Feature(field, (field,), named_unknown(field)) for field in OPTIONAL),
    STRICT,
)
