"""Request bodies that are as they should be, found so at the speed of C.

What is strict about a body (gateway/entry/bodies.py) was looked for byte by byte by
regular expressions, which cost a body of 100 KB 1,900 µs and one of 1 MB, an image,
12,600, with every stream of the worker standing still meanwhile. Here each rule is
asked in a way that passes only what keeps it, of calls that read the bytes at once: 130
and 640 µs. A body that is not told to be fine goes the long way, which has the last
word, and all the words for what is wrong.
"""

import re
from gc import get_referents
from typing import Any

import msgspec

from gateway.wire.framing import Framed, Shapes, framed
from gateway.wire.jsontext import JSON, JSONError, decode
from gateway.wire.members import Members, members_of

MAX_DEPTH = 128
MIN_BRACKETS = 65_536
MIN_COMMAS = 262_144
BYTES_PER_TOKEN = 16
MAX_DIGITS = 4300

_STEP = 512
_MANY_DIGITS = re.compile(rb"\d{%d}" % (MAX_DIGITS // _STEP))
"""What every `_STEP`th byte shows of a number that is too long."""

_CONTAINERS = frozenset({dict, list})


class Read(msgspec.Struct):
    """A body as it was read; `members` tells where its values stand, where known.

    Of one that `is_outline` the long values are of their own shapes.
    """

    body: JSON
    members: Members | None = None
    is_outline: bool = False


def read_plain(raw: bytes) -> Read | None:
    """Return what is in `raw` where it keeps all the rules; None where it may not."""
    brackets = _bracket_count(raw)
    if brackets is None or _MANY_DIGITS.search(raw[::_STEP]):
        return None
    read = _read_apart(raw)
    if read is None:
        try:
            read = Read(decode(raw), members_of(raw))
        except JSONError:
            return None
    body, members = read.body, read.members
    if type(body) is not dict or (brackets > MAX_DEPTH and _is_deep(body)):
        return None
    return None if members is None or not _are_apart(members) else read


def _read_apart(raw: bytes) -> Read | None:
    """Return what is in `raw`, member by member, where it is told where each stands.

    Of an image of 1 MB that saves a third: its bytes are walked once, not twice.
    """
    found = framed(raw)
    if found is None:
        return None
    view = memoryview(raw)
    try:
        body = {
            key: decode(view[start:end]) for key, (start, end) in found.spans.items()
        }
    except JSONError:
        return None
    return Read(body, found.spans)


def read_outline(raw: bytes, shapes: Shapes) -> Read | None:
    """Return what is in `raw` as an outline where it keeps all the rules.

    None where it may not, or its long values are of other shapes. Each value is read by
    itself: what came before is compared only, and a shape has no room for depth or for
    numbers. So 200 turns take 120 µs instead of 195, 50 tools 43 instead of 167.
    """
    if _bracket_count(raw) is None:
        return None
    found = framed(raw, shapes.seen)
    if found is None or shapes.long not in found.spans:
        found = Framed(members_of(raw) or {}, {})
    members = found.spans
    if shapes.long not in members or not _are_apart(members):
        return None
    view = memoryview(raw)
    body: JSON = dict.fromkeys(members)
    read: JSON = {}
    try:
        for key, (start, end) in members.items():
            if key == shapes.long:
                body[key] = shapes.read(view[start:end])
            elif key == shapes.again and (text := _seen(raw, found, shapes)):
                body[key] = shapes.seen[text]
            elif _may_be_long_number(raw, start, end):
                return None
            else:
                body[key] = read[key] = decode(view[start:end])
    except JSONError:
        return None
    if _is_deep(read):
        return None
    if shapes.again in read:
        start, end = members[shapes.again]
        body[shapes.again] = shapes.kept(raw[start:end], read[shapes.again])
    return Read(body, members, is_outline=True)


def _seen(raw: bytes, found: Framed, shapes: Shapes) -> bytes | None:
    """Return the text that is often the same, where it came before."""
    known = found.seen.get(shapes.again)
    return known or shapes.seen.at(raw, found.spans[shapes.again])


def _may_be_long_number(raw: bytes, start: int, end: int) -> bool:
    is_long = end - start > MAX_DIGITS
    return is_long and _MANY_DIGITS.search(raw[start:end:_STEP]) is not None


def _bracket_count(raw: bytes) -> int | None:
    """Return how many brackets open, None where a body may be too complex."""
    limit = len(raw) // BYTES_PER_TOKEN
    most = max(MIN_BRACKETS, limit)
    brackets = _count(raw, b"{", most) + _count(raw, b"[", most)
    if brackets > most:
        return None
    most = max(MIN_COMMAS, limit)
    if len(raw) > most and _count(raw, b",", most) > most:
        return None
    return brackets


def _count(raw: bytes, byte: bytes, most: int) -> int:
    """Return how often a byte occurs, `most` + 1 for whatever is more.

    To cut out what is rare costs a sixth of counting it.
    """
    return len(raw) - len(raw.replace(byte, b"", most + 1))


def _is_deep(body: JSON) -> bool:
    """Tell whether containers nest deeper than they may.

    What an object or array holds is what the garbage collector follows: to be told of a
    whole level at once takes 9 µs for 100 KB, a loop over the containers 60.
    """
    level: list[Any] = [body]
    for _ in range(MAX_DEPTH):
        level = get_referents(*level)
        if not level:
            return False
    return not _CONTAINERS.isdisjoint(map(type, level))


def _are_apart(members: Members) -> bool:
    """Tell whether no parser takes two of the keys, which differ, for one another."""
    letters = "".join(members)
    if letters.islower() and letters.isascii():
        return True
    return len({key.casefold() for key in members}) == len(members)
