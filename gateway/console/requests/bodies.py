"""What was kept of a call's bodies, as the page of a request shows it."""

import re
from typing import NamedTuple

import msgspec
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from gateway.models import CallBody

FOLDED = 60
"""Lines from which on a body is folded."""
LONGEST_SEARCH = 100
MOST_HITS = 1_000
"""Places that are marked in one body; looking for "e" would mark most of it."""
KEYS = ("asked", "sent", "received", "answered")


class Shown(NamedTuple):
    """One body: `text` to copy, `html` with what is looked for marked."""

    key: str
    text: str
    html: SafeString
    lines: int
    hits: int
    is_open: bool


def shown(body: CallBody, search: str = "") -> list[Shown]:
    """Return the bodies that there are, those folded that are long.

    While something is looked for, those are open that hold it.
    """
    search = search.strip()[:LONGEST_SEARCH]
    texts = [(key, _pretty(getattr(body, key))) for key in KEYS]
    return [_shown(key, text, search) for key, text in texts if text]


def _shown(key: str, text: str, search: str) -> Shown:
    html, hits = _marked(text, search)
    lines = text.count("\n") + 1
    is_open = hits > 0 if search else lines < FOLDED
    return Shown(key, text, html, lines, hits, is_open)


def _marked(text: str, search: str) -> tuple[SafeString, int]:
    """Return `text` as HTML with each `search` in it marked, and how many there are."""
    if not search:
        return escape(text), 0
    pieces = re.split(f"({re.escape(search)})", text, flags=re.IGNORECASE)
    hits = len(pieces) // 2
    marked = 2 * min(hits, MOST_HITS)
    html = "".join(
        f"<mark>{escape(piece)}</mark>" if n % 2 and n < marked else escape(piece)
        for n, piece in enumerate(pieces)
    )
    return mark_safe(html), hits  # noqa: S308


def _pretty(text: str) -> str:
    """Return JSON on many lines; what was cut off is shown as it is."""
    try:
        return msgspec.json.format(text)
    except msgspec.DecodeError:
        return text
