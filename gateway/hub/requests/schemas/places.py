"""Where schemas stand within a schema of draft 2020-12.

https://json-schema.org/draft/2020-12/json-schema-core#name-keywords-for-applying-subsch
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from gateway.hub.protocol import JSON

SINGLE = (
    "additionalProperties",
    "contains",
    "contentSchema",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
)
"""Keywords whose value is a schema."""

MAPPED = (
    "$defs",
    "definitions",
    "dependentSchemas",
    "patternProperties",
    "properties",
)
"""Keywords whose value maps names to schemas."""

LISTED = ("allOf", "anyOf", "oneOf", "prefixItems")
"""Keywords whose value is a list of schemas."""

PLACES = frozenset({*SINGLE, *MAPPED, *LISTED})


def each_within(schema: JSON) -> Iterator[JSON]:
    """Yield `schema` and every schema in it; what they refer to is not followed."""
    waiting = [schema]
    while waiting:
        schema = waiting.pop()
        yield schema
        for keyword in PLACES.intersection(schema):
            waiting += _children(keyword, schema[keyword])


def _children(keyword: str, value: Any) -> Iterator[JSON]:
    """Yield the schemas that stand under a keyword of `PLACES`."""
    within: Iterable[Any]
    if keyword in MAPPED:
        within = value.values() if isinstance(value, dict) else ()
    elif keyword in LISTED:
        within = value if isinstance(value, list) else ()
    else:
        within = (value,)
    yield from (each for each in within if isinstance(each, dict))


def with_children(schema: JSON, change: Callable[[JSON], Any]) -> JSON:
    """Return a copy of `schema` with every schema directly in it changed.

    ``true`` and ``false``, and what stands where no schema can, stay as they are.
    """

    def changed(child: Any) -> Any:
        return change(child) if isinstance(child, dict) else child

    copy = dict(schema)
    if PLACES.isdisjoint(schema):
        return copy
    for keyword, value in schema.items():
        if keyword in SINGLE:
            copy[keyword] = changed(value)
        elif keyword in MAPPED and isinstance(value, dict):
            copy[keyword] = {name: changed(each) for name, each in value.items()}
        elif keyword in LISTED and isinstance(value, list):
            copy[keyword] = [changed(each) for each in value]
    return copy
