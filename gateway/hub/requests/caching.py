"""Prompt caching: the marks that clients set, and as many as upstreams take.

https://platform.claude.com/docs/en/build-with-claude/prompt-caching
"""

import re
from collections.abc import Iterable, Sequence, Set
from typing import Any

from gateway.hub.protocol import JSON, Feature

MAX_MARKS = 4

MARK = "cache_control"
"""Where a rendered block carries its mark."""

MARKS = frozenset({"cache_control", "prompt_cache_breakpoint"})
"""Fields that hold a mark, by the two names that clients know."""

_TTLS = {"5m": "5m", "1h": "1h", "30m": "1h", "12h": "1h"}
"""Lifetimes that clients ask for to those that there are; others give the default."""


def cache_mark(holder: JSON) -> JSON | None:
    """Return the mark that a part, message or tool carries, as `cache_control`."""
    if MARKS.isdisjoint(holder):
        return None
    mark = holder.get("cache_control") or holder.get("prompt_cache_breakpoint")
    return as_mark(mark) if mark else None


def tool_cache_mark(source: JSON) -> JSON | None:
    """Return the mark of a tool, which may also stand inside its `function`."""
    if mark := cache_mark(source):
        return mark
    function = source.get("function")
    return cache_mark(function) if isinstance(function, dict) else None


def as_mark(mark: Any) -> JSON:
    """Return a client's mark as a `cache_control`."""
    ttl = mark.get("ttl") if isinstance(mark, dict) else None
    known = _TTLS.get(ttl) if isinstance(ttl, str) else None
    return {"type": "ephemeral", "ttl": known} if known else {"type": "ephemeral"}


LONG = "1h"
"""The longer of the two lifetimes."""


def fit_marks(
    holders: Iterable[JSON], avoid: Set[str], *, caches: bool, long_cache: bool
) -> bool:
    """Fit the marks on rendered `holders` to what a model takes, in place.

    A mark is a hint: where there is no cache it goes. Returns whether one that asked
    for the longer lifetime got the shorter. `avoid` names what was refused before.
    """
    caches = caches and CACHE_MARKS.name not in avoid
    long_cache = long_cache and LONG_CACHE.name not in avoid
    is_shortened = False
    for holder in holders:
        if MARK not in holder:
            continue
        if not caches:
            del holder[MARK]
        elif not long_cache and "ttl" in holder[MARK]:
            # Who knows one lifetime only may refuse to hear of it.
            is_shortened |= holder[MARK]["ttl"] == LONG
            holder[MARK] = {"type": "ephemeral"}
    return is_shortened


def mark_last(block: JSON, mark: Any) -> None:
    """Mark the last block of a prompt, as a mark of the whole request means."""
    if mark and MARK not in block:
        block[MARK] = as_mark(mark)


LONG_CACHE = Feature(
    "long_cache",
    ("ttl",),
    re.compile(r"\bttl\b", re.IGNORECASE),
    anywhere=True,
    lasts=True,
    denied=True,
)
CACHE_MARKS = Feature(
    "cache_marks",
    ("cache_control", "cachePoint"),
    re.compile(r"prompt caching|cache_control|cache ?point", re.IGNORECASE),
    anywhere=True,
    denied=True,
)
"""What refusals of marks look like: the prompt is asked for without."""


def limit_marks(
    tools: Sequence[JSON],
    system: Sequence[JSON],
    messages: Sequence[JSON],
    whole: JSON | None = None,
) -> None:
    """Take surplus `cache_control` off the rendered blocks, in place.

    The three are in the order in which a prompt is read. Marks on tools and system
    stay, for they serve every conversation; of the messages' the newest stay. `whole`
    is the request where it carries a mark itself, which stands behind all others. A
    longer lifetime may not follow a shorter one, so then all get the shorter.
    """
    room = MAX_MARKS if whole is None else MAX_MARKS - 1
    marked_first = [block for block in (*tools, *system) if MARK in block]
    marked_last = [block for block in messages if MARK in block]
    if not marked_first and not marked_last:
        return
    kept_first = marked_first[-room:] if room else []
    room -= len(kept_first)
    kept_last = marked_last[-room:] if room else []
    for block in (*marked_first[: -len(kept_first) or None],):
        del block[MARK]
    for block in marked_last[: -len(kept_last) or None]:
        del block[MARK]
    kept = [*kept_first, *kept_last, *([] if whole is None else [whole])]
    if _lengthens([holder[MARK] for holder in kept]):
        for holder in kept:
            holder[MARK] = {"type": "ephemeral"}


def _lengthens(marks: list[JSON]) -> bool:
    short_seen = False
    for mark in marks:
        if mark.get("ttl") != "1h":
            short_seen = True
        elif short_seen:
            return True
    return False
