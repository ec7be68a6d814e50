"""Plain events of a stream by rows: of their strings, and what escapes these hold.

What differs in events that are alike is put into lines, one for each event, which are
checked, read and framed in a handful of calls.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from gateway.hub.answers.plain.around import BLANK, Around
from gateway.hub.answers.plain.runs import Bare
from gateway.hub.answers.relay import Relayed, Said, TextRenderer, Texts
from gateway.wire.jsontext import decode, encode_lines

_CHARACTERS = rb'[^"\\\x00-\x1f]*+'
_ESCAPE = rb'\\(?:["\\/bfnrt]|u(?![dD][89a-fA-F])[0-9a-fA-F]{4})'
STRING = rb'"' + _CHARACTERS + rb"(?:" + _ESCAPE + _CHARACTERS + rb')*+"'
"""A JSON string, but for surrogates, of which a lone one would be none."""

_is_unescaped = re.compile(rb'"[^"\\\x00-\x1f]++"').fullmatch
_GROUP = b"(%b)" % STRING

_ROWS = {
    1: re.compile(STRING + rb"(?:\n" + STRING + rb")*+"),
    2: re.compile(
        STRING + rb"\t" + STRING + rb"(?:\n" + STRING + rb"\t" + STRING + rb")*+"
    ),
}
"""Rows of one or two strings; tab and line feed cannot stand in a string."""

_TAB = ord("\t")
_FEW = 2 * 1024
"""Bytes of events that are divided one by one; of more, all at once."""


class Run(NamedTuple):
    """Plain events that follow each other, up to `end`.

    `bare` are those that hold nothing beside their text, which is as it stands. Of
    others `rows` are their strings, a line each; None where one of them is none.
    """

    end: int
    rows: bytes | None
    bare: Bare | None = None


class PlainRows:
    """The plain events of one stream, and the frames that they become."""

    def __init__(self, around: Around) -> None:
        self._chunk, self._name = around.chunk, around.name
        self._tells_empty = around.tells_empty
        before, *between, after = around.payload
        # Claude's events may end with blanks before the last bracket.
        self._closing, self._bracket = after[:-1].rstrip(b" "), after[-1:] + BLANK
        self._begin, self._before = around.begin, before
        self._head, self._tail = around.begin + before, self._closing + self._bracket
        self._next = self._tail + self._head
        self._after = self._tail[: -len(BLANK)]
        self._shortest = len(before) + len(self._after)
        self._between = between[0] if between else b""
        self._is_row = _ROWS[1 + len(between)].fullmatch
        first, *middle, last = around.frame
        self._first, self._last = first, last
        self._middle = middle[0] if middle else b""

    def only(self, data: bytes, renderer: TextRenderer | None) -> Relayed[bytes] | None:
        """Return the frames for `data`, if that is a few of these events and no more.

        As models write, each comes alone: it takes as few calls as can be. What this
        says no to, `run` and `translate` may still say yes to.
        """
        if not (data.endswith(self._tail) and data.startswith(self._head)):
            return None
        string = data[len(self._head) : -len(self._tail)]
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
        checked = self.checked(rows)
        return None if checked is None else self.translate(checked, renderer)

    def run(self, data: bytes, position: int) -> Run | None:
        """Return the events like these that begin at `position`; None where none is."""
        return self._alike(data, position) or self._alike_but_blanks(data, position)

    def _alike(self, data: bytes, position: int) -> Run | None:
        """Return events that are the same byte for byte but for their strings."""
        # A short divider is found in half of the time that a long one takes.
        begin = self._begin
        payloads = data[position + len(begin) :].split(BLANK + begin)
        payloads[-1], ended, _ = payloads[-1].partition(BLANK)
        if not ended:
            payloads.pop()
        while payloads and not self._is_like(payloads[-1]):
            payloads.pop()
        before, behind = len(self._before), -len(self._after)
        items = [payload[before:behind] for payload in payloads]
        # Put together again all at once: looked at one by one they cost twice as much.
        again = self._head + self._next.join(items) + self._tail
        if not data.startswith(again, position):
            alike = self._until_another(payloads)
            items = [payload[before:behind] for payload in alike]
        if not items:
            return None
        rows = b"\n".join(items)
        around = (len(items) - 1) * (len(self._next) - 1) + len(self._tail)
        end = position + len(self._head) + len(rows) + around
        is_one_each = rows.count(b"\n") < len(items)
        return Run(end, self.checked(rows) if is_one_each else None)

    def _until_another(self, payloads: list[bytes]) -> Iterator[bytes]:
        """Yield the payloads before an event that is another."""
        for each in payloads:
            payload, others, _ = each.partition(BLANK)
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
        parts = self._head, self._between, self._closing, self._bracket
        each, run = _blanks_before_the_last_bracket(*parts)
        found = run.match(data, position)
        if found is None:
            return None
        strings = each.findall(data, position, found.end())
        if self._between:
            strings = [b"\t".join(pair) for pair in strings]
        rows = b"\n".join(strings)
        return Run(found.end(), rows if _is_text(rows) else None)

    def checked(self, rows: bytes) -> bytes | None:
        """Return rows that hold one text each; else None."""
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


def _is_text(rows: bytes) -> bool:
    if rows.isascii():
        return True
    try:
        rows.decode()
    except UnicodeDecodeError:
        return False
    return True


@lru_cache(maxsize=64)
def _blanks_before_the_last_bracket(
    head: bytes, between: bytes, closing: bytes, bracket: bytes
) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    """Return what matches an event, and what matches those that follow each other."""
    strings = [_GROUP] if not between else [_GROUP, re.escape(between), _GROUP]
    event = re.escape(head) + b"".join(strings) + re.escape(closing)
    event += b" *+" + re.escape(bracket)
    return re.compile(event), re.compile(b"(?:%b)++" % event)
