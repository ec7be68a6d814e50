"""What one plain event of a stream became tells what the others become.

Within one stream they differ in the text alone (and in OpenAI's `obfuscation`). Once
one such event was translated the long way, others that are the same byte for byte but
for these strings become the same frame but for these strings: all of a network read in
a handful of calls. Who writes frames of another format is given the strings alone.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

from gateway.hub.answers.plain.reads import PlainReads
from gateway.hub.answers.relay import Relayed, Said, TextRenderer, Texts
from gateway.hub.protocol import JSON
from gateway.wire.jsontext import JSONError, decode, encode, encode_lines

_CHARACTERS = rb'[^"\\\x00-\x1f]*+'
_ESCAPE = rb'\\(?:["\\/bfnrt]|u(?![dD][89a-fA-F])[0-9a-fA-F]{4})'
_STRING = rb'"' + _CHARACTERS + rb"(?:" + _ESCAPE + _CHARACTERS + rb')*+"'
"""A JSON string, but for surrogates, of which a lone one would be none."""

_is_unescaped = re.compile(rb'"[^"\\\x00-\x1f]++"').fullmatch
_GROUP = b"(%b)" % _STRING

_ROWS = {
    1: re.compile(_STRING + rb"(?:\n" + _STRING + rb")*+"),
    2: re.compile(
        _STRING + rb"\t" + _STRING + rb"(?:\n" + _STRING + rb"\t" + _STRING + rb")*+"
    ),
}
"""Rows of one or two strings; tab and line feed cannot stand in a string."""

_TAB = ord("\t")
_BLANK = b"\n\n"
_FEW = 2 * 1024
"""Bytes of events that are divided one by one; of more, all at once."""

_MARKS = ("0content0", "0obfuscation0")


class PlainFormat(Protocol):
    """How one upstream's format writes plain text; a module may be one.

    An event is `HEAD`, a payload in one line and a blank line; what holds none of
    `MARKS` is no plain one. `NAMES` are those of the strings that differ from one to
    the next, the text first. With `TELLS_EMPTY` a piece without text is told as well.
    """

    HEAD: bytes
    MARKS: Sequence[bytes]
    NAMES: Sequence[str]
    TELLS_EMPTY: bool

    def part_of(self, payload: JSON, chunk: JSON) -> int | None:
        """Return the part of the answer that a payload adds to; None if not plain.

        `chunk`, which is plain, is what it was translated to.
        """
        ...

    def filled(self, payload: JSON, strings: Sequence[str]) -> JSON:
        """Return a plain payload with other strings, in the order of `NAMES`."""
        ...


class Run(NamedTuple):
    """Plain events that follow each other, up to `end`.

    `rows` are their strings, a line each; None where one of them is none after all.
    """

    end: int
    rows: bytes | None


class PlainFrames:
    """The plain events of one stream, and the frames that they become.

    `payload` and `frame` are what is around their strings, as it came and as it leaves;
    `chunk` is what one of them was translated to, and `part` what it belongs to.
    """

    def __init__(
        self,
        format: PlainFormat,
        payload: list[bytes],
        frame: list[bytes],
        chunk: JSON,
        part: int,
    ) -> None:
        self.part = part
        self._chunk = chunk
        index = chunk["choices"][0]["index"]
        self._name: object = (index, "content") if index else "content"
        event = [format.HEAD + payload[0], *payload[1:-1], payload[-1] + _BLANK]
        self.reads = PlainReads(event, frame, chunk, self._name)
        self._tells_empty = format.TELLS_EMPTY
        before, *between, after = payload
        # Claude's events may end with blanks before the last bracket.
        self._closing, self._bracket = after[:-1].rstrip(b" "), after[-1:] + _BLANK
        self.head, self._tail = format.HEAD + before, self._closing + self._bracket
        self._next = self._tail + self.head
        self._begin, self._before = format.HEAD, before
        self._after = self._tail[: -len(_BLANK)]
        self._shortest = len(before) + len(self._after)
        self._between = between[0] if between else b""
        self._is_row = _ROWS[1 + len(between)].fullmatch
        first, *middle, last = frame
        self._first, self._last = first, last
        self._middle = middle[0] if middle else b""

    @classmethod
    def like(
        cls, payload: bytes, chunk: JSON, format: PlainFormat
    ) -> "PlainFrames | None":
        """Return the frames that `payload` is one of; None if it is not plain.

        `chunk` is what `payload` was translated to. That the strings found by their
        bytes are the fields meant is tried out: put others there, and parsing must see
        them in these fields and nothing else changed.
        """
        if not is_plain(chunk):
            return None
        try:
            original = decode(payload)
        except JSONError:  # it was mended
            return None
        part = format.part_of(original, chunk)
        if part is None:
            return None
        names = [n for n in format.NAMES if n == format.NAMES[0] or n in original]
        marks = _MARKS[: len(names)]
        outside = _outside(payload, names)
        if outside is None:
            return None
        try:
            marked = decode(_filled(outside, marks))
        except JSONError:
            return None
        if marked != format.filled(original, marks):
            return None
        frame = b"data: " + encode(_marked(chunk, marks)) + _BLANK
        places = [_place(frame, mark) for mark in marks]
        if None in places or places != sorted(places):
            return None
        return cls(format, outside, _cut(frame, places), chunk, part)

    def only(self, data: bytes, renderer: TextRenderer | None) -> Relayed[bytes] | None:
        """Return the frames for `data`, if that is a few of these events and no more.

        As models write, each comes alone: it takes as few calls as can be. What this
        says no to, `run` and `translate` may still say yes to.
        """
        if not (data.endswith(self._tail) and data.startswith(self.head)):
            return None
        string = data[len(self.head) : -len(self._tail)]
        if self._next in string:
            return self._few(string, renderer) if len(data) < _FEW else None
        behind = self._last
        if self._between:
            string, _, padding = string.partition(self._between)
            if _is_unescaped(padding) is None or not padding.isascii():
                return None
            behind = self._middle + padding + behind
        if _is_unescaped(string) is None:
            return None
        try:
            text = string[1:-1].decode()
        except UnicodeDecodeError:
            return None
        if renderer is None:
            frame = self._first + string + behind
        else:
            told = renderer.render_texts(Texts([string], text, self._chunk))
            if told is None:
                return None
            frame = told
        return Relayed(frame, len(text), "", True, {self._name: text})

    def _few(
        self, strings: bytes, renderer: TextRenderer | None
    ) -> Relayed[bytes] | None:
        """Return the frames for the strings of some events, and what is between them.

        The dividers are found slowly, but in one call: of many events `run` knows more.
        """
        rows = strings.replace(self._next, b"\n")
        between = rows.count(b"\n") * (len(self._next) - 1)
        if len(rows) + between != len(strings):
            return None
        checked = self._checked(rows)
        return None if checked is None else self.translate(checked, renderer)

    def run(self, data: bytes, position: int) -> Run | None:
        """Return the events like these that begin at `position`; None where none is."""
        if not data.startswith(self.head, position):
            return None
        return self._alike(data, position) or self._alike_but_blanks(data, position)

    def _alike(self, data: bytes, position: int) -> Run | None:
        """Return events that are the same byte for byte but for their strings."""
        # A short divider is found in half of the time that a long one takes.
        begin = self._begin
        payloads = data[position + len(begin) :].split(_BLANK + begin)
        payloads[-1], ended, _ = payloads[-1].partition(_BLANK)
        if not ended:
            payloads.pop()
        while payloads and not self._is_like(payloads[-1]):
            payloads.pop()
        before, behind = len(self._before), -len(self._after)
        items = [payload[before:behind] for payload in payloads]
        # Put together again all at once: looked at one by one they cost twice as much.
        again = self.head + self._next.join(items) + self._tail
        if not data.startswith(again, position):
            alike = self._until_another(payloads)
            items = [payload[before:behind] for payload in alike]
        if not items:
            return None
        rows = b"\n".join(items)
        around = (len(items) - 1) * (len(self._next) - 1) + len(self._tail)
        end = position + len(self.head) + len(rows) + around
        is_one_each = rows.count(b"\n") < len(items)
        return Run(end, self._checked(rows) if is_one_each else None)

    def _until_another(self, payloads: list[bytes]) -> Iterator[bytes]:
        """Yield the payloads before an event that is another."""
        for each in payloads:
            payload, others, _ = each.partition(_BLANK)
            if self._is_like(payload):
                yield payload
            if others or not self._is_like(payload):
                return

    def _is_like(self, payload: bytes) -> bool:
        return (
            len(payload) > self._shortest
            and payload.startswith(self._before)
            and payload.endswith(self._after)
        )

    def _alike_but_blanks(self, data: bytes, position: int) -> Run | None:
        parts = self.head, self._between, self._closing, self._bracket
        each, run = _blanks_before_the_last_bracket(*parts)
        found = run.match(data, position)
        if found is None:
            return None
        strings = each.findall(data, position, found.end())
        if self._between:
            strings = [b"\t".join(pair) for pair in strings]
        rows = b"\n".join(strings)
        return Run(found.end(), rows if _is_text(rows) else None)

    def _checked(self, rows: bytes) -> bytes | None:
        if _TAB in rows:
            return None
        if self._between:
            rows = rows.replace(self._between, b"\t")
        return rows if self._is_row(rows) is not None and _is_text(rows) else None

    def translate(
        self, rows: bytes, renderer: TextRenderer | None = None
    ) -> Relayed[bytes] | None:
        """Return the frames for a run, as `renderer` writes them, else OpenAI's.

        None where they are to go the long way.
        """
        rows, texts, text = _encoded(rows)
        if renderer is None:
            data = self._framed(rows, texts)
        else:
            strings = texts.split(b"\n")
            if b'""' in strings:
                strings = [each for each in strings if each != b'""']
            told = renderer.render_texts(Texts(strings, text, self._chunk))
            if told is None:
                return None
            data = told
        said: Said = {self._name: text} if text else {}
        return Relayed(data, len(text), says=bool(text), said=said)

    def _framed(self, rows: bytes, texts: bytes) -> bytes:
        if not self._tells_empty and texts.startswith(b'""') | (b'\n""' in texts):
            rows = b"\n".join([each for each in rows.split(b"\n") if each != b'""'])
            if not rows:
                return b""
        frames = rows.replace(b"\n", self._last + self._first)
        if self._between:
            frames = frames.replace(b"\t", self._middle)
        return self._first + frames + self._last


def _encoded(rows: bytes) -> tuple[bytes, bytes, str]:
    """Return rows encoded anew, their texts alone, and what these come to.

    What no escape stands in is encoded as it came.
    """
    if b"\\" in rows:
        values = rows.replace(b"\t", b",").replace(b"\n", b",")
        lines = encode_lines(decode(b"[%b]" % values))[:-1]
        rows = _like_rows(lines, rows.count(b"\t") > 0)
    texts = rows
    if _TAB in rows:
        texts = b"\n".join(rows.replace(b"\n", b"\t").split(b"\t")[::2])
    text = texts.replace(b'"\n"', b"")
    return rows, texts, str(decode(text)) if b"\\" in text else text[1:-1].decode()


def _like_rows(lines: bytes, are_pairs: bool) -> bytes:
    if not are_pairs:
        return lines
    strings = lines.split(b"\n")
    pairs = zip(strings[::2], strings[1::2], strict=True)
    return b"\n".join([b"%b\t%b" % pair for pair in pairs])


def is_plain(chunk: JSON) -> bool:
    """Tell whether a chunk holds a piece of text and changes nothing else."""
    match chunk:
        case {"choices": [{"delta": {"content": str(), **others}, **choice}]}:
            return not others and choice.get("finish_reason") is None
    return False


def with_text(chunk: JSON, text: str) -> JSON:
    """Return a plain chunk with another text."""
    (choice,) = chunk["choices"]
    delta = {**choice["delta"], "content": text}
    return {**chunk, "choices": [{**choice, "delta": delta}]}


@lru_cache(maxsize=64)
def _blanks_before_the_last_bracket(
    head: bytes, between: bytes, closing: bytes, bracket: bytes
) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    """Return what matches an event, and what matches those that follow each other."""
    strings = [_GROUP] if not between else [_GROUP, re.escape(between), _GROUP]
    event = re.escape(head) + b"".join(strings) + re.escape(closing)
    event += b" *+" + re.escape(bracket)
    return re.compile(event), re.compile(b"(?:%b)++" % event)


@lru_cache(maxsize=16)
def _literal(name: str) -> re.Pattern[bytes]:
    # Some servers put a space behind the colon.
    return re.compile(rb'"%b": ?(%b)' % (name.encode(), _STRING))


def _is_text(rows: bytes) -> bool:
    if rows.isascii():
        return True
    try:
        rows.decode()
    except UnicodeDecodeError:
        return False
    return True


def _outside(payload: bytes, names: list[str]) -> list[bytes] | None:
    """Return what is around the strings by these names; None where that is unclear."""
    spans = []
    for name in names:
        found = [literal.span(1) for literal in _literal(name).finditer(payload)]
        if len(found) != 1:
            return None
        spans += found
    return _cut(payload, spans) if spans == sorted(spans) else None


def _marked(chunk: JSON, marks: Sequence[str]) -> JSON:
    """Return a plain chunk with marks for its strings."""
    marked = with_text(chunk, marks[0])
    if len(marks) > 1:
        marked["obfuscation"] = marks[1]
    return marked


def _filled(outside: list[bytes], marks: Sequence[str]) -> bytes:
    filled = outside[0]
    for mark, each in zip(marks, outside[1:], strict=True):
        filled += encode(mark) + each
    return filled


def _place(frame: bytes, name: str) -> Any:
    mark = encode(name)
    if frame.count(mark) != 1:
        return None
    start = frame.index(mark)
    return start, start + len(mark)


def _cut(text: bytes, spans: list[tuple[int, int]]) -> list[bytes]:
    """Return what of `text` is outside `spans`."""
    edges = [0, *(edge for span in spans for edge in span), len(text)]
    return [text[a:b] for a, b in zip(edges[::2], edges[1::2], strict=True)]
