"""The members of a JSON object: where each stands in its text.

Who knows it can change one and leave the others as they came, and knows besides that no
key stands twice. Reading the text so costs a third of decoding it.
"""

import re
from collections.abc import Mapping

import msgspec

from gateway.wire.jsontext import JSON, JSONError, encode
from gateway.wire.spans import Span

_BLANK = b" \t\r\n"
_KEY = re.compile(rb'[ \t\r\n]*+[{,][ \t\r\n]*+"[^"\\]*+"[ \t\r\n]*+:[ \t\r\n]*+')

_values = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
"""An object to the texts of its values. These are not read: what it takes for valid may
hold what `decode` refuses, such as bytes that are no UTF-8."""

Members = Mapping[str, Span]
"""Where the value of each key stands, in the order of the text."""


def members_of(text: bytes) -> Members | None:
    """Return where the values of an object stand, whose text `decode` takes.

    None where a key stands twice, or has a character that is written as an escape.

    >>> members_of(b'{"a": 1, "b": [2]}')
    {'a': (6, 7), 'b': (14, 17)}
    """
    try:
        values = _values(text)
    except JSONError:
        return None
    if not values:
        return {}
    found, end = {}, 0
    for key, value in values.items():
        # Of a key that stands twice there is one value, the last: the walk comes to
        # where it does not stand, or not to the end.
        head = _KEY.match(text, end)
        if head is None:
            return None
        start = head.end()
        if not text.startswith(value, start):
            return None
        end = start + memoryview(value).nbytes
        found[key] = (start, end)
    return found if text[end:].strip(_BLANK) == b"}" else None


def rewritten(text: bytes, members: Members, before: JSON, after: JSON) -> bytes:
    """Return `after` as JSON, of which much is as it was in `before`, said by `text`.

    A value that is the same object is written as it stands in `text`.

    >>> rewritten(b'{"a": 2.50}', {"a": (6, 10)}, was := {"a": 2.5}, {**was, "b": 3})
    b'{"a":2.50,"b":3}'
    """
    view = memoryview(text)
    pieces: list[bytes | memoryview] = []
    for key, value in after.items():
        span = members.get(key)
        pieces += (b"," if pieces else b"{", encode(key), b":")
        if span is not None and before[key] is value:
            pieces.append(view[span[0] : span[1]])
        else:
            pieces.append(encode(value))
    return b"".join((*pieces, b"}")) if pieces else b"{}"
