"""JSON that a strict reader refuses although an answer can be read from it.

Models write text token by token, and servers cut it within a character: half of a
surrogate pair at the end of one event, the other at the beginning of the next, or bytes
that are no UTF-8. Halves that follow each other are joined, others become U+FFFD. Only
what `decode` refused comes here.
"""

import json
import re
from itertools import pairwise
from typing import Any, NamedTuple

from gateway.wire.jsontext import JSONError, decode, encode

REPLACEMENT = "\ufffd"

_HALF = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|(?P<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2}|[\udc80-\udcff]+)"
    r"|\\[^\udc80-\udcff]",
    re.DOTALL,
)
"""Whole pairs and other escapes are there to be passed over."""


class _Half(NamedTuple):
    """A part of a character, between `start` and `end`.

    A `head` opens a string, a `tail` ends one.
    """

    text: str
    start: int
    end: int
    is_head: bool
    is_tail: bool


class Held(NamedTuple):
    """An event that may end within a character, and what goes with it."""

    text: str
    name: str


class Mender:
    """Mends the events of one stream; one that ends within a character is `held`."""

    def __init__(self) -> None:
        self.held: Held | None = None

    def mend(self, data: bytes, name: str = "message") -> list[tuple[bytes, str]]:
        """Return the events that are readable now, each with its name.

        Raises one of `JSONError` for what is no JSON at all.
        """
        text = _text(data)
        if self.held is None:
            return self._taken(text, name)
        before, self.held = self.held, None
        first, second = _joined(before.text, text)
        out = [(_mended(first), before.name)]
        try:
            return out + self._taken(second, name)
        except JSONError:
            return [*out, (data, name)]  # to be judged on its own

    def rest(self) -> list[tuple[bytes, str]]:
        """Return what is held: nothing follows."""
        held, self.held = self.held, None
        return [] if held is None else [(_mended(held.text), held.name)]

    def _taken(self, text: str, name: str) -> list[tuple[bytes, str]]:
        mended = _mended(text)
        if any(half.is_tail for half in _halves(text)):
            self.held = Held(text, name)
            return []
        return [(mended, name)]


def decode_mended(data: bytes) -> Any:
    """Return the value of a whole JSON text; raises one of `JSONError`."""
    return decode(_mended(_text(data)))


def decode_or_mend(data: bytes) -> Any:
    """Return what JSON text says, mended only where it is not JSON to the letter.

    Raises one of `JSONError` where it is none even so.
    """
    try:
        return decode(data)
    except JSONError:
        return decode_mended(data)


def first_half(text: str) -> tuple[str, int] | None:
    """Return the first part of a character in JSON text, and where it stands."""
    half = next(iter(_halves(text)), None)
    return None if half is None else (half.text, half.start)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape").removeprefix("\ufeff")


def _mended(text: str) -> bytes:
    """Return JSON without halves; raises one of `JSONError` for what is none."""
    kept, places = [], [(0, 0), *((h.start, h.end) for h in _halves(text))]
    for (_, end), (start, _) in pairwise([*places, (len(text), len(text))]):
        kept.append(text[end:start])
    mended = REPLACEMENT.join(kept)
    try:
        decode(mended)
    except JSONError:
        return _lenient(mended)
    return mended.encode()


def _lenient(text: str) -> bytes:
    """Return JSON for what only some writers take for it: NaN, bare line feeds.

    Raises one of `JSONError` for what nobody does.
    """
    try:
        value = json.loads(text, strict=False, parse_constant=lambda _: None)
        return encode(value)
    except (ValueError, RecursionError):
        decode(text)
        raise


def _halves(text: str) -> list[_Half]:
    return [
        _Half(
            found["half"],
            found.start(),
            found.end(),
            text[found.start() - 1 : found.start()] == '"',
            text[found.end() : found.end() + 1] == '"' and _may_begin(found["half"]),
        )
        for found in _HALF.finditer(text)
        if found["half"]
    ]


def _may_begin(half: str) -> bool:
    """Tell whether a half is the first one of a character."""
    return half[3] in "89abAB" if half.startswith("\\") else half[0] >= "\udcc2"


def _joined(before: str, after: str) -> tuple[str, str]:
    """Return two texts with the characters cut between them in the second."""
    tails = [half for half in _halves(before) if half.is_tail]
    heads = [half for half in _halves(after) if half.is_head]
    whole = [
        _whole(tail, head, is_last=after[head.end : head.end + 1] == '"')
        for tail, head in zip(tails, heads, strict=False)
    ]
    if len(tails) != len(heads) or not all(whole):
        return before, after
    for tail in reversed(tails):
        before = before[: tail.start] + before[tail.end :]
    for head, character in zip(reversed(heads), reversed(whole), strict=True):
        after = after[: head.start] + character + after[head.end :]
    return before, after


def _whole(tail: _Half, head: _Half, *, is_last: bool) -> str:
    """Return the character that two halves are, as JSON text; "" if they are none.

    Two parts may be a longer part, where nothing follows (`is_last`): some models write
    a character byte by byte.
    """
    text = tail.text + head.text
    try:
        if text.startswith("\\"):
            return str(decode(f'"{text}"'))
        return text.encode("utf-8", "surrogateescape").decode()
    except UnicodeDecodeError as error:
        is_part = error.start == 0 and error.end == len(text)
        return text if is_last and is_part and len(text) < 4 else ""
    except (*JSONError, UnicodeEncodeError):
        return ""
