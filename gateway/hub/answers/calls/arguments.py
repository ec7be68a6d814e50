"""The arguments of calls as they are being told: JSON text, whole or in pieces."""

import re
from typing import Any

from gateway.wire.jsontext import dumps

_MARKS = re.compile(r'\\.|["\[\]{}]', re.DOTALL)


def arguments_text(value: Any) -> str:
    """Return a call's arguments, or a piece of them, as JSON text; "" where it is none.

    OpenAI's are text (https://platform.openai.com/docs/api-reference/chat/object); some
    servers send the object itself, or null for a tool without parameters.
    """
    if isinstance(value, str):
        return value
    return "" if value is None else dumps(value)


class GrowingArguments:
    """Arguments that arrive in pieces; whether they are whole is asked now and then.

    Looked at are brackets and strings alone, and each piece once however often one
    asks: servers that repeat a call's name in every piece make us ask for each.
    """

    __slots__ = ("_depth", "_has_begun", "_in_string", "_rest", "_seen", "pieces")

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self._seen = 0
        self._depth = 0
        self._has_begun = False
        self._in_string = False
        self._rest = ""

    def __str__(self) -> str:
        return "".join(self.pieces)

    @property
    def is_blank(self) -> bool:
        """Whether nothing was told yet."""
        return not any(piece.strip() for piece in self.pieces)

    @property
    def is_whole(self) -> bool:
        """Whether what was told is a complete object or list."""
        new, self._seen = self.pieces[self._seen :], len(self.pieces)
        for piece in new:
            self._look_at(piece)
        return self._has_begun and self._depth == 0 and not self._in_string

    def _look_at(self, piece: str) -> None:
        text = self._rest + piece
        # A backslash at the end belongs to the character that comes next.
        cut = len(text) - len(text.rstrip("\\"))
        self._rest = "\\" if cut % 2 else ""
        for mark in _MARKS.findall(text):
            if mark == '"':
                self._in_string = not self._in_string
            elif self._in_string or len(mark) > 1:
                continue
            elif mark in "{[":
                self._depth += 1
                self._has_begun = True
            else:
                self._depth -= 1
