"""Where the text of an answer stands in one event of a stream, whatever its format."""

from collections.abc import Iterator
from typing import Any

from gateway.hub.answers.relay import Said
from gateway.hub.protocol import JSON

# Objects of an event say by these to which part of the answer they belong.
_IDENTITY = ("index", "output_index", "content_index", "item_id")
_SAYING = frozenset({str, dict, list})
# Strings beside the text, the same in many events.
_NO_TEXT = frozenset({"role", "type", "id", "object", "name", "call_id"})


def strings_in(event: Any) -> Iterator[tuple[object, JSON, str]]:
    """Yield the field of each piece of the answer's text, and where it stands.

    In the formats of streams these stand under `delta`, or are called `text`; in lines
    that tell whether they are `done`, under `message`.
    """
    if isinstance(event, dict):
        yield from _strings(event, ())


def said_in(event: Any) -> Said:
    """Return the text of each field that an event brings."""
    texts: Said = {}
    for name, holder, key in strings_in(event):
        texts[name] = texts.get(name, "") + holder[key]
    return texts


def _strings(
    holder: JSON, name: tuple[object, ...], is_text: bool = False
) -> Iterator[tuple[object, JSON, str]]:
    name = (*name, *map(holder.get, _IDENTITY))
    for key, value in holder.items():
        kind = type(value)
        if kind not in _SAYING:
            continue
        is_part = is_text or key == "delta" or (key == "message" and "done" in holder)
        if kind is str:
            if (is_part or key == "text") and key not in _NO_TEXT:
                yield (*name, key), holder, key
            continue
        for each in (value,) if kind is dict else value:
            if type(each) is dict:
                yield from _strings(each, (*name, key), is_part)
