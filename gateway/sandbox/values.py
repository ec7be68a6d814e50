"""Makes a plausible value for a JSON schema, always the same one. Pure functions.

Used by the offline sandbox for tool arguments and structured answers. Covers what
https://platform.openai.com/docs/guides/structured-outputs allows, and more.
"""

import math
import re
import sys
from typing import Any, TypeGuard

from gateway.wire.jsontext import JSON

# From here on recursive schemas are led to their end.
DEEP = 4
MAX_DEPTH = 32
# However a schema nests and repeats, no more values than this are made for it.
MAX_VALUES = 2000
MAX_REFERENCES = 8
MAX_ITEMS = 50
MAX_TEXT = 4096

FORMATS = {
    "date": "2025-01-31",
    "date-time": "2025-01-31T09:30:00Z",
    "time": "09:30:00Z",
    "duration": "P1D",
    "email": "agent@example.com",
    "hostname": "example.com",
    "idn-email": "agent@example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/",
    "url": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
# Texts tried against a `pattern`; short, so that no pattern can take long on them.
CANDIDATES = (
    "example Example EXAMPLE abc-123 ABC-123 abc_123 a A ab AB abc ABC "
    "0 1 12 123 1234 12345 123456 1.0 1.0.0 v1.0.0 12:30 2025-01-31 "
    "#a1b2c3 @example +15550100 a@b.co /a/b "
)
# Fields that usually carry what the user said, and fields that carry a place.
_SAID = {"message", "query", "question", "text", "input", "prompt", "content", "q"}
_PLACE = {"city", "location", "place", "town", "destination", "country"}
_AFTER_PREPOSITION = re.compile(r"\b(?:in|at|for|to|of|from|near)\s+([A-Z][\w'-]+)")
# Which alternative ends a recursive schema soonest.
_SIZES = {"null": 0, "array": 2, "object": 3}


def example(schema: Any, hint: str = "") -> Any:
    """Return a value that `schema` accepts; `hint` is what the user said.

    A schema that cannot be satisfied, or that says nothing, still gives a value.
    """
    root = schema if isinstance(schema, dict) else {}
    return _Maker(root, hint).value(root, "", 0)


class _Maker:
    """One schema being followed: its root for references, and the user's words."""

    def __init__(self, root: JSON, hint: str) -> None:
        self._root = root
        self._hint = hint
        self._left = MAX_VALUES

    def value(self, schema: Any, name: str, depth: int) -> Any:
        """Return a value for `schema`, found as property `name` at `depth`."""
        self._left -= 1
        if self._left < 0 or depth > MAX_DEPTH:
            return None
        match self._resolved(schema):
            case {"const": value} | {"default": value}:
                return value
            case {"enum": [_, *_] as choices} | {"examples": [_, *_] as choices}:
                return self._fitting(choices)
            case {"anyOf": [_, *_] as branches, **rest} | {
                "oneOf": [_, *_] as branches,
                **rest,
            }:
                return self.value(self._branch(branches, rest, depth), name, depth + 1)
            case resolved:
                return self._plain(resolved, name, depth)

    def _plain(self, schema: JSON, name: str, depth: int) -> Any:
        match _type(schema, depth):
            case "object":
                return self._object(schema, depth)
            case "array":
                return self._array(schema, name, depth)
            case "integer":
                return int(_number(schema, 1))
            case "number":
                return _number(schema, 0)
            case "boolean":
                return True
            case "null":
                return None
        return self._text(schema, name)

    def _fitting(self, choices: list[Any]) -> Any:
        """Return the choice that the user named, or the first."""
        said = self._hint.lower()
        texts = [each for each in choices if isinstance(each, str) and each]
        return next((each for each in texts if each.lower() in said), choices[0])

    def _resolved(self, schema: Any) -> JSON:
        """Follow `$ref` and merge `allOf`; anything but an object accepts all."""
        for _ in range(MAX_REFERENCES):
            match schema:
                case {"$ref": str(reference), **rest}:
                    schema = {**self._referenced(reference), **rest}
                case {"allOf": [*parts], **rest}:
                    schema = rest
                    for part in parts:
                        schema = _merged(schema, self._once(part))
                case dict():
                    return schema
                case _:
                    return {}
        return {}

    def _once(self, part: Any) -> JSON:
        if isinstance(part, dict) and isinstance(part.get("$ref"), str):
            return self._referenced(part["$ref"])
        return part if isinstance(part, dict) else {}

    def _referenced(self, reference: str) -> JSON:
        target: Any = self._root
        for part in reference.removeprefix("#").split("/")[1:]:
            key = part.replace("~1", "/").replace("~0", "~")
            target = target.get(key) if isinstance(target, dict) else None
        return target if isinstance(target, dict) else {}

    def _branch(self, branches: list[Any], rest: JSON, depth: int) -> JSON:
        """Return one alternative together with what stands beside the alternatives.

        Deep down the one that ends soonest, so that recursive schemas do end.
        """
        known: list[JSON] = [each for each in branches if isinstance(each, dict)]
        if depth >= DEEP:
            known.sort(key=self._size)
        return {**rest, **known[0]} if known else rest

    def _size(self, branch: JSON) -> int:
        return _SIZES.get(_type(self._resolved(branch), DEEP), 1)

    def _object(self, schema: JSON, depth: int) -> JSON:
        properties = _of_kind(schema.get("properties"), dict)
        wanted = dict.fromkeys(properties if depth < 2 else ())
        required = _of_kind(schema.get("required"), list)
        wanted |= dict.fromkeys(name for name in required if isinstance(name, str))
        return {
            name: self.value(properties.get(name, {}), name, depth + 1)
            for name in wanted
        }

    def _array(self, schema: JSON, name: str, depth: int) -> list[Any]:
        if isinstance(prefix := schema.get("prefixItems"), list):
            return [self.value(item, name, depth + 1) for item in prefix]
        lowest = max(_count(schema, "minItems", 0), 1 if depth < DEEP else 0)
        count = min(lowest, _count(schema, "maxItems", MAX_ITEMS), MAX_ITEMS)
        items = schema.get("items", {})
        values = [self.value(items, name, depth + 1) for _ in range(count)]
        return _distinct(values) if schema.get("uniqueItems") is True else values

    def _text(self, schema: JSON, name: str) -> str:
        shortest = min(_count(schema, "minLength", 0), MAX_TEXT)
        longest = _count(schema, "maxLength", MAX_TEXT)
        if isinstance(schema.get("pattern"), str):
            return _matching(schema["pattern"], shortest, longest)
        if known := FORMATS.get(_of_kind(schema.get("format"), str)):
            return known
        return self._plausible(name).ljust(shortest, ".")[:longest]

    def _plausible(self, name: str) -> str:
        if name.lower() in _PLACE:
            found = _AFTER_PREPOSITION.search(self._hint)
            return found.group(1) if found else "Paris"
        if name.lower() in _SAID and self._hint:
            return self._hint[:200]
        return f"offline sandbox {re.sub(r'[_-]+', ' ', name).strip()}".strip()


def _type(schema: JSON, depth: int) -> str:
    match schema:
        case {"type": [_, *_] as kinds}:
            if "null" in kinds and depth >= DEEP:
                return "null"
            return str(next((kind for kind in kinds if kind != "null"), "null"))
        case {"type": str(kind)}:
            return kind
        case {"properties": _}:
            return "object"
    return "array" if "items" in schema else "string"


def _merged(schema: JSON, part: JSON) -> JSON:
    """Return both: `schema` decides, properties of either count."""
    merged = {**part, **schema}
    both = (schema, part)
    properties, more = (_of_kind(each.get("properties"), dict) for each in both)
    if properties or more:
        required, added = (_of_kind(each.get("required"), list) for each in both)
        merged |= {"properties": properties | more, "required": required + added}
    return merged


def _of_kind(value: Any, kind: type) -> Any:
    return value if isinstance(value, kind) else kind()


def _count(schema: JSON, keyword: str, default: int) -> int:
    value: Any = schema.get(keyword)
    is_count = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return value if is_count else default


def _number(schema: JSON, step: float) -> float:
    """Return a number within the bounds, as near to 1 as they allow."""
    multiple = schema.get("multipleOf")
    if _is_number(multiple) and multiple > sys.float_info.min:
        step = multiple
    edge = step or 1e-6
    lowest = max(_bound(schema, "minimum"), _bound(schema, "exclusiveMinimum") + edge)
    highest = -max(
        _bound(schema, "maximum", -1), _bound(schema, "exclusiveMaximum", -1) + edge
    )
    value = min(max(step or 1, lowest), highest)
    if step and math.isfinite(value / step):
        value = math.ceil(value / step) * step
        if value > highest:
            value -= step
    return value


def _bound(schema: JSON, keyword: str, sign: int = 1) -> float:
    value = schema.get(keyword)
    return sign * value if _is_number(value) else -math.inf


def _is_number(value: Any) -> TypeGuard[float]:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and abs(value) <= sys.float_info.max


def _matching(pattern: str, shortest: int, longest: int) -> str:
    try:
        compiled = re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        return "example"
    fitting = filter(compiled.search, CANDIDATES.split(" "))
    return next(
        (each for each in fitting if shortest <= len(each) <= longest), "example"
    )


def _distinct(values: list[Any]) -> list[Any]:
    """Return `values` without repetitions; texts and numbers are told apart instead."""
    distinct: list[Any] = []
    for position, value in enumerate(values):
        if value in distinct and isinstance(value, str):
            value = f"{value} {position + 1}"
        elif value in distinct and _is_number(value):
            value += position
        if value not in distinct:
            distinct.append(value)
    return distinct
