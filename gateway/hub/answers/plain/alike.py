"""Events that carry a piece of text each, read by what one of them looked like.

Most events of a stream differ in their text alone, and perhaps in their number and in
what they are padded with. One that was decoded tells how the others look, so that of
200 that come together the text is known in a tenth of the time that decoding takes.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from itertools import repeat
from operator import add, itemgetter

from gateway.hub.answers.plain.around import BLANK
from gateway.hub.answers.plain.numbers import as_long, numbered, written
from gateway.hub.answers.plain.strings import strings_in
from gateway.hub.answers.relay import Said
from gateway.wire.jsontext import JSONError, decode

_CHARACTERS = rb'[^"\\\x00-\x1f]*+'
_STRING = rb'"%b(?:\\[^\x00-\x1f]%b)*+"' % (_CHARACTERS, _CHARACTERS)
_is_string = re.compile(_STRING).fullmatch
_are_strings = re.compile(rb"%b(?:\n%b)*+" % (_STRING, _STRING)).fullmatch
_NUMBER = re.compile(rb'"sequence_number": ?(0|[1-9]\d{0,14}+)')
_PADDING = re.compile(
    rb'"obfuscation": ?"[^"\\]*+"|"sequence_number": ?(?:0|[1-9]\d{0,14}+)'
)
_BACKSLASH = ord("\\")
_DATA = b"data: "
_MARKED = 12
"""Of an event's beginning, to find it by: a long mark takes longer to be found."""


class Alike:
    """Events that are one text within something that stays the same.

    `name` is the field that the text belongs to. `before` stands before the text, but
    for the number of the event, `rest` behind it, but for its padding; `key` is what
    the text goes by.
    """

    def __init__(self, name: object, key: bytes, before: bytes, rest: bytes) -> None:
        self.name = name
        self._find_all = _texts(key).findall
        self._end, self._unpadded = rest + BLANK, _unpadded(rest)
        self._number = _NUMBER.search(before)
        start, end = self._number.span(1) if self._number else (len(before),) * 2
        self._before, self._between = before[:start], before[end:]
        self._mark = BLANK + self._before[:_MARKED]

    @classmethod
    def like(cls, event: bytes, name: object, key: bytes) -> "Alike | None":
        """Return the events that `event` is one of, None where it says no one text.

        The text is of the field `name` and stands by `key`.
        """
        found = list(_texts(key).finditer(event))
        if len(found) != 1 or found[0].end() != len(event):
            return None
        return cls(name, key, event[: found[0].start(1)], found[0][2])

    @classmethod
    def of(cls, event: bytes) -> "Alike | None":
        """Return the events that `event`, which is whole, is one of; None as above."""
        try:
            found = list(strings_in(decode(event.partition(_DATA)[2])))
        except JSONError:
            return None
        if len(found) != 1:
            return None
        ((name, _, key),) = found
        return cls.like(event, name, key.encode())

    def may_be(self, event: bytes) -> bool:
        """Tell whether an event is one of these, by how it begins."""
        return event.startswith(self._before)

    def end_in(self, events: bytes) -> int:
        """Return where the last one ends that begins like these in whole `events`."""
        return events.find(BLANK, events.rfind(self._before)) + len(BLANK)

    def said(self, data: bytes) -> Said | None:
        """Return the text in `data`, None where something in it is not alike."""
        texts = self._one(data) or self._same(data) or self._all(data)
        if texts is None:
            return None
        try:
            text = decode(texts) if _BACKSLASH in texts else texts[1:-1].decode()
        except JSONError:
            return None
        return {self.name: text}

    def _one(self, data: bytes) -> bytes | None:
        """Return the text of one event, for as models write each comes alone.

        None where it is another, or there are several.
        """
        if not (data.startswith(self._before) and data.endswith(self._end)):
            return None
        text = data[len(self._before) : len(data) - len(self._end)]
        if self._number is not None:
            number, _, text = text.partition(self._between)
            if not number.isdigit():
                return None
        return text if _is_string(text) else None

    def _same(self, data: bytes) -> bytes | None:
        """Return the texts of several events as one, None where these are padded."""
        if not data.startswith(self._mark[len(BLANK) :]):
            return None
        # Cut at the marks, and there again where the text of an event is to stand.
        events = data[len(self._mark) - len(BLANK) : -len(BLANK)].split(self._mark)
        start = len(self._before) + len(BLANK) - len(self._mark)
        behind = len(BLANK) - len(self._end)
        if self._number is None:
            texts = list(map(_cut(start, behind), events))
            again = self._together(texts)
        else:
            first, texts = self._first(data), []
            for digits, many in as_long(first, len(events)):
                begin = start + digits + len(self._between)
                some = events[len(texts) : len(texts) + many]
                texts += map(_cut(begin, behind), some)
            again = self._numbered(first, texts)
        if again != data:
            return None
        rows = b"\n".join(texts)
        if not _are_strings(rows) or rows.count(b"\n") >= len(texts):
            return None
        return rows.replace(b'"\n"', b"")

    def _all(self, data: bytes) -> bytes | None:
        """Return the texts of several events as one, None where they are others."""
        found = self._find_all(data)
        if not found:
            return None
        texts = [text for text, _ in found]
        values = texts
        if self._number is not None:
            numbers = written(self._first(data), len(texts))
            each = zip(numbers, texts, strict=True)
            values = [b"%b%b%b" % (at, self._between, text) for at, text in each]
        if self._padded(values, [rest for _, rest in found]) != data:
            return None
        return b"\n".join(texts).replace(b'"\n"', b"")

    def _first(self, data: bytes) -> int:
        """Return the number of the first of numbered events."""
        known = self._number
        number = _NUMBER.match(data, known.start()) if known is not None else None
        return int(number[1]) if number else 0

    def _together(self, values: list[bytes]) -> bytes:
        """Return events put together from what they hold: is there nothing else?"""
        before, end = self._before, self._end
        return before + (end + before).join(values) + end

    def _numbered(self, first: int, texts: list[bytes]) -> bytes:
        """Return events put together from the first one's number and all texts."""
        before, end = self._before, self._end
        between = numbered(end + before, first + 1, len(texts) - 1)
        begin = b"%b%d" % (before, first)
        pieces = [begin, *map(add, texts, between), texts[-1] + end]
        return self._between.join(pieces)

    def _padded(self, values: list[bytes], rests: list[bytes]) -> bytes:
        """Return events put together from what they hold and their own rests."""
        if {self._unpadded} != set(map(_unpadded, set(rests))):
            return b""
        around = zip(repeat(self._before), values, rests, strict=False)
        return b"".join([b"%b%b%b\n\n" % each for each in around])


@lru_cache(maxsize=32)
def _texts(key: bytes) -> re.Pattern[bytes]:
    """Return what finds the strings that go by `key`, and the rest of their events."""
    return re.compile(rb'"%b": ?(%b)([^\n]*+)\n\n' % (re.escape(key), _STRING))


@lru_cache(maxsize=64)
def _cut(start: int, end: int) -> Callable[[bytes], bytes]:
    """Return what cuts a part out, without a step of the interpreter for each."""
    return itemgetter(slice(start, end))


def _unpadded(rest: bytes) -> bytes:
    """Return the rest of an event without its number and what it is filled up with."""
    if b'"' in rest:
        return _PADDING.sub(b"", rest, 2)
    # Claude's events end with blanks before their last bracket.
    return rest.replace(b" ", b"")
