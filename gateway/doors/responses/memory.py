"""Items that a client names instead of sending them: which, and where they stand.

OpenAI keeps the items of an answer unless `store` is false, and some clients then send
their ids alone. https://platform.openai.com/docs/api-reference/responses/create
"""

import re
from collections.abc import Mapping
from typing import Any

from gateway.doors.protocol import Asked
from gateway.doors.responses.ids import OWN
from gateway.doors.responses.reading import Reading
from gateway.hub.protocol import JSON
from gateway.wire.jsontext import decode_exactly, encode

MOST_NAMED = 256
"""Responses of which items may be named in one request."""

_own_id = re.compile(rf"[a-z]+_{OWN}([0-9A-Za-z]{{22}})[0-9a-z]*").fullmatch


def wants_memory(body: JSON) -> bool:
    """Tell whether a client counts on its answer being kept."""
    return body.get("store") is not False


def token_of(id: Any) -> str:
    """Return what all ids of one response have in common; "" for ids of others."""
    found = _own_id(id) if isinstance(id, str) else None
    return found[1] if found else ""


def tokens_named(asked: Asked) -> set[str]:
    """Return the tokens of the responses of which a request names items."""
    if not asked.own.may_hold_ours:
        return set()
    tokens = {token_of(named) for named in map(_named, _items(asked.body)) if named}
    return set(sorted(tokens - {""})[:MOST_NAMED])


def with_items(asked: Asked, kept: Mapping[str, JSON]) -> Asked:
    """Return a request with the items themselves, `kept` by id, for their names."""
    body, sent = _with(asked.body, kept), asked.sent
    raw = encode(_with(decode_exactly(sent.raw), kept))
    sent = sent._replace(raw=raw)
    own = Reading(body, sent)
    return Asked(asked.model, asked.stream, body, sent, own, asked.stays)


def _with(body: JSON, kept: Mapping[str, JSON]) -> JSON:
    items = [kept.get(_named(item) or "", item) for item in _items(body)]
    return {**body, "input": items}


def _items(body: JSON) -> list[Any]:
    items = body.get("input")
    return items if isinstance(items, list) else []


def _named(item: Any) -> str | None:
    """Return the id where an item is a name and nothing else."""
    match item:
        case {"type": "item_reference" | None, "id": str(id)}:
            return None if "role" in item else id
        case {"id": str(id)} if item.keys() == {"id"}:
            return id
    return None
