"""A request without what its upstream is known to refuse (see `avoidable`)."""

from collections.abc import Set

from gateway.doors.messages.avoidable import (
    EFFORT,
    EFFORT_BESIDE_TOOLS,
    LIMIT,
    LIMIT_FIELD,
    MID_SYSTEM,
    OPTIONAL,
    STRICT,
)
from gateway.doors.messages.request.fields import EFFORTS
from gateway.doors.messages.request.profile import Profile
from gateway.hub.requests.format_in_words import instructed, instruction
from gateway.hub.requests.losses import Losses
from gateway.wire.jsontext import JSON

_LIMITS = {
    "max_tokens": "max_completion_tokens",
    "max_completion_tokens": "max_tokens",
}

_TOLD = {
    "parallel_tool_calls": "tool_choice.disable_parallel_tool_use",
    "response_format": "output_config.format",
}
"""What a field of the hub's was in the request."""

_SILENT = frozenset({"safety_identifier", "prompt_cache_key"})
"""Fields that an answer does not depend on."""


def taught(profile: Profile, avoid: Set[str]) -> Profile:
    """Return a profile with what was learnt of the model."""
    if MID_SYSTEM.name in avoid:
        profile = profile._replace(mid_system="user")
    if LIMIT_FIELD.name in avoid:
        profile = profile._replace(limit_field=_LIMITS[profile.limit_field])
    limits = [int(value) for value in _values(LIMIT.name, avoid) if value.isdigit()]
    if profile.max_output is not None:
        limits.append(profile.max_output)
    return profile._replace(max_output=min(limits)) if limits else profile


def leave_out(hub: JSON, avoid: Set[str], losses: Losses) -> None:
    """Take out of the hub's request what its upstream refuses, and note it."""
    _fit_effort(hub, avoid, losses)
    for field in OPTIONAL:
        if field in avoid and field in hub:
            _take_out(hub, field, losses)
    if STRICT.name in avoid:
        _loosen(hub, losses)


def _take_out(hub: JSON, field: str, losses: Losses) -> None:
    value = hub.pop(field)
    if field == "response_format":
        hub["messages"] = instructed(hub["messages"], instruction(value))
        losses.downgrade(_TOLD[field])
    elif field not in _SILENT:
        losses.drop(_TOLD.get(field, field))


def _fit_effort(hub: JSON, avoid: Set[str], losses: Losses) -> None:
    if EFFORT_BESIDE_TOOLS.name in avoid and hub.get("tools"):
        hub["reasoning_effort"] = "none"
        losses.downgrade("output_config.effort")
        return
    wanted = hub.get("reasoning_effort")
    is_refused = EFFORT.name in avoid or bool(_values(EFFORT.name, avoid))
    if wanted not in EFFORTS or not is_refused:
        return
    known = [effort for effort in EFFORTS if effort in _values(EFFORT.name, avoid)]
    if wanted in known:
        return
    below = [each for each in known if EFFORTS.index(each) <= EFFORTS.index(wanted)]
    if EFFORT.name in avoid or not below:
        del hub["reasoning_effort"]
        losses.drop("output_config.effort")
    else:
        hub["reasoning_effort"] = below[-1]
        losses.downgrade("output_config.effort")


def _values(name: str, avoid: Set[str]) -> list[str]:
    """Return the values that were named instead of those that were refused."""
    return [
        value
        for each in avoid
        if each.startswith(f"{name} ")
        for value in each.split(" ")[1:]
    ]


def _loosen(hub: JSON, losses: Losses) -> None:
    """Hold nothing to its schema to the letter."""
    for tool in hub.get("tools") or ():
        if tool["function"].pop("strict", False):
            losses.downgrade("tools")
    described = (hub.get("response_format") or {}).get("json_schema")
    if described is not None:
        described.pop("strict", None)
