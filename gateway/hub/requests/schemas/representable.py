"""Whether native structured output can express a schema, and what that costs.

https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations
"""

from graphlib import CycleError, TopologicalSorter
from typing import Any, NamedTuple

from gateway.hub.protocol import JSON
from gateway.hub.requests.schemas.reading import resolved, strings, walk

_MAX_WALKED = 20_000
"""Schemas behind references that are looked at, one of them perhaps many times."""

_INEXPRESSIBLE = frozenset(
    {
        "contains",
        "dependentRequired",
        "dependentSchemas",
        "else",
        "if",
        "patternProperties",
        "propertyNames",
        "then",
        "unevaluatedItems",
        "unevaluatedProperties",
        "$dynamicRef",
    }
)
"""Keywords that change what a valid value looks like and have no native form."""


_SAID_OF_OBJECTS = frozenset(
    {"properties", "additionalProperties", "anyOf", "oneOf", "allOf", "$ref"}
)
"""Without any of these, any object is meant."""


class Cost(NamedTuple):
    """What makes the grammar of a schema large: properties that may be left out, and
    values of more than one type."""

    optional: int
    unions: int


def cost_of(schema: JSON, param: str) -> Cost | None:
    """Return the cost of `schema`; None if native structured output has no form of it.

    Not expressible are recursion, references out of the schema or within ``allOf``,
    objects left open, enumerated objects, and keywords without a native form. Raises a
    400 naming `param` for a schema nested too deeply.
    """
    optional = unions = 0
    for each in walk(schema, param):
        if not isinstance(each, dict) or not _is_expressible(each):
            return None
        properties = each.get("properties")
        if isinstance(properties, dict):
            optional += len(properties.keys() - set(strings(each.get("required"))))
        unions += _is_union(each)
    return None if _has_bad_reference(schema, param) else Cost(optional, unions)


def _is_expressible(schema: JSON) -> bool:
    return (
        _INEXPRESSIBLE.isdisjoint(schema)
        and schema.get("additionalProperties", False) is False
        and not _is_open(schema)
        and not isinstance(schema.get("items"), list)
        and not _holds(schema.get("enum"), (dict, list))
        and not _is_joined(schema)
    )


def _is_open(schema: JSON) -> bool:
    """Tell whether any object is meant: closed as others are it would be empty."""
    type = schema.get("type")
    is_object = type == "object" or (isinstance(type, list) and "object" in type)
    return is_object and _SAID_OF_OBJECTS.isdisjoint(schema)


def _is_joined(schema: JSON) -> bool:
    """Tell whether a value must satisfy several schemas that refer to others.

    ``anyOf`` beside ``oneOf`` has to be written so.
    """
    branches = schema.get("allOf")
    if "anyOf" in schema and "oneOf" in schema:
        branches = [schema["anyOf"], schema["oneOf"], branches]
    waiting = [branches]
    while waiting:
        match waiting.pop():
            case {"$ref": _}:
                return True
            case list() as several:
                waiting.extend(several)
    return False


def _holds(values: Any, types: tuple[type, ...]) -> bool:
    return isinstance(values, list) and any(isinstance(each, types) for each in values)


def _is_union(schema: JSON) -> bool:
    type = schema.get("type")
    several = isinstance(type, list) and len(type) > 1
    return several or "anyOf" in schema or "oneOf" in schema


def _has_bad_reference(schema: JSON, param: str) -> bool:
    """Tell whether a ``$ref`` leads out of the schema, nowhere, or back to itself.

    What is referred to may overlap; where it is too much to look through, the answer
    is yes.
    """
    edges: dict[str, set[str]] = {}
    open_references = [
        each["$ref"]
        for each in walk(schema, param)
        if isinstance(each, dict) and "$ref" in each
    ]
    walked = 0
    while open_references:
        reference = open_references.pop()
        if not isinstance(reference, str):
            return True
        if reference in edges:
            continue
        target = resolved(schema, reference)
        if target is None:
            return True
        found: set[str] = set()
        for each in walk(target, param):
            walked += 1
            if isinstance(each, dict) and isinstance(each.get("$ref"), str):
                found.add(each["$ref"])
        if walked > _MAX_WALKED:
            return True
        edges[reference] = found
        open_references.extend(edges[reference])
    return _is_cyclic(edges)


def _is_cyclic(edges: dict[str, set[str]]) -> bool:
    try:
        TopologicalSorter(edges).prepare()
    except CycleError:
        return True
    return False
