"""Plain events that come together and hold nothing beside their text.

A network read may bring hundreds of them. They are divided, compared with what they
should be and framed by a handful of calls for all: 200 events take 47 µs and 140 steps
of the interpreter, where looking at each took 58 µs and 2,300. What this says no to is
read the other way (rows.py), and a test holds both to the same bytes.
"""

from operator import itemgetter
from typing import NamedTuple

from gateway.hub.answers.plain.around import Around, with_quotes
from gateway.hub.answers.plain.bare import decoded, is_bare
from gateway.hub.answers.relay import Relayed, TextRenderer, Texts


class Bare(NamedTuple):
    """Events that follow each other, up to `end`, and are alike but for their `texts`.

    These are what stands between the quotes, and `text` what they come to; None where
    that is for others to find out, because of escapes or because it may be none.
    """

    end: int
    texts: list[bytes]
    text: str | None


class Runs:
    """The plain events of one stream, which have one string each."""

    def __init__(self, around: Around) -> None:
        self._around = around
        self._head, self._tail = around.quoted_event()
        self._text_of = itemgetter(slice(len(self._head), None))

    def alike(self, data: bytes, position: int) -> Bare | None:
        """Return the events from `position` on that may be had so; else None."""
        head, tail = self._head, self._tail
        *events, _ = data[position:].split(tail)
        texts = [*map(self._text_of, events)]
        again = head + (tail + head).join(texts) + tail
        if not texts or not data.startswith(again, position):
            return None
        end, joined = position + len(again), b"".join(texts)
        if is_bare(joined) is not None:
            return Bare(end, texts, decoded(joined, texts))
        # Others end in the same way.
        return None if b"\n" in joined else Bare(end, texts, None)

    def told(self, bare: Bare, renderer: TextRenderer | None) -> Relayed[bytes] | None:
        """Return the frames for some events, as `renderer` writes them, else OpenAI's.

        None where they are to go the long way.
        """
        around, texts, text = self._around, bare.texts, bare.text or ""
        if not all(texts) and not (around.tells_empty and renderer is None):
            texts = [*filter(None, texts)]
        if renderer is None:
            first, last = with_quotes(around.frame)
            data = first + (last + first).join(texts) + last
        else:
            # Written and divided at once, not one by one.
            strings = (b'"%b"' % b'"\n"'.join(texts)).split(b"\n")
            told = renderer.render_texts(Texts(strings, text, around.chunk))
            if told is None:
                return None
            data = told
        return Relayed(data, len(text), "", True, {around.name: text})
