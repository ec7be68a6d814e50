"""Network reads that bring plain text and nothing else, as models write.

One brings a token or two, and as often as not ends amid the next event. Who looks at
both its ends for all that it might be takes 250 steps of the interpreter; to see that
it goes on as the stream went on before takes 120. What this says no to is read the
other way (stream.py), and a test holds both to the same bytes.

Where events hold nothing beside their texts, and the client is given OpenAI's frames,
it takes two thirds of that; `read_any` tells the same of them, and of all others.
"""

from collections.abc import Callable
from functools import partial

from gateway.hub.answers.plain.around import Around, with_quotes
from gateway.hub.answers.plain.bare import decoded, is_bare
from gateway.hub.answers.relay import Text, TextRenderer, Texts

LONGEST = 1024
"""Bytes that are read so: what brings more is looked at all at once elsewhere."""


_made = partial(tuple.__new__, Text)

_NOTHING = Text(b"", "", "", None, None)
_LF, _CR = ord("\n"), ord("\r")

Read = Callable[[bytes], tuple[Text[bytes], bytes] | None]
"""Returns what some bytes say, and what they have of an event that is not whole."""


class PlainReads:
    """The reads of one stream's plain events, which are alike but for their strings."""

    def __init__(self, around: Around) -> None:
        self._name, self._chunk = around.name, around.chunk
        self._head, *between, self._tail = around.quoted_event()
        self._size = len(self._head)
        self._between = between[0] if between else b""
        self._first, *middle, self._last = with_quotes(around.frame)
        self._next = self._last + self._first
        self._middle = middle[0] if middle else b""

    def reader(self, renderer: TextRenderer | None) -> Read:
        """Return what reads them into frames of `renderer`, else OpenAI's."""
        if renderer is not None or self._between:
            return partial(self.read_any, renderer=renderer)
        return self.read

    def read(self, data: bytes) -> tuple[Text[bytes], bytes] | None:
        """Return what `data` says, and what it has of an event that is not whole.

        None, and nothing has changed, where it is to be read the other way.
        """
        head, size = self._head, self._size
        event, ended, rest = data.partition(self._tail)
        if not ended or event[:size] != head:
            return self.read_any(data, None)
        if not head.startswith(rest):
            begun = rest[size:]
            if _LF in begun or _CR in begun or rest[:size] != head:
                return self._read_several(data)
        string = event[size:]
        try:
            text = string.decode()
        except UnicodeDecodeError:
            return None
        if text and text.isprintable() and "\\" not in text and '"' not in text:
            frame = self._first + string + self._last
            return _made((frame, text, "", self, self._name)), rest
        return self.read_any(data, None)

    def _read_several(self, data: bytes) -> tuple[Text[bytes], bytes] | None:
        """Do as `read` does, of a few events, if they are that."""
        head, size, tail = self._head, self._size, self._tail
        strings: list[bytes] = []
        rest = data
        while rest[:size] == head:
            string, ended, behind = rest[size:].partition(tail)
            if not ended:
                if _LF in string or _CR in string:
                    return None
                break
            strings.append(string)
            rest = behind
        else:
            if not head.startswith(rest):
                return None
        if not all(strings):
            return None
        try:
            text = "".join([string.decode() for string in strings])
        except UnicodeDecodeError:
            return None
        if text.isprintable() and "\\" not in text and '"' not in text:
            frames = self._first + self._next.join(strings) + self._last
            return _made((frames, text, "", self, self._name)), rest
        return self.read_any(data, None)

    def read_any(
        self, data: bytes, renderer: TextRenderer | None
    ) -> tuple[Text[bytes], bytes] | None:
        """Do as `read` does, whatever stands beside the texts and gets them.

        In frames of `renderer`, else OpenAI's.
        """
        head = self._head
        *events, rest = data.split(self._tail)
        if not (head.startswith(rest) or self._is_begun(rest)):
            return None
        strings = []
        for event in events:
            if not event.startswith(head):
                return None
            strings.append(event[self._size :])
        if not strings:
            return _NOTHING, rest
        framed, aside = strings, ""
        if self._between:
            parted = self._parted(strings)
            if parted is None:
                return None
            strings, framed, aside = parted
        text = _text(strings)
        if text is None:
            return None
        if renderer is None:
            frames = self._first + self._next.join(framed) + self._last
        else:
            quoted = [b'"%b"' % string for string in strings]
            told = renderer.render_texts(Texts(quoted, text, self._chunk))
            if told is None:
                return None
            frames = told
        return _made((frames, text, aside, self, self._name)), rest

    def _is_begun(self, rest: bytes) -> bool:
        """Tell whether `rest` is an event like these, and nothing behind its head."""
        size = self._size
        return (
            rest.startswith(self._head)
            and rest.find(b"\n", size) < 0
            and rest.find(b"\r", size) < 0
        )

    def _parted(
        self, strings: list[bytes]
    ) -> tuple[list[bytes], list[bytes], str] | None:
        """Return texts alone, with their padding as the client gets it, and this.

        None where one has none, or other than letters and digits.
        """
        texts, framed, aside = [], [], ""
        for string in strings:
            text, divided, padding = string.partition(self._between)
            if not divided or (padding and not padding.isalnum()):
                return None
            texts.append(text)
            framed.append(text + self._middle + padding)
            aside += padding.decode() + '"'
        return texts, framed, aside


def _text(strings: list[bytes]) -> str | None:
    """Return the text of JSON strings that need no look at all; None of others."""
    joined = b"".join(strings)
    if is_bare(joined) is None or not all(strings):
        return None
    return decoded(joined, strings)
