"""What each Claude model accepts, as data.

The same model takes the same body at Anthropic and on Bedrock, so both translators read
this table. Sources: the models overview, the migration guides and the thinking and
effort pages of https://platform.claude.com/docs/en/about-claude/models/overview
https://platform.claude.com/docs/en/build-with-claude/thinking
https://platform.claude.com/docs/en/build-with-claude/effort
https://platform.claude.com/docs/en/build-with-claude/structured-outputs
A provider's model row overrides any of it by the names of `ClaudeModel`'s fields.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

from gateway.errors import GatewayError
from gateway.hub.protocol import JSON, Route

Sampling = Literal["all", "one", "none"]


@dataclass(frozen=True)
class ClaudeModel:
    """The capabilities of one model.

    `thinks` tells whether it thinks when a request says nothing about thinking;
    `thinking` are the accepted values of ``thinking.type`` and `efforts` those of
    ``output_config.effort``. `sampling` is "one" where temperature and top_p exclude
    each other. `preserved` means that replayed thinking is checked against everything
    before it. `quiet` is how the model is told to think least where it thinks by
    itself: a value of ``thinking.type``, or empty where only a low effort helps.
    `caches` tells whether cache marks are taken, `long_cache` whether for an hour, too.
    """

    max_output: int = 128_000
    thinks: bool = True
    thinking: frozenset[str] = frozenset({"adaptive"})
    efforts: tuple[str, ...] = ("low", "medium", "high", "xhigh", "max")
    sampling: Sampling = "none"
    forced_tools: bool = False
    prefill: bool = False
    mid_system: bool = False
    structured: bool = True
    preserved: bool = True
    caches: bool = True
    long_cache: bool = True

    @property
    def is_adaptive(self) -> bool:
        """Whether the model decides itself how much to think."""
        return "adaptive" in self.thinking

    @property
    def quiet(self) -> str:
        """The ``thinking.type`` for the least thinking; empty if there is none."""
        for type in ("disabled", "between_tools"):
            if type in self.thinking:
                return type
        return ""


_MANUAL = frozenset({"enabled", "disabled"})
_EITHER = frozenset({"adaptive", "disabled"})
_UP_TO_HIGH = ("low", "medium", "high")
_ALL = ("low", "medium", "high", "xhigh", "max")

_UNKNOWN = ClaudeModel()
"""A model that is not in the table yet: what the newest have in common."""

_3 = ClaudeModel(
    max_output=4096,
    thinks=False,
    thinking=frozenset(),
    efforts=(),
    sampling="all",
    forced_tools=True,
    prefill=True,
    structured=False,
    preserved=False,
)
_4 = replace(_3, max_output=64_000, thinking=_MANUAL)
_4_5 = replace(_4, sampling="one", structured=True)
_4_6 = replace(
    _4_5,
    max_output=128_000,
    thinking=_MANUAL | _EITHER,
    efforts=(*_UP_TO_HIGH, "max"),
    prefill=False,
)
_4_7 = replace(_4_6, thinking=_EITHER, efforts=_ALL, sampling="none")
_5 = replace(_4_7, thinks=True)
_FABLE = replace(_UNKNOWN, mid_system=True, preserved=False)
_FABLE_5_1 = replace(_FABLE, preserved=True)

_MODELS: dict[str, ClaudeModel] = {
    "claude-3": _3,
    "claude-3-5": replace(_3, max_output=8192),
    "claude-3-7-sonnet": _4,
    "claude-sonnet-4": _4,
    "claude-opus-4": replace(_4, max_output=32_000),
    "claude-opus-4-1": replace(_4_5, max_output=32_000),
    "claude-sonnet-4-5": _4_5,
    "claude-haiku-4-5": _4_5,
    "claude-opus-4-5": replace(_4_5, efforts=_UP_TO_HIGH),
    "claude-opus-4-6": _4_6,
    "claude-sonnet-4-6": _4_6,
    "claude-opus-4-7": _4_7,
    "claude-opus-4-8": replace(_4_7, mid_system=True),
    "claude-sonnet-5": _5,
    "claude-opus-5": replace(_5, mid_system=True),
    "claude-haiku-5-5": replace(_5, mid_system=True, preserved=True),
    "claude-sonnet-5-5": replace(
        _FABLE_5_1, thinking=frozenset({"adaptive", "between_tools"})
    ),
    "claude-opus-5-5": _FABLE_5_1,
    "claude-fable-5": _FABLE,
    "claude-mythos-5": _FABLE,
    "claude-mythos-preview": _FABLE,
    "claude-fable-5-1": _FABLE_5_1,
    "claude-fable-5-2": _FABLE_5_1,
    "claude-mythos-5-1": _FABLE_5_1,
    "claude-mythos-5-2": _FABLE_5_1,
}

_BY_LENGTH = sorted(_MODELS, key=len, reverse=True)

_found = re.compile(
    r"""claude[-_.]([a-z0-9._-]*[a-z0-9])""",  # without prefix, vendor, [1m] and :tag
    re.VERBOSE,
).search

_dated = re.compile(
    r"""(?:[-@](?:20\d{6}|latest|default))*   # the snapshot's date
        (?:-v\d+)?$                                  # Bedrock's version
    """,
    re.VERBOSE,
).sub

_REORDERED = (
    # claude-opus-41
    (re.compile(r"^(claude-[a-z]+)-(\d)(\d)(?=-|$)"), r"\1-\2-\3"),
    # claude-opus-4-0
    (re.compile(r"^(claude-[a-z]+-\d)-0(?=-|$)"), r"\1"),
    # claude-4.5-sonnet, claude-4-opus
    (re.compile(r"^claude-([4-9](?:-\d)?)-([a-z]+)"), r"claude-\2-\1"),
    # claude-sonnet-3.7
    (re.compile(r"^claude-(opus|sonnet|haiku)-(3(?:-\d)?)(?=-|$)"), r"claude-\2-\1"),
)
"""How else a model's generation and size are put together, to how Anthropic does."""


@lru_cache(maxsize=1024)
def base_id(id: str) -> str:
    """Return the bare model name within any id by which hosts and clients know it.

    >>> base_id("us.anthropic.claude-sonnet-4-5-20250929-v1:0")
    'claude-sonnet-4-5'
    >>> base_id("anthropic/claude-4.5-sonnet")
    'claude-sonnet-4-5'
    """
    found = _found(id.lower())
    if not found:
        return id
    name = "claude-" + re.sub("[._]", "-", found[1])
    name = _dated("", name)
    for pattern, order in _REORDERED:
        name = pattern.sub(order, name)
    return name


def claude_model(route: Route) -> ClaudeModel:
    """Return what the model of `route` accepts, with the route's own overrides.

    Raises a 500 `GatewayError` that names an override which makes no sense.
    """
    model = _lookup(route.base_model or route.upstream_model)
    return _override(model, route.capabilities) if route.capabilities else model


@lru_cache(maxsize=1024)
def _lookup(id: str) -> ClaudeModel:
    name = base_id(id)
    for prefix in _BY_LENGTH:
        if name == prefix or name.startswith(f"{prefix}-"):
            return _MODELS[prefix]
    return _UNKNOWN


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_names(value: Any) -> bool:
    is_list = isinstance(value, list | tuple | frozenset)
    return is_list and all(isinstance(name, str) for name in value)


_FIELDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "max_output": (
        lambda value: isinstance(value, int) and not _is_flag(value) and value > 0,
        "a number of tokens",
    ),
    "thinks": (_is_flag, "true or false"),
    "thinking": (_is_names, "a list of names"),
    "efforts": (_is_names, "a list of names"),
    "sampling": (
        lambda value: value in ("all", "one", "none"),
        "one of 'all', 'one' and 'none'",
    ),
    "forced_tools": (_is_flag, "true or false"),
    "prefill": (_is_flag, "true or false"),
    "mid_system": (_is_flag, "true or false"),
    "structured": (_is_flag, "true or false"),
    "preserved": (_is_flag, "true or false"),
    "caches": (_is_flag, "true or false"),
    "long_cache": (_is_flag, "true or false"),
}
"""What an override must be, and how to say so."""


def _override(model: ClaudeModel, capabilities: Mapping[str, Any]) -> ClaudeModel:
    changes: JSON = {}
    for name, (is_valid, expected) in _FIELDS.items():
        if name not in capabilities:
            continue
        value = capabilities[name]
        if not is_valid(value):
            raise GatewayError(
                500,
                "server_error",
                f"The model's capability '{name}' must be {expected}. An administrator "
                "must correct it in the model's settings.",
                "invalid_capability",
            )
        changes[name] = value
    if "thinking" in changes:
        changes["thinking"] = frozenset(changes["thinking"])
    if "efforts" in changes:
        changes["efforts"] = tuple(changes["efforts"])
    return replace(model, **changes)
