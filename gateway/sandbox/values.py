"""Makes a plausible value for a JSON schema, always the same one. Pure functions.

Used by the offline sandbox for tool arguments and structured answers. Covers what
https://platform.openai.com/docs/guides/structured-outputs allows, and more.
"""

import math
import re
from typing import Any

from gateway.wire.jsontext import JSON

# From here on recursive schemas are led to their end.
MAX_DEPTH = 8
# However a schema nests and repeats, no more values than this are made for it.
MAX_VALUES = 2000
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
PATTERN_CANDIDATES = (
    "example",
    "Example",
    "EXAMPLE",
    "abc-123",
    "ABC-123",
    "abc_123",
    "a",
    "A",
    "ab",
    "AB",
    "abc",
    "ABC",
    "0",
    "1",
    "12",
    "123",
    "1234",
    "12345",
    "123456",
    "1.0",
    "1.0.0",
    "v1.0.0",
    "12:30",
    "2025-01-31",
    "#a1b2c3",
    "@example",
    "+15550100",
    "a@b.co",
    "/a/b",
    "",
)

# Fields that usually carry what the user said, and fields that carry a place.
_SAID = {"message", "query", "question", "text", "input", "prompt", "content", "q"}
_PLACE = {"city", "location", "place", "town", "destination", "country"}
_AFTER_PREPOSITION = re.compile(r"\b(?:in|at|for|to|of|from|near)\s+([A-Z][\w'-]+)")


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
        if self._left < 0 or depth > MAX_DEPTH * 4:
            return None
        schema = self._resolved(schema)
        for keyword in ("const", "default"):
            if keyword in schema:
                return schema[keyword]
        for keyword in ("enum", "examples"):
            if isinstance(schema.get(keyword), list) and schema[keyword]:
                return self._fitting(schema[keyword])
        for keyword in ("anyOf", "oneOf"):
            if isinstance(schema.get(keyword), list) and schema[keyword]:
                branch = self._branch(schema, keyword, depth)
                return self.value(branch, name, depth + 1)
        match self._type(schema, depth):
            case "object":
                return self._object(schema, depth)
            case "array":
                return self._array(schema, name, depth)
            case "integer":
                return _number(schema, whole=True)
            case "number":
                return _number(schema, whole=False)
            case "boolean":
                return True
            case "null":
                return None
        return self._text(schema, name)

    def _fitting(self, choices: list[Any]) -> Any:
        """Return the choice that the user named, or the first."""
        said = self._hint.lower()
        for choice in choices:
            if isinstance(choice, str) and choice and choice.lower() in said:
                return choice
        return choices[0]

    def _resolved(self, schema: Any) -> JSON:
        """Follow `$ref` and merge `allOf`; anything but an object accepts all."""
        for _ in range(MAX_DEPTH):
            if not isinstance(schema, dict):
                return {}
            if isinstance(schema.get("$ref"), str):
                rest = {key: value for key, value in schema.items() if key != "$ref"}
                schema = {**self._referenced(schema["$ref"]), **rest}
            elif isinstance(schema.get("allOf"), list):
                schema = self._merged(schema)
            else:
                return schema
        return {}

    def _referenced(self, reference: str) -> JSON:
        target: Any = self._root
        for part in reference.removeprefix("#").split("/")[1:]:
            key = part.replace("~1", "/").replace("~0", "~")
            target = target.get(key) if isinstance(target, dict) else None
        return target if isinstance(target, dict) else {}

    def _merged(self, schema: JSON) -> JSON:
        merged = {key: value for key, value in schema.items() if key != "allOf"}
        for part in map(self._resolved_once, schema["allOf"]):
            properties = {
                **(merged.get("properties") or {}),
                **(part.get("properties") or {}),
            }
            required = [*(merged.get("required") or ()), *(part.get("required") or ())]
            merged = {**part, **merged}
            if properties:
                merged |= {"properties": properties, "required": required}
        return merged

    def _resolved_once(self, part: Any) -> JSON:
        if isinstance(part, dict) and isinstance(part.get("$ref"), str):
            return self._referenced(part["$ref"])
        return part if isinstance(part, dict) else {}

    def _branch(self, schema: JSON, keyword: str, depth: int) -> JSON:
        """Return one alternative together with what stands beside the alternatives.

        Deep down the one that ends soonest, so that recursive schemas do end.
        """
        branches = [branch for branch in schema[keyword] if isinstance(branch, dict)]
        rest = {key: value for key, value in schema.items() if key != keyword}
        if not branches:
            return rest
        if depth < MAX_DEPTH // 2:
            return {**rest, **branches[0]}
        shortest: JSON = min(branches, key=self._size)
        return {**rest, **shortest}

    def _size(self, branch: JSON) -> int:
        sizes = {"null": 0, "object": 3, "array": 2}
        kind = self._type(self._resolved(branch), MAX_DEPTH)
        return sizes.get(kind, 1)

    def _type(self, schema: JSON, depth: int) -> str:
        kind = schema.get("type")
        if isinstance(kind, list) and kind:
            if "null" in kind and depth >= MAX_DEPTH // 2:
                return "null"
            return str(next((k for k in kind if k != "null"), "null"))
        if isinstance(kind, str):
            return kind
        if "properties" in schema:
            return "object"
        return "array" if "items" in schema else "string"

    def _object(self, schema: JSON, depth: int) -> JSON:
        properties = schema.get("properties")
        properties = properties if isinstance(properties, dict) else {}
        required = schema.get("required")
        wanted = list(properties) if depth < 2 else []
        if isinstance(required, list):
            wanted += [name for name in required if name not in wanted]
        return {
            name: self.value(properties.get(name, {}), str(name), depth + 1)
            for name in wanted
        }

    def _array(self, schema: JSON, name: str, depth: int) -> list[Any]:
        lowest = _whole(schema.get("minItems"), 0)
        highest = _whole(schema.get("maxItems"), MAX_ITEMS)
        prefix = schema.get("prefixItems")
        if isinstance(prefix, list):
            return [self.value(item, name, depth + 1) for item in prefix]
        usual = 1 if depth < MAX_DEPTH // 2 else 0
        count = min(max(lowest, usual), highest, MAX_ITEMS)
        items = schema.get("items", {})
        values = [self.value(items, name, depth + 1) for _ in range(count)]
        if schema.get("uniqueItems") is True:
            return _distinct(values)
        return values

    def _text(self, schema: JSON, name: str) -> str:
        shortest = _whole(schema.get("minLength"), 0)
        longest = _whole(schema.get("maxLength"), MAX_TEXT)
        if isinstance(schema.get("pattern"), str):
            return _matching(schema["pattern"], shortest, longest)
        if schema.get("format") in FORMATS:
            return FORMATS[schema["format"]]
        text = self._plausible(name)
        if len(text) < shortest:
            text += "." * (min(shortest, MAX_TEXT) - len(text))
        return text[:longest]

    def _plausible(self, name: str) -> str:
        lower = name.lower()
        if lower in _PLACE:
            found = _AFTER_PREPOSITION.search(self._hint)
            return found.group(1) if found else "Paris"
        if lower in _SAID and self._hint:
            return self._hint[:200]
        label = re.sub(r"[_-]+", " ", name).strip()
        return f"offline sandbox {label}".strip()


def _whole(value: Any, default: int) -> int:
    is_count = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return value if is_count else default


def _number(schema: JSON, whole: bool) -> int | float:
    """Return a number within the bounds, as near to 1 as they allow."""
    step = schema.get("multipleOf")
    step = step if isinstance(step, int | float) and step > 0 else (1 if whole else 0)
    lowest, highest = -math.inf, math.inf
    for keyword, edge in (("minimum", 0), ("exclusiveMinimum", 1)):
        if _is_number(schema.get(keyword)):
            lowest = max(lowest, schema[keyword] + edge * (step or 1e-6))
    for keyword, edge in (("maximum", 0), ("exclusiveMaximum", 1)):
        if _is_number(schema.get(keyword)):
            highest = min(highest, schema[keyword] - edge * (step or 1e-6))
    value = min(max(step or 1, lowest), highest)
    if step:
        value = math.ceil(value / step) * step
        if value > highest:
            value -= step
    return int(value) if whole else value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _matching(pattern: str, shortest: int, longest: int) -> str:
    try:
        compiled = re.compile(pattern)
    except re.error:
        return "example"
    fitting = [
        text
        for text in PATTERN_CANDIDATES
        if shortest <= len(text) <= longest and compiled.search(text)
    ]
    return fitting[0] if fitting else "example"


def _distinct(values: list[Any]) -> list[Any]:
    """Return `values` without repetitions; texts and numbers are told apart instead."""
    distinct: list[Any] = []
    for position, value in enumerate(values):
        if value in distinct and isinstance(value, str):
            value = f"{value} {position + 1}"
        elif value in distinct and _is_number(value):
            value = value + position
        if value not in distinct:
            distinct.append(value)
    return distinct
