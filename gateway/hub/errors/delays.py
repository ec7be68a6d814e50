"""When to try again, where an upstream tells it in the body of its refusal alone."""

import math
import re
from typing import Any

from gateway.wire.jsontext import JSON

_LONGEST = 24 * 3600

_SECONDS = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_AMOUNT = (
    r"\d{1,9}(?:\.\d{1,12})?\s?"
    r"(?:ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?)?(?![a-z])"
)
_TOLD = re.compile(
    r"(?:try again|retry(?:ing)?|wait|available again|resets?|reset)"
    rf"(?: in| after| for)?(?: about| approximately| at least)?[: ]+"
    rf"((?:{_AMOUNT}\s?(?:and |, )?){{1,4}})",
    re.IGNORECASE,
)
_PART = re.compile(r"(\d+(?:\.\d+)?)\s?([a-z]*)", re.IGNORECASE)
_FIELDS = {
    "retryDelay": 1.0,
    "retry_delay": 1.0,
    "retry_after": 1.0,
    "retryAfter": 1.0,
    "retry_after_seconds": 1.0,
    "retryAfterSeconds": 1.0,
    "retry_after_ms": 0.001,
    "retryAfterMs": 0.001,
}
"""Google's `RetryInfo` and the like: a text with its unit, or a number of such."""


def delay_of(objects: list[JSON]) -> int:
    """Return the whole seconds that a field of an error tells, rounded up; else 0."""
    for item in objects:
        for name, unit in _FIELDS.items():
            if name in item and (delay := _rounded(_seconds(item[name], unit))):
                return delay
    return 0


def delay_in(text: str) -> int:
    """Return the whole seconds that a sentence tells, rounded up; else 0."""
    found = _TOLD.search(text)
    return _rounded(_sum(found[1])) if found else 0


def _seconds(value: Any, unit: float) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value * unit
    if isinstance(value, dict):  # a protobuf duration, as some libraries print it
        return _seconds(value.get("seconds", 0), unit)
    if not isinstance(value, str) or not re.fullmatch(_AMOUNT, value.strip(), re.I):
        return 0.0
    return _sum(value) if value.strip()[-1].isalpha() else float(value) * unit


def _sum(text: str) -> float:
    """Return the seconds of an amount such as ``1m7.66s`` or ``20 seconds``."""
    return sum(float(number) * _unit(name) for number, name in _PART.findall(text))


def _unit(name: str) -> float:
    name = name.lower()
    if name.startswith("mil") or name == "ms":
        return _SECONDS["ms"]
    return _SECONDS.get(name[:1], 0.0)


def _rounded(seconds: float) -> int:
    return math.ceil(seconds) if 0 < seconds <= _LONGEST else 0
