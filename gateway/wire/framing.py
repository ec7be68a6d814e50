"""Where the members of a long object stand, guessed from both of its ends.

Nearly all of a request's text is the value of one key, or of two of which one was seen
before. What stands before and behind is short, so that the guess costs 5 µs, where to
look at every byte of 100 KB (members.py) takes 45. It is no more than that: each value
has to be read by itself, as one whole value. Where that succeeds for all of them there
is nothing else in the text, and each stands once.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from gateway.wire.spans import Span

_BLANK = rb"[ \t\r\n]*+"
_KEY = rb'"([A-Za-z_][A-Za-z0-9_]*+)"' + _BLANK + b":" + _BLANK
# A text without escapes, a number or a word, or what holds such and nests no further.
_SHORT = rb'("[^"\\]*+"|[-+.\w]++|\{[^][{}\\]*+\}|\[[^][{}\\]*+\])' + _BLANK
_NEXT = _BLANK + b"," + _BLANK
_MEMBER = _NEXT + _KEY + _SHORT
_MEMBERS = b"(?:" + _MEMBER.replace(b'"(', b'"(?:').replace(b'("', b'(?:"') + b")*+"
_END = _BLANK + rb"\}" + _BLANK + rb"\Z"

_opening = re.compile(_BLANK + rb"\{" + _BLANK).match
_short = re.compile(_KEY + _SHORT + b"," + _BLANK).match
_key = re.compile(_KEY).match
_comma = re.compile(_NEXT).match
_members = re.compile(_MEMBER).finditer
_behind = re.compile(_MEMBERS + _END).match
_between = re.compile(_MEMBERS + _NEXT + _KEY + rb"\Z").match
# How messages end whose last says something, and hardly anything else that is long.
_says = re.compile(rb'"%b\}(?:%b\}?+%b\]%b\})?+%b\]\Z' % ((_BLANK,) * 5)).search
_AROUND = 256
"""Bytes in which all stands that follows a long value."""
_LAST = 64
_LISTS = 3
"""How many lists may end in them."""
_SIGNS = 256
"""How many texts are remembered that came once, by a number each."""

_Match = Callable[[bytes, int, int], re.Match[bytes] | None]
_Member = tuple[bytes, Span]


class Framed(NamedTuple):
    """Where values may stand, by their keys in the order of the text.

    Of those that were seen before, the text that they are.
    """

    spans: Mapping[str, Span]
    seen: Mapping[str, bytes]


def framed(text: bytes, seen: Iterable[bytes] = ()) -> Framed | None:
    """Return where the values of an object may stand, None where nobody can guess.

    `seen` are long values that are likely to stand there again.

    >>> framed(b'{"a": 1, "b": [{"c": "d"}], "e": [3]}', [b"[3]"]).spans
    {'a': (6, 7), 'b': (14, 26), 'e': (33, 36)}
    """
    opening = _opening(text)
    if opening is None:
        return None
    at = opening.end()
    before: list[_Member] = []
    known: dict[bytes, bytes] = {}
    while True:
        while (short := _short(text, at)) is not None:
            before.append((short[1], short.span(2)))
            at = short.end()
        if (found := _key(text, at)) is None:
            return None
        key, start = found[1], found.end()
        value = next((each for each in seen if text.startswith(each, start)), None)
        if value is None:
            break
        known[key] = value
        at = start + len(value)
        before.append((key, (start, at)))
        if (comma := _comma(text, at)) is None:
            return _named(before, known) if _behind(text, at) else None
        at = comma.end()
    for end, rest in _ends(text, start, len(text), _behind):
        value = _seen_last(text, start, end, seen)
        if value is not None:
            begin = end - len(value)
            for inner, between in _ends(text, start, begin, _between):
                if _says(text, max(start, inner - _LAST), inner):
                    known[between[1]] = value
                    before += [(key, (start, inner)), *_told(text, between.span())]
                    before += [(between[1], (begin, end)), *_told(text, rest.span())]
                    return _named(before, known)
            return None
        if _says(text, max(start, end - _LAST), end):
            before += [(key, (start, end)), *_told(text, rest.span())]
            return _named(before, known)
    return None


def _ends(
    text: bytes, start: int, stop: int, rest: _Match
) -> Iterator[tuple[int, re.Match[bytes]]]:
    """Yield where a list ends behind `start`, and the short `rest` up to `stop`."""
    at = stop
    for _ in range(_LISTS):
        at = text.rfind(b"]", max(start, stop - _AROUND), at)
        if at < 0:
            return
        if (found := rest(text, at + 1, stop)) is not None:
            yield at + 1, found


def _seen_last(
    text: bytes, start: int, end: int, seen: Iterable[bytes]
) -> bytes | None:
    """Return which of `seen` ends at `end`, behind `start`."""
    for each in seen:
        begin = end - len(each)
        if begin > start and text.startswith(each, begin):
            return each
    return None


def _told(text: bytes, span: Span) -> list[_Member]:
    """Return the short members that stand one after the other in `span`."""
    return [(each[1], each.span(2)) for each in _members(text, *span)]


def _named(found: list[_Member], known: Mapping[bytes, bytes]) -> Framed | None:
    """Return members by their keys; None where one stands twice."""
    spans = {key.decode("ascii"): span for key, span in found}
    if len(spans) < len(found):
        return None
    return Framed(spans, {key.decode("ascii"): known[key] for key in known})


class Seen:
    """Values that came twice, for when one comes again to the letter.

    It holds `most` bytes of texts, each as long as `sizes` say: who sends other ones
    pushes out what came first. What is kept is a pure function of the text, and nobody
    may change it, nor what is within. Of one that came once nothing is kept: to let go
    of 30 KB and not to use their memory again costs a third of reading them.
    """

    def __init__(self, sizes: range, most: int) -> None:
        self._sizes = sizes
        self._most = most
        self._kept: dict[bytes, Any] = {}
        self._size = 0
        self._once: dict[int, None] = {}

    def __iter__(self) -> Iterator[bytes]:
        """Return the texts."""
        return iter(self._kept)

    def __getitem__(self, text: bytes) -> Any:
        """Return what is kept for one of the texts."""
        return self._kept[text]

    def at(self, text: bytes, span: Span) -> bytes | None:
        """Return which of the texts stands in `text`, None where it is another."""
        start, end = span
        for each in self._kept:
            if len(each) == end - start and text.startswith(each, start):
                return each
        return None

    def is_again(self, text: bytes) -> bool:
        """Tell whether a text is worth to be kept: it came before."""
        if len(text) not in self._sizes:
            return False
        sign = hash(text)
        if sign in self._once:
            return True
        self._once[sign] = None
        if len(self._once) > _SIGNS:
            del self._once[next(iter(self._once))]
        return False

    def keep(self, text: bytes, value: Any) -> None:
        """Keep what a text comes to."""
        self._kept[text] = value
        self._size += len(text)
        while self._size > self._most:
            oldest = next(iter(self._kept))
            del self._kept[oldest]
            self._size -= len(oldest)


class Shapes(NamedTuple):
    """How objects of some `sizes` are read whose long members are of known shapes.

    `read` takes the text of the member named `long`, which has to be there, and raises
    one of `JSONError` where it is of another shape. `again` names the one that is often
    `seen` again. It is read as any other, and what `make` makes of its text and of that
    is kept.
    """

    sizes: range
    long: str
    read: Callable[[memoryview], Any]
    again: str
    make: Callable[[bytes, Any], Any]
    seen: Seen

    def kept(self, text: bytes, value: Any) -> Any:
        """Return a value in the form in which it is kept, itself where it is not."""
        if not self.seen.is_again(text):
            return value
        made = self.make(text, value)
        self.seen.keep(text, made)
        return made
