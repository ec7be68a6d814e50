"""Events that carry a piece of an answer, and nearly all are such: the text in them.

They are not decoded, but for that text, in which a credential may have been said.
"""

import re
from functools import lru_cache

from gateway.hub.answers.relay import Relayed, Said
from gateway.wire.jsontext import JSONError, decode

HEAD = b"event: content_block_delta\ndata: "

_NEXT = b"\n\n" + HEAD
_PLAIN = re.compile(
    rb"event: content_block_delta\ndata: "
    rb'\{"type": ?"content_block_delta", ?"index": ?(\d+), ?"delta": ?'
    rb'\{"type": ?"[a-z_]+", ?"([a-z_]+)": ?("(?:[^"\\\n]++|\\.)*+") *\} *\} *\n\n'
)


def pieces(events: bytes) -> Relayed[bytes] | None:
    """Return complete events as they are passed on, where all of them are such.

    None where there is another among them.
    """
    if not events.startswith(HEAD):
        return None
    if events.count(b"\n\n") != events.count(_NEXT) + 1:
        return None
    found = _PLAIN.findall(events)
    if len(found) != events.count(_NEXT) + 1:
        return Relayed(events, len(events), says=True)
    texts: dict[tuple[bytes, bytes], list[bytes]] = {}
    for index, field, text in found:
        texts.setdefault((index, field), []).append(text)
    try:
        said = {_name(*key): _read(strings) for key, strings in texts.items()}
    except JSONError:
        # What is cut within a character is read where it is looked into.
        return Relayed(events, len(events), says=True)
    return Relayed(events, sum(map(len, said.values())), says=True, said=said)


def _read(strings: list[bytes]) -> str:
    """Return the text that JSON strings come to."""
    text = b"".join([each[1:-1] for each in strings])
    return str(decode(b'"%b"' % text)) if b"\\" in text else text.decode()


@lru_cache(maxsize=1024)
def _name(index: bytes, field: bytes) -> object:
    """Return the field of an answer that a piece adds to."""
    return int(index), field.decode()


def said_in(event: dict[str, object]) -> Said | None:
    """Return the text in another event: none, or None where it may have one."""
    if event.get("type") != "content_block_start":
        return {}
    block = event.get("content_block")
    begins_empty = isinstance(block, dict) and not (
        block.get("text") or block.get("thinking") or block.get("content")
    )
    return {} if begins_empty else None
