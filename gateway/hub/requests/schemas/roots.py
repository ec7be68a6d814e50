"""The parameters of a function as one object.

Upstreams want ``type: object`` at the root of a tool's schema, and some nothing beside
it that says "one of these".
"""

from typing import Any

from gateway.errors import invalid_request
from gateway.hub.protocol import JSON
from gateway.hub.requests.schemas.kept import kept
from gateway.hub.requests.schemas.normal import normal
from gateway.hub.requests.schemas.reading import (
    MAX_DEPTH,
    malformed,
    resolved,
    strings,
    too_deep,
)
from gateway.hub.requests.schemas.references import kept_apart
from gateway.wire.jsontext import dumps

_BRANCHES = ("anyOf", "oneOf", "allOf")
_ANY_BRANCH = frozenset(_BRANCHES)


def tool_parameters(parameters: JSON | None, param: str) -> JSON:
    """Return a function's `parameters` as an object schema.

    Upstreams want ``type: object`` at the root and some no ``anyOf``, ``oneOf`` or
    ``allOf`` there, so their properties are merged into the root, and so is what it
    refers to. `parameters` itself is not changed, nor may the result be. Raises a 400
    naming `param` for a root of another type.
    """
    if not parameters:
        return {"type": "object", "properties": {}}
    return _tool_parameters(parameters, param)


@kept
def _tool_parameters(parameters: JSON, param: str) -> JSON:
    schema = normal(parameters, param)
    if "$ref" in schema or _has_branches(schema):
        schema = kept_apart(schema)
        schema = _Definitions(schema, param).branch(schema, 0)
    root = schema.get("type", "object")
    if root != "object" and not (isinstance(root, list) and "object" in root):
        raise invalid_request(
            f"Invalid schema in '{param}': its root must have type 'object', not "
            f"{dumps(root)}.",
            param=param,
            code="invalid_function_parameters",
        )
    return {**schema, "type": "object"}


class _Definitions:
    """What the branches of a root refer to, each looked up once."""

    def __init__(self, whole: JSON, param: str) -> None:
        self.param = param
        self._whole = whole
        self._resolved: dict[str, JSON] = {}

    def branch(self, branch: Any, depth: int) -> JSON:
        """Return a branch with what it refers to, its own branches merged into it."""
        if depth > MAX_DEPTH:
            raise too_deep(self.param)
        found = dict(_object(branch, self.param))
        reference = found.pop("$ref", None)
        if isinstance(reference, str):
            found = _both(self._target(reference, depth), found)
        if _has_branches(found):
            _merge_branches(found, self, depth)
        return found

    def _target(self, reference: str, depth: int) -> JSON:
        if reference not in self._resolved:
            # A reference that leads back to itself adds nothing.
            self._resolved[reference] = {}
            target = resolved(self._whole, reference)
            self._resolved[reference] = self.branch(target, depth + 1)
        return self._resolved[reference]


def _both(target: JSON, own: JSON) -> JSON:
    """Return what is referred to with what stands beside the reference."""
    merged = {**target, **own}
    for keyword in ("properties", "$defs"):
        if isinstance(target.get(keyword), dict) and isinstance(own.get(keyword), dict):
            merged[keyword] = {**target[keyword], **own[keyword]}
    if "required" in target and "required" in own:
        needed = [*strings(target["required"]), *strings(own["required"])]
        merged["required"] = list(dict.fromkeys(needed))
    return merged


def _has_branches(schema: JSON) -> bool:
    return not _ANY_BRANCH.isdisjoint(schema)


def _merge_branches(schema: JSON, definitions: _Definitions, depth: int) -> None:
    param = definitions.param
    properties = dict(_object(schema.get("properties"), param))
    required = dict.fromkeys(strings(schema.get("required")))
    for keyword in _BRANCHES:
        alternatives = _list(schema.pop(keyword, None), param)
        branches = [definitions.branch(each, depth + 1) for each in alternatives]
        if not branches:
            continue
        for branch in branches:
            for name, value in _object(branch.get("properties"), param).items():
                properties.setdefault(name, value)
        needed = [dict.fromkeys(strings(branch.get("required"))) for branch in branches]
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
        raise malformed(param)
    return value


def _list(value: Any, param: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise malformed(param)
    return value
