"""What one plain event of a stream became tells what the others become.

Within one stream they differ in the text alone (and in OpenAI's `obfuscation`). Once
one such event was translated the long way, others that are the same byte for byte but
for these strings become the same frame but for these strings: all of a network read in
a handful of calls. Who writes frames of another format is given the strings alone.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Protocol

from gateway.hub.answers.plain.around import BLANK, Around
from gateway.hub.answers.plain.reads import PlainReads
from gateway.hub.answers.plain.rows import STRING, PlainRows, Run
from gateway.hub.answers.plain.runs import Runs
from gateway.hub.answers.relay import Relayed, TextRenderer
from gateway.hub.protocol import JSON
from gateway.wire.jsontext import JSONError, decode, encode

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
        self.head = format.HEAD + payload[0]
        index = chunk["choices"][0]["index"]
        name = (index, "content") if index else "content"
        tells_empty = format.TELLS_EMPTY
        self._around = Around(format.HEAD, payload, frame, chunk, name, tells_empty)
        self._runs = Runs(self._around) if len(payload) == 2 else None
        self._rows: PlainRows | None = None
        self._reads: PlainReads | None = None

    @property
    def rows(self) -> PlainRows:
        """What reads them whatever they hold. Made for who asks, as `reads` is."""
        if self._rows is None:
            self._rows = PlainRows(self._around)
        return self._rows

    @property
    def reads(self) -> PlainReads:
        """What reads them as they come one by one, or a few at a time."""
        if self._reads is None:
            self._reads = PlainReads(self._around)
        return self._reads

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
        first, *others = format.NAMES
        names = [first, *filter(original.__contains__, others)]
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
        frame = b"data: " + encode(_marked(chunk, marks)) + BLANK
        places = [_place(frame, mark) for mark in marks]
        if None in places or places != sorted(places):
            return None
        return cls(format, outside, _cut(frame, places), chunk, part)

    def run(self, data: bytes, position: int) -> Run | None:
        """Return the events like these that begin at `position`; None where none is."""
        if not data.startswith(self.head, position):
            return None
        runs = self._runs
        found = runs.alike(data, position) if runs is not None else None
        if found is None:
            return self.rows.run(data, position)
        if found.text is not None:
            return Run(found.end, None, found)
        rows = b'"%b"' % b'"\n"'.join(found.texts)
        return Run(found.end, self.rows.checked(rows))

    def told(self, run: Run, renderer: TextRenderer | None) -> Relayed[bytes] | None:
        """Return the frames for a run, as `renderer` writes them, else OpenAI's.

        None where they are to go the long way.
        """
        if run.bare is not None and self._runs is not None:
            return self._runs.told(run.bare, renderer)
        return None if run.rows is None else self.rows.translate(run.rows, renderer)


def is_plain(chunk: JSON) -> bool:
    """Tell whether a chunk holds a piece of text and changes nothing else."""
    choices = chunk.get("choices")
    if type(choices) is not list or len(choices) != 1:
        return False
    choice = choices[0]
    delta = choice.get("delta") if type(choice) is dict else None
    if (
        type(delta) is not dict
        or len(delta) != 1
        or type(delta.get("content")) is not str
    ):
        return False
    return choice.get("finish_reason") is None


def with_text(chunk: JSON, text: str) -> JSON:
    """Return a plain chunk with another text."""
    (choice,) = chunk["choices"]
    delta = {**choice["delta"], "content": text}
    return {**chunk, "choices": [{**choice, "delta": delta}]}


@lru_cache(maxsize=16)
def _literal(name: str) -> re.Pattern[bytes]:
    # Some servers put a space behind the colon.
    return re.compile(rb'"%b": ?(%b)' % (name.encode(), STRING))


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
    pieces, end = [], 0
    for start, behind in spans:
        pieces.append(text[end:start])
        end = behind
    return [*pieces, text[end:]]
