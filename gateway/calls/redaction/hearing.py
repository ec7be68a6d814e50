"""What the events of a stream say, read by their bytes where they are alike.

Most events of a stream differ in their text alone, and perhaps in their number and in
what they are padded with. One that was decoded tells how the others look, so that of
200 that come together the text is known in a tenth of the time that decoding takes.
"""

import re
from functools import lru_cache
from itertools import islice, repeat, takewhile
from typing import Any

from gateway.calls.redaction import events
from gateway.hub.answers.relay import Said
from gateway.wire.jsontext import JSONError, decode

_STRING = rb'"(?:[^"\\\x00-\x1f]++|\\[^\x00-\x1f])*+"'
_is_string = re.compile(_STRING).fullmatch
_NUMBER = re.compile(rb'"sequence_number": ?(0|[1-9]\d{0,14}+)')
_PADDING = re.compile(
    rb'"obfuscation": ?"[^"\\]*+"|"sequence_number": ?(?:0|[1-9]\d{0,14}+)'
)


class Hearing:
    """Reads what is said in one stream."""

    def __init__(self) -> None:
        self._alike: _Alike | None = None

    def said(self, data: Any) -> Said:
        """Return the text of each field that a piece of the stream brings."""
        if not isinstance(data, bytes):
            return events.said(data)
        said = self._alike.said(data) if self._alike is not None else None
        return self._in_runs(data) if said is None else said

    def _in_runs(self, data: bytes) -> Said:
        """Return what is said in events of which not all are alike."""
        texts: Said = {}
        frames, start = _frames(data), 0
        while start < len(frames):
            end = start + 1
            if known := self._alike:
                alike = takewhile(known.may_be, islice(frames, start, None))
                end = max(end, start + sum(1 for _ in alike))
            run = b"".join(frames[start:end])
            said = known.said(run) if known else None
            if said is None:
                said = self._decoded(run)
            for name, text in said.items():
                texts[name] = texts.get(name, "") + text
            start = end
        return texts

    def _decoded(self, run: bytes) -> Said:
        """Return what is said in events, and learn how one of them looks."""
        said: Said = {}
        strings = events.strings_of(run)
        for name, text, _ in strings:
            said[name] = said.get(name, "") + text
        last = run[run.rfind(b"\n\n", 0, -2) + 2 :] if run.count(b"\n\n") > 1 else run
        own = strings if last is run else events.strings_of(last)
        if len(own) == 1:
            ((name, _, key),) = own
            self._alike = _Alike.like(last, name, key.encode()) or self._alike
        return said


class _Alike:
    """Events that are one text within something that stays the same.

    `before` stands before the text, but for the number of the event, `rest` behind it,
    but for its padding; `key` is what the text goes by.
    """

    def __init__(self, name: object, key: bytes, before: bytes, rest: bytes) -> None:
        self._name = name
        self._find_all = _texts(key).findall
        self._end, self._unpadded = rest + b"\n\n", _unpadded(rest)
        self._number = _NUMBER.search(before)
        start, end = self._number.span(1) if self._number else (len(before),) * 2
        self._before, self._between = before[:start], before[end:]

    @classmethod
    def like(cls, event: bytes, name: object, key: bytes) -> "_Alike | None":
        """Return the events that `event` is one of, None where it says no one text.

        The text is of the field `name` and stands by `key`.
        """
        found = list(_texts(key).finditer(event))
        if len(found) != 1 or found[0].end() != len(event):
            return None
        return cls(name, key, event[: found[0].start(1)], found[0][2])

    def may_be(self, event: bytes) -> bool:
        """Tell whether an event is one of these, by how it begins."""
        return event.startswith(self._before)

    def said(self, data: bytes) -> Said | None:
        """Return the text in `data`, None where something in it is not alike."""
        texts = self._one(data) or self._all(data)
        if texts is None:
            return None
        try:
            text = decode(texts) if b"\\" in texts else texts[1:-1].decode()
        except JSONError:
            return None
        return {self._name: text}

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

    def _all(self, data: bytes) -> bytes | None:
        """Return the texts of several events as one, None where they are others."""
        found = self._find_all(data)
        texts = [text for text, _ in found]
        values = texts
        if self._number is not None:
            number = _NUMBER.match(data, self._number.start())
            numbered = enumerate(texts, int(number[1]) if number else 0)
            values = [b"%d%b%b" % (at, self._between, text) for at, text in numbered]
        # Put together again they are the same: there is nothing else in them.
        before, end = self._before, self._end
        again = before + (end + before).join(values) + end
        if again != data and self._padded(values, [rest for _, rest in found]) != data:
            return None
        return b"\n".join(texts).replace(b'"\n"', b"")

    def _padded(self, values: list[bytes], rests: list[bytes]) -> bytes:
        """Return events put together from what they hold and their own rests."""
        if {self._unpadded} != set(map(_unpadded, set(rests))):
            return b""
        around = zip(repeat(self._before), values, rests, strict=False)
        return b"".join([b"%b%b%b\n\n" % each for each in around])


def _frames(data: bytes) -> list[bytes]:
    if data.endswith(b"\n\n") and not data.startswith(b"{"):
        return [frame + b"\n\n" for frame in data[:-2].split(b"\n\n")]
    return events.frames_of(data)


@lru_cache(maxsize=32)
def _texts(key: bytes) -> re.Pattern[bytes]:
    """Return what finds the strings that go by `key`, and the rest of their events."""
    return re.compile(rb'"%b": ?(%b)([^\n]*+)\n\n' % (re.escape(key), _STRING))


def _unpadded(rest: bytes) -> bytes:
    """Return the rest of an event without its number and what it is filled up with."""
    if b'"' in rest:
        return _PADDING.sub(b"", rest, 2)
    # Claude's events end with blanks before their last bracket.
    return rest.replace(b" ", b"")
