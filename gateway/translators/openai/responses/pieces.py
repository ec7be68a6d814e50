"""Events that carry a piece of an answer, and nearly all are such: the text in them.

They are not decoded, but for that text, in which a credential may have been said.
https://platform.openai.com/docs/api-reference/responses-streaming
"""

import re

from gateway.hub.answers.relay import Relayed
from gateway.wire.jsontext import JSONError, decode

_FIELD = rb', ?(?!"delta")"[a-z_]+": ?(?:\d+|"[^"\\\n]*+"|\[\]|null)'
_PLAIN = re.compile(
    rb"event: (response\.[a-z_.]+\.delta)\n"
    rb'data: \{"type": ?"\1"(?:, ?"sequence_number": ?\d+)?((?:' + _FIELD + rb")*+)"
    rb', ?"delta": ?("(?:[^"\\\n]++|\\.)*+")(?:' + _FIELD + rb")*+ *\}\n\n"
)

_HEAD = b"event: response."
_LONGEST_NAME = 80
_NEXT = b"\n\n" + _HEAD


def is_piece(event: bytes) -> bool:
    """Tell whether a complete event carries a piece of an answer, by how it begins."""
    return event.startswith(_HEAD) and event.find(b".delta\n", 0, _LONGEST_NAME) > 0


def pieces(events: bytes) -> Relayed[bytes] | None:
    """Return complete events as they are passed on, where all of them are such.

    None where there is another among them.
    """
    count = events.count(b"\n\n")
    if not events.startswith(_HEAD) or events.count(_NEXT) + 1 != count:
        return None
    if events.count(b".delta\ndata: ") != count:
        return None
    found = _PLAIN.findall(events)
    if len(found) != count:
        return None
    texts: dict[tuple[bytes, bytes], list[bytes]] = {}
    for kind, place, text in found:
        # Where it belongs stands beside it, the same in every event of an item.
        texts.setdefault((kind, place), []).append(text)
    try:
        said: dict[object, str] = {key: _read(each) for key, each in texts.items()}
    except JSONError:
        # What is cut within a character is read where it is looked into.
        return Relayed(events, len(events), says=True)
    return Relayed(events, sum(map(len, said.values())), says=True, said=said)


def _read(strings: list[bytes]) -> str:
    """Return the text that JSON strings come to."""
    text = b"".join([each[1:-1] for each in strings])
    return str(decode(b'"%b"' % text)) if b"\\" in text else text.decode()
