"""The shorter way for frames of plain text, which most frames are.

Within one stream they differ in the text alone (and in OpenAI's `obfuscation`). Once
one such frame was translated the long way, others that are the same byte for byte but
for these strings become the same frame but for these strings: all of a network read in
a handful of calls. Who writes frames of another format is given the strings alone.
"""

import re
from itertools import islice, takewhile
from typing import Any

from gateway.hub.answers.relay import Relayed, Said, TextRenderer, Texts
from gateway.hub.protocol import JSON
from gateway.wire.jsontext import JSONError, decode, encode, encode_lines

_CHARACTERS = rb'[^"\\\x00-\x1f]*+'
_ESCAPE = rb'\\(?:["\\/bfnrt]|u(?![dD][89a-fA-F])[0-9a-fA-F]{4})'
_STRING = rb'"' + _CHARACTERS + rb"(?:" + _ESCAPE + _CHARACTERS + rb')*+"'
"""A JSON string, but for surrogates, of which a lone one would be none."""

_ROWS = {
    1: re.compile(_STRING + rb"(?:\n" + _STRING + rb")*+"),
    2: re.compile(
        _STRING + rb"\t" + _STRING + rb"(?:\n" + _STRING + rb"\t" + _STRING + rb")*+"
    ),
}
"""Rows of one or two strings; tab and line feed cannot stand in a string."""

_TAB = ord("\t")

_PADDING = "obfuscation"
_MARKS = {"content": "0content0", _PADDING: "0obfuscation0"}
_LITERALS = {
    # Some servers put a space behind the colon.
    name: re.compile(rb'(?:(?<="%b":)|(?<="%b": ))' % (name, name) + _STRING)
    for name in (b"content", b"obfuscation")
}


class PlainFrames:
    """The plain frames of one stream, under one envelope.

    `payload` and `frame` are what is around their strings, as it came and as it leaves;
    `chunk` is what one of them was translated to, and `index` its choice.
    """

    def __init__(self, payload: list[bytes], frame: list[bytes], chunk: JSON) -> None:
        self._chunk = chunk
        index = self.index = chunk["choices"][0]["index"]
        self._name: object = (index, "content") if index else "content"
        before, *between, after = payload
        self._before, self._after = before, after
        self._next = after + b"\n" + before
        self._shortest = len(before) + len(after)
        self._between = between[0] if between else b""
        self._is_row = _ROWS[1 + len(between)].fullmatch
        first, *middle, last = frame
        self._first, self._last = first, last
        self._middle = middle[0] if middle else b""

    @classmethod
    def like(cls, payload: bytes, chunk: JSON) -> "PlainFrames | None":
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
        names = [name for name in _MARKS if name == "content" or name in original]
        spans = []
        for name in names:
            found = [
                literal.span() for literal in _LITERALS[name.encode()].finditer(payload)
            ]
            if len(found) != 1:
                return None
            spans += found
        if spans != sorted(spans):
            return None
        outside = _cut(payload, spans)
        try:
            marked = decode(_filled(outside, names))
        except JSONError:
            return None
        if original.get("usage") is not None or not is_plain(original):
            return None
        if marked != _marked(original, names):
            return None
        frame = b"data: " + encode(_marked(chunk, names)) + b"\n\n"
        places = [_place(frame, name) for name in names]
        if None in places or places != sorted(places):
            return None
        return cls(outside, _cut(frame, places), chunk)

    def run(self, payloads: list[bytes], start: int) -> list[bytes]:
        """Return what is between the fixed parts of `payloads` from `start` on.

        It goes as far as they look like these frames.
        """
        begin, end = len(self._before), -len(self._after)
        if not self._is_like(payloads[start]):
            return []
        if start + 1 == len(payloads):
            return [payloads[start][begin:end]]
        stop = len(payloads)
        while not self._is_like(payloads[stop - 1]):
            stop -= 1
        if stop == start + 1:
            return [payloads[start][begin:end]]
        run = [payload[begin:end] for payload in islice(payloads, start, stop)]
        # Put together again all at once: looked at one by one they cost twice as much.
        again = self._before + self._next.join(run) + self._after
        if again != b"\n".join(payloads[start:stop]):
            alike = takewhile(self._is_like, islice(payloads, start, stop))
            return [payload[begin:end] for payload in alike]
        return run

    def _is_like(self, payload: bytes) -> bool:
        return (
            len(payload) > self._shortest
            and payload.startswith(self._before)
            and payload.endswith(self._after)
        )

    def translate(
        self, run: list[bytes], renderer: TextRenderer | None = None
    ) -> Relayed[bytes] | None:
        """Return the frames for a `run`, as `renderer` writes them, else OpenAI's.

        None where one of them is something else after all: they go the long way.
        """
        rows = self._rows(run)
        if rows is None:
            return None
        texts = rows
        if self._between:
            texts = b"\n".join(rows.replace(b"\n", b"\t").split(b"\t")[::2])
        if renderer is None:
            text, data = _read(texts), self._framed(rows)
        else:
            strings, text = _encoded(texts)
            told = renderer.render_texts(Texts(strings, text, self._chunk))
            if told is None:
                return None
            data = told
        said: Said = {self._name: text} if text else {}
        return Relayed(data, len(text), says=bool(text), said=said)

    def _rows(self, run: list[bytes]) -> bytes | None:
        """Return the strings of a `run`; None where there is something else in it."""
        rows = b"\n".join(run) if len(run) > 1 else run[0]
        if rows.count(b"\n") >= len(run) or _TAB in rows:
            return None
        if self._between:
            rows = rows.replace(self._between, b"\t")
        return rows if self._is_row(rows) is not None and _is_text(rows) else None

    def _framed(self, rows: bytes) -> bytes:
        frames = rows.replace(b"\n", self._last + self._first)
        if self._between:
            frames = frames.replace(b"\t", self._middle)
        return self._first + frames + self._last


def _read(rows: bytes) -> str:
    """Return the text that strings, one a line, come to."""
    text = rows.replace(b'"\n"', b"")
    return str(decode(text)) if b"\\" in text else text[1:-1].decode()


def _encoded(rows: bytes) -> tuple[list[bytes], str]:
    """Return strings, one a line, encoded anew, and the text that they come to.

    What no escape stands in is encoded as it came.
    """
    if b"\\" in rows:
        values = decode(b"[%b]" % rows.replace(b"\n", b","))
        rows, text = encode_lines(values)[:-1], "".join(values)
    elif b"\n" in rows:
        text = _read(rows)
    else:
        text = rows[1:-1].decode()
        return ([rows] if text else []), text
    strings = rows.split(b"\n")
    return [each for each in strings if each != b'""'], text


def is_plain(chunk: JSON) -> bool:
    """Tell whether a chunk holds a piece of text and changes nothing else."""
    match chunk:
        case {"choices": [{"delta": {"content": str(), **others}, **choice}]}:
            return not others and choice.get("finish_reason") is None
    return False


def _is_text(payload: bytes) -> bool:
    if payload.isascii():
        return True
    try:
        payload.decode()
    except UnicodeDecodeError:
        return False
    return True


def _marked(chunk: JSON, names: list[str]) -> JSON:
    """Return a plain chunk with marks for its strings."""
    (choice,) = chunk["choices"]
    delta = {**choice["delta"], "content": _MARKS["content"]}
    marked = {**chunk, "choices": [{**choice, "delta": delta}]}
    if _PADDING in names:
        marked[_PADDING] = _MARKS[_PADDING]
    return marked


def _filled(outside: list[bytes], names: list[str]) -> bytes:
    filled = outside[0]
    for name, each in zip(names, outside[1:], strict=True):
        filled += encode(_MARKS[name]) + each
    return filled


def _place(frame: bytes, name: str) -> Any:
    mark = encode(_MARKS[name])
    if frame.count(mark) != 1:
        return None
    start = frame.index(mark)
    return start, start + len(mark)


def _cut(text: bytes, spans: list[tuple[int, int]]) -> list[bytes]:
    """Return what of `text` is outside `spans`."""
    edges = [0, *(edge for span in spans for edge in span), len(text)]
    return [text[a:b] for a, b in zip(edges[::2], edges[1::2], strict=True)]
