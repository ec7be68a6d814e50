"""A schema as its generator wrote it, in JSON Schema's draft 2020-12.

Anthropic and Bedrock refuse a whole request for one tool whose schema is not valid
there, and Ollama's reader for one it cannot hold. What generators write all the same:
nulls, words of older drafts and of programming languages, empty lists for objects.
https://json-schema.org/draft/2020-12/schema
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from gateway.hub.protocol import JSON
from gateway.hub.requests.schemas.reading import (
    MAX_DEPTH,
    malformed,
    strings,
    too_deep,
)
from gateway.wire.jsontext import decode, dumps, encode

_LONGEST_KEPT = 16_384
"""Bytes of a schema up to which its normal form is kept."""

_NULL_IS_A_VALUE = frozenset({"const", "default", "example"})
_TYPES = frozenset(
    {"array", "boolean", "integer", "null", "number", "object", "string"}
)
_MEANT = {
    "bool": "boolean",
    "dict": "object",
    "double": "number",
    "float": "number",
    "int": "integer",
    "list": "array",
    "long": "integer",
    "map": "object",
    "none": "null",
    "str": "string",
    "tuple": "array",
}
_ANY = frozenset({"any", "mixed", "unknown"})
_ONE = (
    "additionalProperties",
    "contains",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
)
_MAPS = ("$defs", "definitions", "dependentSchemas", "patternProperties", "properties")
_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")


def normalised(schema: JSON, param: str) -> JSON:
    """Return `schema` in draft 2020-12; it is not changed, nor may the result be.

    What has no meaning there is told in the description. Agents offer the same tools
    with every turn, so the answer is kept. Raises a 400 naming `param` for a number in
    a schema's place and for a schema nested too deeply.
    """
    text = encode(schema)
    if len(text) > _LONGEST_KEPT:
        return _normal(schema, param, 0)
    return _kept(text, param)


@lru_cache(maxsize=512)
def _kept(text: bytes, param: str) -> JSON:
    return _normal(decode(text), param, 0)


def _child(value: Any, param: str, depth: int) -> Any:
    """Return what stands in a schema's place; what is empty there means anything."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and (name := _type_name(value)):
        return {"type": name}
    if isinstance(value, int | float):
        raise malformed(param)
    return _normal(value, param, depth + 1) if isinstance(value, dict) else {}


def _normal(schema: JSON, param: str, depth: int) -> JSON:
    if depth > MAX_DEPTH:
        raise too_deep(param)
    found = {
        keyword: value
        for keyword, value in schema.items()
        if value is not None or keyword in _NULL_IS_A_VALUE
    }
    notes: list[str] = []
    _mend_required(found)
    _mend_tuple(found)
    _mend_limits(found)
    _mend_type(found, notes)
    for keyword in _ONE:
        if keyword in found:
            found[keyword] = _child(found[keyword], param, depth)
    for keyword in _MAPS:
        if keyword in found:
            _mend_map(found, keyword, param, depth)
    for keyword in _LISTS:
        if keyword in found:
            _mend_list(found, keyword, param, depth)
    for keyword, is_right in _PLAIN.items():
        if keyword in found and not is_right(found[keyword]):
            notes.append(f"{keyword}: {dumps(found.pop(keyword))}")
    _describe(found, notes)
    return found


def _mend_required(found: JSON) -> None:
    """Collect what is required; draft 3 said so within the property."""
    properties = found.get("properties")
    properties = properties if isinstance(properties, dict) else {}
    required = dict.fromkeys(strings(found.get("required")))
    own = [
        name
        for name, value in properties.items()
        if isinstance(value, dict) and value.get("required") is True
    ]
    if own or ("required" in found and found["required"] != list(required)):
        found["required"] = list(required | dict.fromkeys(own))
        if not found["required"]:
            del found["required"]


def _mend_tuple(found: JSON) -> None:
    rest = found.pop("additionalItems", None)
    if not isinstance(items := found.get("items"), list):
        return
    del found["items"]
    if items:
        found.setdefault("prefixItems", items)
        if isinstance(rest, dict | bool):
            found["items"] = rest


def _mend_limits(found: JSON) -> None:
    """Say draft 4's exclusive limits, which were marks on the inclusive ones."""
    for limit, exclusive in (
        ("minimum", "exclusiveMinimum"),
        ("maximum", "exclusiveMaximum"),
    ):
        if isinstance(mark := found.get(exclusive), bool):
            del found[exclusive]
            if mark and limit in found:
                found[exclusive] = found.pop(limit)


def _mend_type(found: JSON, notes: list[str]) -> None:
    if "type" not in found:
        return
    given = found["type"]
    if isinstance(given, str) and given in _TYPES:
        return
    named = [each for each in given if each] if isinstance(given, list) else [given]
    names = [_type_name(each) for each in named]
    known = list(dict.fromkeys(name for name in names if name))
    if known and len(known) == len(set(map(str, named))):
        found["type"] = known if isinstance(given, list) else known[0]
        return
    del found["type"]
    if given and not all(isinstance(each, str) and each in _ANY for each in named):
        notes.append(f"type: {dumps(given)}")


def _type_name(value: Any) -> str:
    if not isinstance(value, str):
        return ""
    name = value.lower()
    return name if name in _TYPES else _MEANT.get(name, "")


def _mend_map(found: JSON, keyword: str, param: str, depth: int) -> None:
    value = found[keyword]
    if isinstance(value, dict):
        found[keyword] = {
            name: _child(each, param, depth) for name, each in value.items()
        }
    elif isinstance(value, int | float):
        raise malformed(param)
    elif keyword == "properties":
        found[keyword] = {}
    else:
        del found[keyword]


def _mend_list(found: JSON, keyword: str, param: str, depth: int) -> None:
    value = found[keyword]
    if isinstance(value, dict) and value:
        value = [value]
    if isinstance(value, list) and value:
        found[keyword] = [
            {"type": "null"} if each is None else _child(each, param, depth)
            for each in value
        ]
    elif isinstance(value, int | float):
        raise malformed(param)
    else:
        del found[keyword]


def _describe(found: JSON, notes: list[str]) -> None:
    for keyword in ("title", "description"):
        if keyword in found and not isinstance(value := found[keyword], str):
            lines = value if isinstance(value, list) else [value]
            said = [each if isinstance(each, str) else dumps(each) for each in lines]
            found[keyword] = "\n".join(said)
    if notes:
        note = ", ".join(notes)
        described = found.get("description")
        found["description"] = f"{described} ({note})" if described else note


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return _is_number(value) and value >= 0 and value == int(value)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_true_or_false(value: Any) -> bool:
    return isinstance(value, bool)


_COUNTS = "maxContains maxItems maxLength maxProperties minContains minItems minLength"
_PLAIN: dict[str, Callable[[Any], bool]] = {
    **dict.fromkeys(["$ref", "$schema", "format", "pattern"], _is_text),
    **dict.fromkeys(f"{_COUNTS} minProperties".split(), _is_count),
    **dict.fromkeys(
        ["exclusiveMaximum", "exclusiveMinimum", "maximum", "minimum"], _is_number
    ),
    **dict.fromkeys(
        ["deprecated", "readOnly", "uniqueItems", "writeOnly"], _is_true_or_false
    ),
    "enum": lambda value: isinstance(value, list) and bool(value),
    "multipleOf": lambda value: _is_number(value) and value > 0,
}
"""What must be the value of a keyword that holds no schema."""
