"""Where the JSON object that arrives in pieces begins and ends."""

import re

_EMPTY = re.compile(r"\{\s*\}?\s*")
_FOLLOWED = re.compile(r"\{\s*\}\s*(?=\S)")
_MARK = re.compile(r'\\.|["\[\]{}]', re.DOTALL)


class ObjectScanner:
    """The arguments of one call; `feed` gives what of them can be told at once.

    An object is told as it comes, and what follows it is dropped. Anything else waits
    for `rest`: it may be a text that holds the object. An empty object waits, too, for
    some servers send one before the real arguments:
    https://github.com/router-for-me/CLIProxyAPI/issues/3720
    """

    def __init__(self) -> None:
        self.is_whole = False
        """Whether an object that is being told is complete."""
        self.is_told = False
        """Whether any of it was given."""
        self._held = ""
        self._depth = 0
        self._in_string = False
        self._escaped = False

    def feed(self, piece: str) -> str:
        """Return what `piece` adds to the object that the client is told."""
        if self.is_whole and self.is_told:
            return ""
        if self.is_told:
            return self._told(piece)
        self._held += piece
        text = self._held.lstrip()
        if not text.startswith("{"):
            return ""
        if _EMPTY.fullmatch(text):
            self.is_whole = "}" in text
            return ""
        if found := _FOLLOWED.match(text):
            text = text[found.end() :]
            if not text.startswith("{"):
                self.is_whole = True
                return ""
        self.is_whole, self.is_told, self._held = False, True, ""
        return self._told(text)

    @property
    def rest(self) -> str:
        """What was not told: no object, or an empty one, or nothing."""
        return "{}" if self.is_whole else self._held

    def _told(self, piece: str) -> str:
        """Return `piece` up to where the object ends."""
        start = 0
        if self._escaped:
            # A backslash ended the piece before: it takes this character with it.
            self._escaped, start = False, 1
        for mark in _MARK.finditer(piece, start):
            if self._ends_at(mark.group()):
                self.is_whole = True
                return piece[: mark.end()]
        self._escaped = self._is_cut_escape(piece, start)
        return piece

    def _ends_at(self, mark: str) -> bool:
        if mark == '"':
            self._in_string = not self._in_string
        elif not self._in_string and len(mark) == 1:
            self._depth += 1 if mark in "[{" else -1
            return self._depth == 0
        return False

    @staticmethod
    def _is_cut_escape(piece: str, start: int) -> bool:
        text = piece[start:]
        return (len(text) - len(text.rstrip("\\"))) % 2 == 1
