"""The text that a custom tool is called with, out of the JSON that models write.

A custom tool takes text, a function takes JSON: it is offered as a function with one
argument, `input`, and what stands in that argument is told as it comes.
https://platform.openai.com/docs/guides/function-calling#custom-tools
"""

import re

from gateway.wire import jsontext

FIELD = "input"
"""The one argument of a custom tool that is offered as a function."""

_OPENING = re.compile(r'\s*\{\s*"input"\s*:\s*"')
_RUN = re.compile(r'[^"\\]+')
_HEX = re.compile(r"[0-9a-fA-F]{4}")
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_REPLACEMENT = "\ufffd"

_ESCAPE, _UNIT = 2, 6
"""Characters of an escape, and of one that names a code unit."""


class CustomInput:
    """Reads the arguments of one call, in pieces cut anywhere.

    The text is the same however they are cut. Arguments of another shape than the one
    asked for are held until the end.
    """

    def __init__(self) -> None:
        self._held = ""
        self._is_open = False
        self._is_closed = False

    def feed(self, fragment: str) -> str:
        """Return what is known of the text by now and was not returned before."""
        if self._is_closed:
            return ""
        self._held += fragment
        if not self._is_open and not self._opens():
            return ""
        return self._text()

    def close(self) -> str:
        """Return the rest of the text; nothing more comes."""
        held, self._held = self._held, ""
        if self._is_open:
            # Cut within an escape: half of one says nothing.
            return ""
        return _of_another_shape(held)

    def _opens(self) -> bool:
        opening = _OPENING.match(self._held)
        if opening is not None:
            self._is_open = True
            self._held = self._held[opening.end() :]
        return self._is_open

    def _text(self) -> str:
        """Take the text out of what is held, but for an escape that is not whole."""
        held, at, pieces = self._held, 0, []
        while at < len(held):
            if run := _RUN.match(held, at):
                pieces.append(run.group())
                at = run.end()
            elif held[at] == '"':
                self._is_closed, held = True, ""
            elif escaped := _escaped(held, at):
                pieces.append(escaped[0])
                at += escaped[1]
            else:
                break
        self._held = held[at:]
        return "".join(pieces)


def custom_input(arguments: str) -> str:
    """Return the text of a call whose arguments came whole."""
    decoder = CustomInput()
    return decoder.feed(arguments) + decoder.close()


def custom_arguments(text: str) -> str:
    """Return the arguments of a call with `text`, the way back."""
    return jsontext.dumps({FIELD: text})


def _escaped(held: str, at: int) -> tuple[str, int] | None:
    """Return the character of an escape and the length of it, None where it is cut."""
    if len(held) < at + _ESCAPE:
        return None
    kind = held[at + 1]
    if kind != "u":
        return _ESCAPES.get(kind, kind), _ESCAPE
    if len(held) < at + _UNIT:
        return None
    unit = _unit_at(held, at)
    if unit is None:
        return "u", _ESCAPE
    if not 0xD800 <= unit < 0xE000:
        return chr(unit), _UNIT
    return _pair(held, at, unit)


def _pair(held: str, at: int, high: int) -> tuple[str, int] | None:
    """Return the character of a surrogate and the one behind it."""
    rest = held[at + _UNIT : at + 2 * _UNIT]
    if high >= 0xDC00 or not "\\u".startswith(rest[:2]):
        return _REPLACEMENT, _UNIT
    if len(rest) < _UNIT:
        return None
    low = _unit_at(held, at + _UNIT)
    if low is None or not 0xDC00 <= low < 0xE000:
        return _REPLACEMENT, _UNIT
    return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)), 2 * _UNIT


def _unit_at(held: str, at: int) -> int | None:
    digits = held[at + 2 : at + _UNIT]
    return int(digits, 16) if _HEX.fullmatch(digits) else None


def _of_another_shape(arguments: str) -> str:
    """Return the only text in an object, else the arguments as they are."""
    try:
        value = jsontext.decode(arguments)
    except jsontext.JSONError:
        return arguments
    if isinstance(value, dict) and len(value) == 1:
        (only,) = value.values()
        if isinstance(only, str):
            return only
    return arguments
