"""JSON of which only the frame is read: what is large stays text.

A thousand vectors are a hundred megabytes of numbers that nobody here needs.
"""

import msgspec

from gateway.wire.jsontext import JSONError

__all__ = ["JSONError", "Unread", "members", "objects", "with_objects"]

Unread = msgspec.Raw
"""A value as JSON text; it is written as it stands."""

_Object = dict[str, Unread]

members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
"""The members of a JSON object by name; raises one of `JSONError` where it is none."""

objects = msgspec.json.Decoder(list[dict[str, msgspec.Raw]]).decode
"""The objects of a JSON array, each as `members` gives it; raises likewise."""

_NEAR = 256
"""Bytes from the beginning within which a list begins that is worth a guess."""
_NULL = b"null"


def with_objects(raw: bytes, name: str) -> tuple[dict[str, Unread], list[_Object]]:
    """Return the members of a JSON object, and the objects of the list by a `name`.

    Raises as `members`, and KeyError where there is no such member.
    """
    divided = _divided(raw, name)
    if divided is not None:
        return divided
    found = members(raw)
    return found, objects(found[name])


def _divided(raw: bytes, name: str) -> tuple[dict[str, Unread], list[_Object]] | None:
    """Return the same, the list read once and not twice, None where that is not clear.

    Where it stands is guessed. With null in its place all else has to be an object with
    just that by its name; then a value that is read by itself stands there.
    """
    key = b'"%b"' % name.encode()
    start = raw.find(b"[", raw.find(key, 0, _NEAR) + len(key), _NEAR)
    end = raw.rfind(b"]") + 1
    if not 0 < start < end:
        return None
    around = b"".join((raw[:start], _NULL, raw[end:]))
    if around.count(key) != 1 or around.find(b"\\") >= 0:
        return None
    try:
        found = members(around)
        if name not in found or bytes(found[name]) != _NULL:
            return None
        listed = objects(memoryview(raw)[start:end])
    except JSONError:
        return None
    found[name] = Unread(raw[start:end])
    return found, listed
