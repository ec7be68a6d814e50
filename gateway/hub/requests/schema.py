"""JSON schemas: what a client writes, made into what an upstream accepts.

Claude's native structured output and strict tools take a subset of JSON Schema and
refuse the rest with a 400:
https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations
"""

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from typing import Any

from gateway.errors import GatewayError, invalid_request
from gateway.hub.protocol import JSON
from gateway.wire.jsontext import dumps

MAX_OPTIONAL = 10
"""Optional properties up to which a native schema compiles in reasonable time."""

_MAX_DEPTH = 100

_MAX_WALKED = 20_000
"""Schemas behind references that are looked at, one of them perhaps many times."""

_UNSUPPORTED = frozenset(
    {
        "exclusiveMaximum",
        "exclusiveMinimum",
        "maxItems",
        "maxLength",
        "maxProperties",
        "maximum",
        "minLength",
        "minProperties",
        "minimum",
        "multipleOf",
        "not",
        "pattern",
        "uniqueItems",
    }
)
"""Keywords that native schemas refuse; they are told to the model in words instead."""

_SILENT = frozenset(
    {"$schema", "$id", "$comment", "deprecated", "readOnly", "writeOnly"}
)
"""Keywords that say nothing about a value, and nothing to a model."""

_FORMATS = frozenset(
    {
        "date",
        "date-time",
        "duration",
        "email",
        "hostname",
        "ipv4",
        "ipv6",
        "time",
        "uri",
        "uuid",
    }
)

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

_MAPS = ("properties", "$defs", "definitions")
"""Keywords whose value maps names to schemas."""

_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
"""Keywords whose value is a list of schemas."""

_BRANCHES = ("anyOf", "oneOf", "allOf")


def tool_parameters(parameters: JSON | None, param: str) -> JSON:
    """Return a function's `parameters` as an object schema.

    Upstreams want ``type: object`` at the root and Claude no ``anyOf``, ``oneOf`` or
    ``allOf`` there, so their properties are merged into the root. `parameters` itself
    is not changed. Raises a 400 naming `param` for a root of another type.
    """
    if not parameters:
        return {"type": "object", "properties": {}}
    root = parameters.get("type", "object")
    if root != "object" and not (isinstance(root, list) and "object" in root):
        raise invalid_request(
            f"Invalid schema in '{param}': its root must have type 'object', not "
            f"{dumps(root)}.",
            param=param,
            code="invalid_function_parameters",
        )
    schema = {**parameters, "type": "object"}
    if _has_branches(schema):
        _merge_branches(schema, _Definitions(parameters, param), 0)
    return schema


class _Definitions:
    """What the branches of a root refer to, each looked up once."""

    def __init__(self, whole: JSON, param: str) -> None:
        self.param = param
        self._whole = whole
        self._resolved: dict[str, JSON] = {}

    def branch(self, branch: Any, depth: int) -> JSON:
        """Return a branch with what it refers to, its own branches merged into it."""
        if depth > _MAX_DEPTH:
            raise _too_deep(self.param)
        found = dict(_object(branch, self.param))
        reference = found.pop("$ref", None)
        if isinstance(reference, str):
            found = {**self._target(reference, depth), **found}
        if _has_branches(found):
            _merge_branches(found, self, depth)
        return found

    def _target(self, reference: str, depth: int) -> JSON:
        if reference not in self._resolved:
            # A reference that leads back to itself adds nothing.
            self._resolved[reference] = {}
            target = _resolve(self._whole, reference)
            self._resolved[reference] = self.branch(target, depth + 1)
        return self._resolved[reference]


def _has_branches(schema: JSON) -> bool:
    return any(keyword in schema for keyword in _BRANCHES)


def _merge_branches(schema: JSON, definitions: _Definitions, depth: int) -> None:
    param = definitions.param
    properties = dict(_object(schema.get("properties"), param))
    required = dict.fromkeys(_names(schema.get("required")))
    for keyword in _BRANCHES:
        alternatives = _list(schema.pop(keyword, None), param)
        branches = [definitions.branch(each, depth + 1) for each in alternatives]
        if not branches:
            continue
        for branch in branches:
            for name, value in _object(branch.get("properties"), param).items():
                properties.setdefault(name, value)
        needed = [dict.fromkeys(_names(branch.get("required"))) for branch in branches]
        if keyword == "allOf":
            required.update({name: None for names in needed for name in names})
        else:
            common = set(needed[0]).intersection(*needed[1:])
            required.update({name: None for name in needed[0] if name in common})
    schema["properties"] = properties
    if required:
        schema["required"] = list(required)
    else:
        schema.pop("required", None)


def _object(value: Any, param: str) -> JSON:
    if value is None or value is True:
        return {}
    if not isinstance(value, dict):
        raise _malformed(param)
    return value


def _list(value: Any, param: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise _malformed(param)
    return value


def _names(value: Any) -> list[str]:
    if not isinstance(value, list):
        return []
    return [name for name in value if isinstance(name, str)]


def _malformed(param: str) -> GatewayError:
    return invalid_request(
        f"The value of '{param}' is not a valid JSON schema.",
        param=param,
        code="invalid_json_schema",
    )


def sanitise(schema: JSON, param: str) -> JSON:
    """Return `schema` in the subset that native structured output accepts.

    Objects are closed, ``oneOf`` becomes ``anyOf``, and limits that cannot be enforced
    move into the description, where the model still reads them. Ask `is_representable`
    first: this does not mend what has no native form. Raises a 400 naming `param` for a
    schema nested too deeply.
    """
    return _sanitise(schema, param, 0)


def _sanitise(schema: JSON, param: str, depth: int) -> JSON:
    if depth > _MAX_DEPTH:
        raise _too_deep(param)
    clean: JSON = {}
    removed: list[str] = []
    alternatives: list[list[Any]] = []
    for keyword, value in schema.items():
        if keyword in _SILENT:
            continue
        if keyword in _UNSUPPORTED or _is_refused_value(keyword, value):
            removed.append(f"{keyword}: {dumps(value)}")
        elif keyword in _MAPS and isinstance(value, dict):
            clean[keyword] = {
                name: _sanitise_child(child, param, depth)
                for name, child in value.items()
            }
        elif keyword in _LISTS and isinstance(value, list):
            children = [_sanitise_child(child, param, depth) for child in value]
            if keyword in ("anyOf", "oneOf"):
                alternatives.append(children)
            else:
                clean[keyword] = children
        elif keyword == "items":
            clean[keyword] = _sanitise_child(value, param, depth)
        else:
            clean[keyword] = value
    _add_alternatives(clean, alternatives)
    if _is_object(schema):
        clean["additionalProperties"] = False
    if removed:
        note = ", ".join(removed)
        described = schema.get("description")
        clean["description"] = f"{described} ({note})" if described else note
    return clean


def _sanitise_child(child: Any, param: str, depth: int) -> Any:
    return _sanitise(child, param, depth + 1) if isinstance(child, dict) else child


def _add_alternatives(clean: JSON, alternatives: list[list[Any]]) -> None:
    """Add what stood under ``anyOf`` and ``oneOf`` as ``anyOf``."""
    if len(alternatives) == 1:
        clean["anyOf"] = alternatives[0]
    elif alternatives:
        # Both were there: a value must satisfy one alternative of each.
        every = clean.get("allOf")
        clean["allOf"] = [
            *(every if isinstance(every, list) else ()),
            *({"anyOf": children} for children in alternatives),
        ]


def _is_refused_value(keyword: str, value: Any) -> bool:
    if keyword == "format":
        return not isinstance(value, str) or value not in _FORMATS
    return keyword == "minItems" and value not in (0, 1)


def _is_object(schema: JSON) -> bool:
    type = schema.get("type")
    return (
        type == "object"
        or (isinstance(type, list) and "object" in type)
        or (type is None and "properties" in schema)
    )


def is_representable(schema: JSON, param: str) -> bool:
    """Tell whether native structured output can express `schema` at all.

    Not expressible are recursion, references out of the schema, objects left open, and
    keywords without a native form; many optional properties compile too slowly. Raises
    a 400 naming `param` for a schema nested too deeply.
    """
    optional = 0
    for each in _walk(schema, param, 0):
        if each is True or each is False or not _INEXPRESSIBLE.isdisjoint(each):
            return False
        if each.get("additionalProperties", False) is not False:
            return False
        if isinstance(each.get("items"), list):
            return False
        properties = each.get("properties")
        if isinstance(properties, dict):
            optional += len(properties.keys() - set(_names(each.get("required"))))
    return optional <= MAX_OPTIONAL and not _has_bad_reference(schema, param)


def _walk(schema: Any, param: str, depth: int) -> Iterator[Any]:
    if depth > _MAX_DEPTH:
        raise _too_deep(param)
    yield schema
    if not isinstance(schema, dict):
        return
    for child in _children(schema):
        if isinstance(child, dict | bool):
            yield from _walk(child, param, depth + 1)


def _children(schema: JSON) -> Iterator[Any]:
    for keyword in _MAPS:
        if isinstance(schema.get(keyword), dict):
            yield from schema[keyword].values()
    for keyword in _LISTS:
        if isinstance(schema.get(keyword), list):
            yield from schema[keyword]
    if "items" in schema:
        yield schema["items"]


def _has_bad_reference(schema: JSON, param: str) -> bool:
    """Tell whether a ``$ref`` leads out of the schema, nowhere, or back to itself.

    What is referred to may overlap; where it is too much to look through, the answer
    is yes.
    """
    edges: dict[str, set[str]] = {}
    open_references = [
        each["$ref"]
        for each in _walk(schema, param, 0)
        if isinstance(each, dict) and "$ref" in each
    ]
    walked = 0
    while open_references:
        reference = open_references.pop()
        if not isinstance(reference, str):
            return True
        if reference in edges:
            continue
        target = _resolve(schema, reference)
        if target is None:
            return True
        found: set[str] = set()
        for each in _walk(target, param, 0):
            walked += 1
            if isinstance(each, dict) and isinstance(each.get("$ref"), str):
                found.add(each["$ref"])
        if walked > _MAX_WALKED:
            return True
        edges[reference] = found
        open_references.extend(edges[reference])
    return _is_cyclic(edges)


def _resolve(schema: JSON, reference: str) -> JSON | None:
    if reference == "#":
        return schema
    if not reference.startswith("#/"):
        return None
    target: Any = schema
    for step in reference[2:].split("/"):
        name = step.replace("~1", "/").replace("~0", "~")
        if not isinstance(target, dict) or name not in target:
            return None
        target = target[name]
    return target if isinstance(target, dict) else None


def _is_cyclic(edges: dict[str, set[str]]) -> bool:
    try:
        TopologicalSorter(edges).prepare()
    except CycleError:
        return True
    return False


def _too_deep(param: str) -> GatewayError:
    return invalid_request(
        f"The schema in '{param}' is nested more than {_MAX_DEPTH} levels deep. "
        "Flatten it or use $defs.",
        param=param,
        code="invalid_json_schema",
    )
