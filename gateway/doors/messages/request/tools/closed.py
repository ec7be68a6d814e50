"""Whether a schema meets what OpenAI asks of those that answers are held to.

https://platform.openai.com/docs/guides/structured-outputs#supported-schemas
"""

from typing import Any

from gateway.wire.jsontext import JSON

_MAPS = ("properties", "$defs", "definitions")
_BRANCHES = ("anyOf",)
_OTHERS = frozenset(
    {"allOf", "oneOf", "not", "if", "patternProperties", "dependentRequired"}
)


def is_closed(schema: JSON) -> bool:
    """Tell whether every object is closed and requires all its properties.

    The official SDKs close objects, but leave optional properties optional.
    """
    waiting: list[Any] = [schema]
    while waiting:
        found = waiting.pop()
        if not isinstance(found, dict):
            continue
        if not _OTHERS.isdisjoint(found) or not _is_closed_object(found):
            return False
        for keyword in _MAPS:
            if isinstance(inner := found.get(keyword), dict):
                waiting += inner.values()
        for keyword in _BRANCHES:
            if isinstance(branches := found.get(keyword), list):
                waiting += branches
        waiting.append(found.get("items"))
    return True


def _is_closed_object(schema: JSON) -> bool:
    kind = schema.get("type")
    if kind != "object" and not (isinstance(kind, list) and "object" in kind):
        return "properties" not in schema
    properties = schema.get("properties")
    names = set(properties) if isinstance(properties, dict) else set()
    required = schema.get("required")
    listed = required if isinstance(required, list) else []
    # What is no name is the provider's to refuse.
    needed = {each for each in listed if isinstance(each, str)}
    return schema.get("additionalProperties") is False and names <= needed
