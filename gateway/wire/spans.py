"""Where in a JSON text a value stands, so that it is changed and nothing else is."""

import re
from collections.abc import Iterator
from functools import lru_cache

_STRING = rb'"(?:[^"\\]++|\\.)*+"'
_strings = re.compile(_STRING, re.DOTALL)
_value = re.compile(rb"\s*+:\s*+(" + _STRING + rb")", re.DOTALL)

_BACKSLASH = ord("\\")

Span = tuple[int, int]


def value_span(text: bytes, key: str, depth: int = 1) -> Span | None:
    """Return where the string stands that is the first `key`'s value at `depth`.

    At depth 1 are the keys of the outermost object. `text` must be valid JSON, and hold
    such a key; None where its value is no string.

    >>> value_span(b'{"a": {"b": "x"}, "b": "y"}', "b")
    (23, 26)
    """
    if b"\\u00" in text:
        return _first(text, _written_anyhow(text, key), depth)
    quoted = b'"%b"' % key.encode()
    start = text.find(quoted)
    if start > 0 and text.find(quoted, start + 1) < 0:
        # As nearly always: how deep it stands need not be counted.
        found = _value.match(text, start + len(quoted))
        if found is None or text[start - 1] == _BACKSLASH:
            return None
        return found.span(1)
    places = list(_written_plainly(text, quoted))
    if len(places) == 1:
        return places[0][1]
    return _first(text, iter(places), depth)


def replaced(text: bytes, span: Span, value: bytes) -> bytes:
    """Return `text` with `value` in place of what stands at `span`."""
    return b"".join((text[: span[0]], value, text[span[1] :]))


def _written_plainly(text: bytes, key: bytes) -> Iterator[tuple[int, Span]]:
    """Yield where `key`, with its quotation marks, begins, and its value's span.

    A quotation mark without a backslash before it begins a string or ends one, and only
    a key that begins there has such a text and a colon behind it.
    """
    start = text.find(key)
    while start >= 0:
        found = _value.match(text, start + len(key))
        if found and text[start - 1] != _BACKSLASH:
            yield start, found.span(1)
        start = text.find(key, start + len(key))


def _written_anyhow(text: bytes, key: str) -> Iterator[tuple[int, Span]]:
    for found in _escaped(key).finditer(text):
        yield found.start(), found.span(1)


def _first(text: bytes, places: Iterator[tuple[int, Span]], depth: int) -> Span | None:
    seen = level = 0
    for start, span in places:
        level += _steps(text[seen:start])
        seen = start
        if level == depth:
            return span
    return None


def _steps(text: bytes) -> int:
    """Return how much deeper the end of `text` is than its beginning.

    Brackets within strings do not count.
    """
    if b'"' in text:
        text = _strings.sub(b"", text)
    opened = text.count(b"{") + text.count(b"[")
    return opened - text.count(b"}") - text.count(b"]")


@lru_cache(maxsize=8)
def _escaped(key: str) -> re.Pattern[bytes]:
    letters = (b"(?:%c|\\\\u00(?i:%02x))" % (each, each) for each in key.encode())
    head = rb'(?<!\\)"' + b"".join(letters) + rb'"'
    return re.compile(head + _value.pattern, re.DOTALL)
