"""The arguments of a call: JSON as a model wrote it."""

from collections.abc import Iterable
from typing import Any

from gateway.hub.protocol import JSON
from gateway.wire.jsontext import JSONError, decode, dumps

_DEEPEST = 200
"""Levels of nesting up to which arguments are sent as an object: encoders recurse."""


def parse_arguments(arguments: str | JSON | None) -> JSON:
    """Return a call's arguments as the object that upstreams want; never raises.

    Models write broken JSON now and then, and a conversation must survive it: what is
    not an object is wrapped, what is not JSON is kept as text.
    """
    if isinstance(arguments, dict):
        return arguments
    if arguments is None or not arguments.strip():
        return {}
    try:
        value = decode(arguments)
    except JSONError:
        return {"_raw_arguments": arguments}
    if arguments.count("{") + arguments.count("[") > _DEEPEST and _is_deep(value):
        return {"_raw_arguments": arguments}
    return value if isinstance(value, dict) else {"value": value}


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(_DEEPEST):
        level = [child for each in level for child in _children(each)]
        if not level:
            return False
    return True


def _children(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def dump_arguments(value: Any) -> str:
    """Return a call's input as OpenAI's `arguments`: compact JSON text."""
    return dumps(value if value is not None else {})
