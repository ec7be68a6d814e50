"""Prompt caching: the marks that clients set, and as many as upstreams take.

https://platform.claude.com/docs/en/build-with-claude/prompt-caching
"""

from collections.abc import Sequence
from typing import Any

from gateway.hub.protocol import JSON

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
