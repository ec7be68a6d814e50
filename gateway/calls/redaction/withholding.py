"""Keeps a credential out of a stream that says it in pieces, however it is cut.

A client joins the strings that come for a field of an answer, so they are joined here
too. Events at whose end a credential may have begun wait for the next ones. Nearly all
go on at once, for a look at the end of their text; they are read again only when a
credential has come.

To remember the end and send the event would spare it the time of one token. But what is
sent cannot be called back: the first letters would be out, in each spelling that comes.
"""

import re
from functools import lru_cache
from typing import Any, Generic, TypeVar

from gateway.calls.redaction import REDACTED, events, spellings_of
from gateway.calls.redaction.hearing import Hearing
from gateway.hub.answers.relay import Relayed, Said
from gateway.worker.snapshot import Provider

T = TypeVar("T")

MARK = REDACTED.decode()

# Pieces that bring something else meanwhile, for each character that has come: a
# credential in several fields by turns is unheard of, a word's last letter is not.
PATIENCE = 4

SHORT = 64
"""Characters of text that are looked through in one glance; longer, it is slower."""


def withholding(provider: Provider) -> "Withholding[Any] | None":
    """Return what one stream of `provider` passes through; None without secrets."""
    forms = forms_of(spellings_of(provider))
    return Withholding(forms) if forms.all else None


def _beginnings(texts: list[str]) -> str:
    """Return a pattern for the first characters of `texts`, and less at an end.

    For few of them: it is compiled at once, and few words of a text begin so.
    """
    begun = {text[:2] for text in texts}, {text[:1] for text in texts}
    ends = [rf"{re.escape(text)}\Z" for texts in begun for text in sorted(texts)]
    whole = sorted({re.escape(text[:3]) for text in texts})
    return "|".join([*whole, *ends]) or "(?!)"


class Forms:
    """What to look for: credentials as they may be written, as text."""

    def __init__(self, spellings: tuple[bytes, ...]) -> None:
        texts = [each.decode() for each in spellings]
        self.all = tuple(each for each in texts if each not in MARK)
        self._longest = max(map(len, self.all), default=0)
        self._by_first: dict[str, list[str]] = {}
        for form in self.all:
            self._by_first.setdefault(form[0], []).append(form)
        self.glance = re.compile(_beginnings(texts)).search
        """Finds nothing in text that neither holds a spelling nor may begin one."""
        firsts = "".join(map(re.escape, self._by_first))
        self._first = re.compile(f"[{firsts}]" if firsts else r"(?!)").search

    def start(self, text: str) -> int:
        """Return where at the end of `text` a form may have begun, else its length."""
        found = self._first(text, max(0, len(text) - self._longest + 1))
        while found is not None:
            rest = text[found.start() :]
            for form in self._by_first[rest[0]]:
                if form.startswith(rest):
                    return found.start()
            found = self._first(text, found.end())
        return len(text)

    def find(self, text: str, from_: int = 0) -> tuple[int, int] | None:
        """Return the span of the first whole form in `text`, None where none is."""
        first = None
        for form in self.all:
            start = text.find(form, from_)
            if start >= 0 and (first is None or start < first[0]):
                first = start, start + len(form)
        return first

    def find_most(self, text: str, from_: int = 0) -> tuple[int, int] | None:
        """Return the span of half of a form or more at the end of `text`."""
        start = max(self.start(text), from_)
        rest = text[start:]
        is_most = any(f.startswith(rest) and 2 * len(rest) >= len(f) for f in self.all)
        return (start, len(text)) if is_most else None


@lru_cache(maxsize=256)
def forms_of(spellings: tuple[bytes, ...]) -> Forms:
    """Return what to look for where a credential is spelled so."""
    return Forms(spellings)


class Withholding(Generic[T]):
    """The pieces of one stream, of which some are `waiting`; `T` as in `Relayed`."""

    def __init__(self, forms: Forms) -> None:
        self._forms = forms
        self._hearing = Hearing()
        self.waiting: list[Relayed[T]] = []

    def pass_on(self, relayed: Relayed[T]) -> Relayed[T] | None:
        """Return what may go on now that `relayed` came; None where it all waits."""
        if not relayed.data:
            return None
        said = relayed.said
        if said is None:
            said = self._hearing.said(relayed.data)
        if not self.waiting and not self._is_doubtful(said):
            return relayed
        if relayed.said is None:
            relayed = relayed._replace(said=said)
        self.waiting.append(relayed)
        texts = self._texts()
        if any(self._forms.find(text) for text in texts.values()):
            self._rewrite(self._forms.find)
            texts = self._texts()
        return self._release(self._ends(texts))

    def rest(self) -> Relayed[T] | None:
        """Return what waits, for nothing comes any more.

        Most of a credential at the end is none to be shown either.
        """
        find = self._forms.find_most
        if any(find(text, 0) for text in self._texts().values()):
            self._rewrite(find)
        return self._release({})

    def _is_doubtful(self, said: Said) -> bool:
        """Tell whether a credential stands or may have begun in what is `said`."""
        forms = self._forms
        for text in said.values():
            if len(text) <= SHORT and forms.glance(text) is None:
                continue
            if forms.start(text) < len(text):
                return True
            # Within JSON it may have been hidden by escapes.
            if any(map(text.__contains__, forms.all)):
                return True
        return False

    def _texts(self) -> Said:
        """Return what is said in all that waits."""
        texts: Said = {}
        for piece in self.waiting:
            for name, text in (piece.said or {}).items():
                texts[name] = texts.get(name, "") + text
        return texts

    def _rewrite(self, find: events.Find) -> None:
        """Take what is found out of all that waits, which becomes one piece."""
        texts = {name: replaced(text, find) for name, text in self._texts().items()}
        piece = _together(self.waiting)
        data = events.rewritten(piece.data, find, MARK)
        self.waiting = [piece._replace(data=data, said=texts)]

    def _ends(self, texts: Said) -> dict[object, int]:
        """Return by field how many characters at the end of `texts` are to wait."""
        ends = {}
        for name, text in texts.items():
            begun = len(text) - self._forms.start(text)
            others = 0
            for piece in reversed(self.waiting):
                if name in (piece.said or {}):
                    break
                others += 1
            if begun and others <= PATIENCE * begun:
                ends[name] = begun
        return ends

    def _release(self, ends: dict[object, int]) -> Relayed[T] | None:
        """Let go of all but the pieces with the `ends`; None where there is nothing."""
        pieces = self.waiting
        kept: list[Relayed[T]] = []
        while ends and pieces:
            piece = pieces.pop()
            said = piece.said or {}
            before, piece = _parted(piece, ends)
            if before is not None:
                pieces.append(before)
            kept.insert(0, piece)
            left = {name: end - len(said.get(name, "")) for name, end in ends.items()}
            ends = {name: end for name, end in left.items() if end > 0}
        self.waiting = kept
        return _together(pieces) if pieces else None


def replaced(text: str, find: events.Find) -> str:
    """Return `text` with a mark for all that `find` finds."""
    from_ = 0
    while span := find(text, from_):
        text = text[: span[0]] + MARK + text[span[1] :]
        from_ = span[0] + len(MARK)
    return text


def _parted(
    piece: Relayed[T], ends: dict[object, int]
) -> tuple[Relayed[T] | None, Relayed[T]]:
    """Return the events of a piece before those with its `ends`, if any, and these."""
    said = piece.said or {}
    if len(said) != 1 or said.keys() != ends.keys():
        return None, piece
    ((name, end),) = ends.items()
    before, after = events.parted(piece.data, end)
    if not before:
        return None, piece
    return piece._replace(data=before, said={}), piece._replace(
        data=after, said={name: said[name][-end:]}
    )


def _together(pieces: list[Relayed[T]]) -> Relayed[T]:
    """Return several pieces as one; what is said in them is not asked again."""
    if len(pieces) == 1:
        return pieces[0]
    data: Any = pieces[0].data
    for piece in pieces[1:]:
        data = data + piece.data
    return pieces[0]._replace(data=data, says=any(piece.says for piece in pieces))
