"""Plain parameters: sampling, stop sequences, and whose request it is."""

import re
from hashlib import sha256
from typing import NamedTuple

from gateway.hub.protocol import JSON
from gateway.hub.requests.rendering import Rendering
from gateway.translators.anthropic.requests.claude_models import ClaudeModel
from gateway.translators.anthropic.requests.dialect import Dialect


def sampling(rendering: Rendering, model: ClaudeModel, *, thinks: bool) -> JSON:
    """Return temperature, top_p and top_k as far as the model takes them.

    Thinking fixes the temperature at 1 and allows a top_p of 0.95 and up only.
    """
    body, losses = rendering.body, rendering.losses
    temperature, top_p = body.get("temperature"), body.get("top_p")
    takes_any = model.sampling != "none"
    taken: JSON = {}
    if temperature is not None:
        if takes_any and (not thinks or temperature == 1):
            taken["temperature"] = min(temperature, 1)
            if temperature > 1:
                losses.downgrade("temperature")
        else:
            losses.drop("temperature")
    if top_p is not None:
        excluded = model.sampling == "one" and "temperature" in taken
        if takes_any and not excluded and (not thinks or top_p >= 0.95):
            taken["top_p"] = top_p
        else:
            losses.drop("top_p")
    if "top_k" in body:
        if takes_any and not thinks:
            taken["top_k"] = body["top_k"]
        else:
            losses.drop("top_k")
    return taken


class Stop(NamedTuple):
    """Stop sequences: those that Claude is sent, and those left to the gateway."""

    sent: list[str]
    emulated: tuple[str, ...]


_NO_STOP = Stop([], ())


def stop_of(body: JSON) -> Stop:
    """Return a request's stop sequences; Claude takes none of whitespace alone."""
    if "stop" not in body:
        return _NO_STOP
    sent = [text for text in body["stop"] if text.strip()]
    return Stop(sent, tuple(text for text in body["stop"] if not text.strip()))


_SERVICE_TIERS = {
    "auto": "auto",
    "default": "standard_only",
    "fast": "auto",
    "priority": "auto",
}

_is_opaque = re.compile(r"[A-Za-z0-9._:-]{1,256}").fullmatch
_is_phone = re.compile(r"[0-9.-]{7,20}").fullmatch


def account(rendering: Rendering, dialect: Dialect) -> JSON:
    """Return the opaque user id and the service tier, where the host takes them."""
    body, losses = rendering.body, rendering.losses
    told: JSON = {}
    for field in ("safety_identifier", "user"):
        if not body.get(field):
            continue
        if not dialect.user_id:
            losses.drop(field)
        elif "metadata" not in told:
            told["metadata"] = {"user_id": _user_id(body[field])}
    tier = body.get("service_tier")
    if tier is not None and dialect.service_tier:
        if tier in _SERVICE_TIERS:
            told["service_tier"] = _SERVICE_TIERS[tier]
        else:
            losses.drop("service_tier")
    return told


def _user_id(user: str) -> str:
    """Return an identifier that names nobody: Anthropic asks for opaque ones.

    https://platform.claude.com/docs/en/api/messages#body-metadata
    """
    if _is_opaque(user) and not _is_phone(user):
        return user
    return sha256(user.encode()).hexdigest()


_DROPPED = (
    "seed",
    "frequency_penalty",
    "presence_penalty",
    "store",
    "verbosity",
    "min_p",
    "repeat_penalty",
    "num_ctx",
    "keep_alive",
    "truncate",
)
"""Tuning that Claude does not know; zero and false ask for nothing."""

_TUNING = frozenset(_DROPPED)
_ALWAYS_DROPPED = frozenset({"seed", "keep_alive"})
"""Of these, zero is a value like any other."""


def drop_tuning(rendering: Rendering) -> None:
    """Note the tuning in the request that is not sent."""
    body = rendering.body
    if _TUNING.isdisjoint(body):
        return
    for field in _DROPPED:
        if field in body and (body[field] or field in _ALWAYS_DROPPED):
            rendering.losses.drop(field)
