"""Whether native structured output can express a schema at all.

https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations
"""

from graphlib import CycleError, TopologicalSorter

from gateway.hub.protocol import JSON
from gateway.hub.requests.schemas.reading import resolved, strings, walk

MAX_OPTIONAL = 10
"""Optional properties up to which a native schema compiles in reasonable time."""

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


def is_representable(schema: JSON, param: str) -> bool:
    """Tell whether native structured output can express `schema` at all.

    Not expressible are recursion, references out of the schema, objects left open, and
    keywords without a native form; many optional properties compile too slowly. Raises
    a 400 naming `param` for a schema nested too deeply.
    """
    optional = 0
    for each in walk(schema, param):
        if each is True or each is False or not _INEXPRESSIBLE.isdisjoint(each):
            return False
        if each.get("additionalProperties", False) is not False:
            return False
        if isinstance(each.get("items"), list):
            return False
        properties = each.get("properties")
        if isinstance(properties, dict):
            optional += len(properties.keys() - set(strings(each.get("required"))))
    return optional <= MAX_OPTIONAL and not _has_bad_reference(schema, param)


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
