"""The fields of a request beside its messages and tools, in the hub's.

https://platform.claude.com/docs/en/api/messages/create
"""

import re
from hashlib import sha256
from typing import Any

from gateway.doors.messages.request.checks import (
    integer,
    invalid,
    missing,
    not_offered,
    number,
    optional,
    unknown_tag,
    wrong_type,
)
from gateway.doors.messages.request.profile import Profile
from gateway.doors.messages.request.tools.closed import is_closed
from gateway.hub.requests.losses import Losses
from gateway.wire.jsontext import JSON, JSONError, decode

SAID = frozenset(
    {
        "model",
        "messages",
        "system",
        "max_tokens",
        "stream",
        "temperature",
        "top_p",
        "top_k",
        "stop_sequences",
        "thinking",
        "output_config",
        "output_format",
        "metadata",
        "service_tier",
        "tools",
        "tool_choice",
        "cache_control",
        "betas",
        "anthropic_version",
    }
)
"""Fields that have a place in the hub, or none and no meaning for an answer."""

MEANT = ("mcp_servers", "container", "thread", "inference_geo")
"""Fields without which the request would mean something else."""

EFFORTS = ("low", "medium", "high", "xhigh", "max")

MOST_STOPS = 4
"""As many stop sequences as OpenAI takes; the gateway cuts at the others."""

_is_opaque = re.compile(r"[A-Za-z0-9_.-]{1,64}").fullmatch


def check_known(body: JSON, losses: Losses) -> None:
    """Note what has no place in the hub; raises a 400 where that changes the meaning.

    The list of fields is open, for agents send new ones before anybody knows them.
    """
    for field in MEANT:
        if body.get(field):
            raise not_offered(field, "not supported by this provider")
    for field, value in body.items():
        if field not in SAID and field not in MEANT and value is not None:
            losses.drop(field)


def limit_of(body: JSON, profile: Profile, losses: Losses) -> JSON:
    """Return the limit of the answer, no higher than the model's own."""
    if body.get("max_tokens") is None:
        raise missing("max_tokens")
    limit = integer(body["max_tokens"], "max_tokens", 1)
    most = profile.max_output
    if most is not None and limit > most:
        losses.downgrade("max_tokens")
        limit = most
    return {profile.limit_field: limit}


def sampling_of(body: JSON, profile: Profile, losses: Losses) -> JSON:
    """Return how the next token is chosen."""
    sampling: JSON = {}
    for field in ("temperature", "top_p"):
        if (value := number(body, field, 0, 1)) is not None:
            sampling[field] = value
    if body.get("top_k") is not None:
        top_k = integer(body["top_k"], "top_k", 0)
        if profile.is_translated:
            sampling["top_k"] = top_k
        else:
            losses.drop("top_k")
    return sampling


def stops_of(body: JSON) -> list[str]:
    """Return the stop sequences."""
    stops: Any = optional(body, "stop_sequences", list, "list")
    for place, stop in enumerate(stops or ()):
        if not isinstance(stop, str):
            raise wrong_type(f"stop_sequences.{place}", "string")
    return [stop for stop in stops or () if stop]


def reasoning_of(body: JSON, profile: Profile) -> JSON:
    """Return how much the model is to think, where anything is said about it."""
    config: Any = optional(body, "output_config", dict, "dictionary") or {}
    effort, asked = config.get("effort"), _thinking(body)
    if effort is not None and effort not in EFFORTS:
        known = ", ".join(f"'{each}'" for each in EFFORTS)
        raise invalid("output_config.effort", f"Input should be one of {known}")
    if asked == "none":
        return {"reasoning_effort": "none"} if profile.says_none else {}
    effort = effort or asked
    return {"reasoning_effort": effort} if effort and profile.takes_effort else {}


def _thinking(body: JSON) -> str:
    """Return the effort that `thinking` comes to, empty for the model's default."""
    thinking: Any = optional(body, "thinking", dict, "dictionary")
    if thinking is None:
        return ""
    match thinking.get("type"):
        case "disabled":
            return "none"
        case "enabled":
            return _effort_of(_budget(thinking, body.get("max_tokens")))
        case "adaptive" | "between_tools":
            return ""
        case kind:
            raise unknown_tag("thinking", kind, ("adaptive", "disabled", "enabled"))


def _budget(thinking: JSON, limit: Any) -> int:
    path = "thinking.enabled.budget_tokens"
    if thinking.get("budget_tokens") is None:
        raise missing(path)
    budget = integer(thinking["budget_tokens"], path, 1024)
    if isinstance(limit, int) and budget >= limit:
        raise invalid(
            "max_tokens", "`max_tokens` must be greater than `thinking.budget_tokens`"
        )
    return budget


def _effort_of(budget: int) -> str:
    if budget <= 4096:
        return "low"
    return "medium" if budget <= 12288 else "high"


def format_of(body: JSON) -> JSON:
    """Return the schema that the answer is held to, where one is given."""
    config: Any = body.get("output_config") or {}
    path = "output_config.format" if config.get("format") else "output_format"
    given = config.get("format") or body.get("output_format")
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise wrong_type(path, "dictionary")
    if given.get("type") != "json_schema":
        raise unknown_tag(path, given.get("type"), ("json_schema",))
    schema = given.get("schema")
    if not isinstance(schema, dict):
        raise (
            missing(f"{path}.schema")
            if schema is None
            else wrong_type(f"{path}.schema", "dictionary")
        )
    described = {"name": "output", "schema": schema, "strict": is_closed(schema)}
    return {"response_format": {"type": "json_schema", "json_schema": described}}


def user_of(body: JSON, session: str, profile: Profile) -> JSON:
    """Return for whom the request is made, where the upstream may know.

    The id holds a device and an account: nobody but OpenAI itself gets a digest of it.
    """
    metadata: Any = optional(body, "metadata", dict, "dictionary") or {}
    user = optional(metadata, "user_id", str, "string", "metadata") or ""
    fields: JSON = {}
    if user and profile.user_field:
        fields[profile.user_field] = user if _is_opaque(user) else _digest(user)
    session = _session(user) or session
    if session and profile.is_openai:
        fields["prompt_cache_key"] = _digest(session)[:32]
    return fields


def _session(user: str) -> str:
    """Return the session that Claude Code tells within the user's id."""
    try:
        told = decode(user.encode())
    except (*JSONError, UnicodeEncodeError):
        return ""
    session = told.get("session_id") if isinstance(told, dict) else None
    return session if isinstance(session, str) else ""


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def tier_of(body: JSON, profile: Profile) -> JSON:
    """Return the tier, where the upstream has any."""
    tiers = {"auto": "auto", "standard_only": "default"}
    tier = tiers.get(str(body.get("service_tier")))
    return {"service_tier": tier} if tier and profile.is_openai else {}
