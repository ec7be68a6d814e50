"""Request bodies: bytes to a JSON object, or a 400 that says what is wrong.

Stricter than a JSON parser alone, because we forward what we parsed: a body that two
parsers read differently must not pass. Nearly every body that is not short is known to
be fine before any of these checks runs (gateway/entry/plain_bodies.py); they judge the
others.
"""

import json
import re
from functools import lru_cache
from itertools import accumulate

from gateway.entry.plain_bodies import (
    BYTES_PER_TOKEN,
    MAX_DEPTH,
    MAX_DIGITS,
    MIN_BRACKETS,
    MIN_COMMAS,
    Read,
    read_outline,
    read_plain,
)
from gateway.errors import GatewayError, invalid_request
from gateway.wire import jsontext
from gateway.wire.framing import Shapes
from gateway.wire.jsontext import JSON
from gateway.wire.mending import decode_mended, first_half

_STRINGS = re.compile(rb'"(?:[^"\\]++|\\.)*+"')
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_STEP = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
# A letter or underscore written as an escape: a key could hide behind it.
_ESCAPED_ASCII = re.compile(rb"\\u00[2-7]")
_BACKSLASH = ord("\\")
_SHORT = 1024
"""What is shorter is looked at as soon as it is asked whether it must be."""
_LONG_NUMBER = re.compile(rb"\d{%d}" % (MAX_DIGITS + 1))


def parse(raw: bytes) -> JSON:
    """Return the object in `raw`; raises GatewayError with status 400."""
    return read(raw).body


def read(raw: bytes, shapes: Shapes | None = None) -> Read:
    """Return the object in `raw`, and where its members stand; raises as `parse`.

    With `shapes` it may be an outline.
    """
    if len(raw) < _SHORT:
        # An outline is of something long.
        return Read(judged(raw))
    if shapes is not None and len(raw) in shapes.sizes:
        outline = read_outline(raw, shapes)
        if outline is not None:
            return outline
    return read_plain(raw) or Read(judged(raw))


def judged(raw: bytes) -> JSON:
    """Return the object in `raw` by looking at every byte of it; raises as `parse`."""
    brackets = raw.count(b"[") + raw.count(b"{")
    # What is shorter holds neither so many values nor such a number.
    is_long = len(raw) > MAX_DIGITS
    if is_long:
        _check_values(raw, brackets)
    if brackets > MAX_DEPTH and _depth(raw) > MAX_DEPTH:
        raise _invalid(f"nested deeper than {MAX_DEPTH} levels")
    # Nearly no body holds that many digits even in its strings.
    if (
        is_long
        and _LONG_NUMBER.search(raw)
        and _LONG_NUMBER.search(_STRINGS.sub(b"", raw))
    ):
        raise _invalid(f"a number has more than {MAX_DIGITS} digits")
    try:
        body = jsontext.decode(raw)
    except jsontext.JSONError as error:
        raise _invalid(_torn(raw) or _reason(error)) from None
    if not isinstance(body, dict):
        raise _invalid("it must be an object")
    if not _is_plain(raw, body):
        _refuse_duplicates(raw)
    return body


def _check_values(raw: bytes, brackets: int) -> None:
    """Raise for a body with too many values for its size."""
    limit = len(raw) // BYTES_PER_TOKEN
    if brackets > max(MIN_BRACKETS, limit) or raw.count(b",") > max(MIN_COMMAS, limit):
        raise invalid_request(
            "The request body holds too many values for its size.",
            code="request_too_complex",
        )


def _depth(raw: bytes) -> int:
    """Return how deep brackets nest outside of strings."""
    skeleton = _STRINGS.sub(b"", raw).translate(None, _NOT_BRACKETS)
    return max(accumulate(map(_STEP.__getitem__, skeleton)), default=0)


def _refuse_duplicates(raw: bytes) -> None:
    """Raise when a top-level key stands twice: parsers differ in which one they take.

    Some do not tell capital letters from small ones (Go's), or end a key at a NUL. A
    parser shows every key.
    """
    seen: set[str] = set()
    for key in _top_level_keys(raw):
        alike = key.partition("\0")[0].casefold()
        if alike in seen:
            raise _invalid(f"the key {key[:64]!r} stands twice")
        seen.add(alike)


def _is_plain(raw: bytes, body: JSON) -> bool:
    """Tell whether no two keys of a body can be taken for one another.

    So it is where they are letters, each once in the bytes and unescaped.
    """
    # A client's requests have the same keys. What is long may have any.
    written = (_known if len(raw) < _SHORT else _written)(tuple(body))
    if written is None or [*map(raw.count, written)] != [1] * len(written):
        return False
    return _BACKSLASH not in raw or not _ESCAPED_ASCII.search(raw)


def _written(keys: tuple[str, ...]) -> tuple[bytes, ...] | None:
    """Return keys as they are written in JSON; None where they are not all letters.

    None as well where two differ in capital letters alone.
    """
    letters = "".join(keys)
    if not letters.isascii() or not letters.isidentifier():
        return None
    if not letters.islower() and len(set(map(str.lower, keys))) < len(keys):
        return None
    return tuple([b'"%b"' % key.encode() for key in keys])


_known = lru_cache(maxsize=256)(_written)


def _top_level_keys(raw: bytes) -> list[str]:
    """Return every key of the outermost object, as often as it stands there."""
    keys: list[str] = []

    def keep(found: list[tuple[str, object]]) -> None:
        # The outermost object is finished last.
        keys[:] = [key for key, _ in found]

    json.loads(raw, object_pairs_hook=keep)
    return keys


def _torn(raw: bytes) -> str:
    """Say which half of a surrogate pair stands alone, and where; "" if none does."""
    try:
        half = first_half(raw.decode())
        if half is not None:
            # What else may be wrong with it has words of its own.
            decode_mended(raw)
    except jsontext.JSONError:
        return ""
    if half is None:
        return ""
    text, start = half
    place = len(raw.decode()[:start].encode())
    return f"half of a surrogate pair, {text}, stands alone at byte {place}"


def _reason(error: BaseException) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8"
    if isinstance(error, RecursionError):
        return f"nested deeper than {MAX_DEPTH} levels"
    return str(error) or "it cannot be read"


def _invalid(reason: str) -> GatewayError:
    return invalid_request(
        f"The request body is not valid JSON: {reason}.", code="invalid_json"
    )
