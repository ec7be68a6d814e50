"""What of an upstream's response headers the client may see.

An allowlist: everything else (cookies, server names, account ids) stays here.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

_RELAYED = ("retry-after", "retry-after-ms", "x-should-retry")
_REQUEST_IDS = ("x-request-id", "request-id", "x-amzn-requestid", "apim-request-id")
_NAMES_OF_IDS = frozenset(_REQUEST_IDS)
_ANTHROPIC = "anthropic-ratelimit-"
_OPENAI = "x-ratelimit-"
_BEGINNINGS = (*_RELAYED, _ANTHROPIC, _OPENAI)
_VALUE = re.compile(r"[ -~]{1,200}")
_REQUEST_ID = re.compile(r"[A-Za-z0-9_.:/+=-]{1,200}")
_OPENAI_LIMIT = re.compile(r"x-ratelimit-[a-z0-9-]{1,64}")


def relayed_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers to pass on, for answers as for errors, in lower case.

    `headers` have lower-case names. Anthropic's rate limits are told by OpenAI's names
    (https://platform.openai.com/docs/guides/rate-limits): the time of the reset becomes
    the seconds until then, counted from the answer's ``Date``.
    """
    told, has_id = _telling(tuple(headers))
    if not (told or has_id):
        return {}
    relayed: dict[str, str] = {}
    for name in told:
        value = headers[name]
        if name in _RELAYED:
            relayed[name] = value
        elif name.startswith(_OPENAI):
            if _OPENAI_LIMIT.fullmatch(name):
                relayed[name] = value
        elif name.startswith(_ANTHROPIC):
            relayed.update(_from_anthropic(name, value, headers.get("date", "")))
    for name in _REQUEST_IDS if has_id else ():
        if name in headers and _REQUEST_ID.fullmatch(headers[name]):
            relayed["x-upstream-request-id"] = headers[name]
            break
    return {name: value for name, value in relayed.items() if _VALUE.fullmatch(value)}


@lru_cache(maxsize=256)
def _telling(names: tuple[str, ...]) -> tuple[tuple[str, ...], bool]:
    """Return which of an answer's headers tell something, and whether one is its id.

    A server's answers have the same names, and two dozen of them.
    """
    told = tuple(name for name in names if name.startswith(_BEGINNINGS))
    return told, not _NAMES_OF_IDS.isdisjoint(names)


def _from_anthropic(name: str, value: str, date: str) -> dict[str, str]:
    what, _, figure = name.removeprefix(_ANTHROPIC).rpartition("-")
    if what not in ("requests", "tokens"):
        return {}
    if figure == "reset":
        seconds = _seconds_until(value, date)
        return {f"x-ratelimit-reset-{what}": f"{seconds}s"} if seconds else {}
    if figure in ("limit", "remaining"):
        return {f"x-ratelimit-{figure}-{what}": value}
    return {}


def _seconds_until(moment: str, date: str) -> str:
    """Return whole seconds from an HTTP date to an RFC 3339 time, "" if unknown."""
    try:
        left = datetime.fromisoformat(moment) - parsedate_to_datetime(date)
    except (ValueError, TypeError):
        return ""
    return str(max(0, round(left.total_seconds())))
