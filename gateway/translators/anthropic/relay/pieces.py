"""Events that carry a piece of an answer, and nearly all are such: the text in them.

They are not decoded, but for that text, in which a credential may have been said. Most
events of a network read are the same byte for byte but for it, and are read at once.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from gateway.hub.answers.relay import Relayed, Said
from gateway.hub.protocol import JSON
from gateway.wire.jsontext import JSONError, decode

HEAD = b"event: content_block_delta\ndata: "

_CHARACTERS = rb'(?:[^"\\\n]++|\\[^\n])*+'
_PLAIN = re.compile(
    rb"event: content_block_delta\ndata: "
    rb'\{"type": ?+"content_block_delta", ?+"index": ?+(\d++), ?+"delta": ?+'
    rb'\{"type": ?+"[a-z_]++", ?+"([a-z_]++)": ?+("%b") *+\} *+\} *+\n\n' % _CHARACTERS
)
_rows = re.compile(rb'"' + _CHARACTERS + rb'"(?:\n"' + _CHARACTERS + rb'")*+').fullmatch
"""JSON strings, one a line; a line feed cannot stand in one."""

_END = re.compile(rb"\n\n")
_END_OF_RUN = re.compile(rb"\n\n(?!event: content_block_delta\ndata: )")


class Run(NamedTuple):
    """Complete events: those that carry pieces and follow each other, or another."""

    data: bytes
    are_pieces: bool


def runs(events: bytes) -> Iterator[Run]:
    """Yield complete events that are divided by line feeds, in runs."""
    position = 0
    while position < len(events):
        are_pieces = events.startswith(HEAD, position)
        found = (_END_OF_RUN if are_pieces else _END).search(events, position)
        end = found.end() if found else len(events)
        yield Run(events[position:end], are_pieces)
        position = end


def pieces(run: bytes) -> Relayed[bytes]:
    """Return a run of events that carry pieces as it is passed on."""
    try:
        said = _said(run)
    except JSONError:
        said = None  # It is read where it is looked into.
    length = len(run) if said is None else sum(map(len, said.values()))
    return Relayed(run, length, says=True, said=said)


def _said(run: bytes) -> Said | None:
    """Return the text by its field; None where an event is none of the plain ones."""
    first = _PLAIN.match(run)
    if first is None:
        return None
    start, end = first.span(3)
    before, after = run[:start], run[end : first.end()]
    rows = run[start : len(run) - len(after)].replace(after + before, b"\n")
    if run.endswith(after) and _rows(rows):
        return {_name(first[1], first[2]): _read(rows[1:-1].replace(b'"\n"', b""))}
    texts: dict[tuple[bytes, bytes], list[bytes]] = {}
    position = 0
    for found in _PLAIN.finditer(run):
        if found.start() != position:
            return None
        position = found.end()
        texts.setdefault((found[1], found[2]), []).append(found[3][1:-1])
    if position != len(run):
        return None
    return {_name(*key): _read(b"".join(told)) for key, told in texts.items()}


def _read(text: bytes) -> str:
    """Return the text that JSON strings come to."""
    return str(decode(b'"%b"' % text)) if b"\\" in text else text.decode()


@lru_cache(maxsize=1024)
def _name(index: bytes, field: bytes) -> object:
    """Return the field of an answer that a piece adds to."""
    return int(index), field.decode()


def said_in(event: JSON) -> Said | None:
    """Return the text in another event: none, or None where it may have one."""
    if event.get("type") != "content_block_start":
        return {}
    block = event.get("content_block")
    begins_empty = isinstance(block, dict) and not (
        block.get("text") or block.get("thinking") or block.get("content")
    )
    return {} if begins_empty else None
