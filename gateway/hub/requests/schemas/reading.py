"""How a schema is gone through, and what is wrong with one that cannot be."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from gateway.errors import GatewayError, invalid_request
from gateway.hub.protocol import JSON

MAX_DEPTH = 100

MAPS = ("properties", "$defs", "definitions")
"""Keywords whose value maps names to schemas."""

LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
"""Keywords whose value is a list of schemas."""


def walk(schema: Any, param: str, depth: int = 0) -> Iterator[Any]:
    """Yield a schema and every schema in it; what they refer to is not followed.

    Raises a 400 naming `param` for one nested too deeply.
    """
    if depth > MAX_DEPTH:
        raise too_deep(param)
    yield schema
    if not isinstance(schema, dict):
        return
    for child in _children(schema):
        if isinstance(child, dict | bool):
            yield from walk(child, param, depth + 1)


def _children(schema: JSON) -> Iterator[Any]:
    for keyword in MAPS:
        if isinstance(schema.get(keyword), dict):
            yield from schema[keyword].values()
    for keyword in LISTS:
        if isinstance(schema.get(keyword), list):
            yield from schema[keyword]
    if "items" in schema:
        yield schema["items"]


def resolved(schema: JSON, reference: str) -> JSON | None:
    """Return what a ``$ref`` within `schema` means, None where it leads nowhere."""
    if reference == "#":
        return schema
    if not reference.startswith("#/"):
        return None
    target: Any = schema
    for name in steps_of(reference):
        if isinstance(target, dict) and name in target:
            target = target[name]
        elif isinstance(target, list) and name.isdecimal() and int(name) < len(target):
            target = target[int(name)]
        else:
            return None
    return target if isinstance(target, dict) else None


def steps_of(reference: str) -> list[str]:
    """Return the names on the way of a ``$ref`` such as ``#/$defs/node``."""
    steps = unquote(reference[2:]).split("/")
    return [step.replace("~1", "/").replace("~0", "~") for step in steps]


def strings(value: Any) -> list[str]:
    """Return the strings of a list such as ``required``; others are passed over."""
    if not isinstance(value, list):
        return []
    return [name for name in value if isinstance(name, str)]


def malformed(param: str) -> GatewayError:
    """Return a 400 for what is no schema."""
    return invalid_request(
        f"The value of '{param}' is not a valid JSON schema.",
        param=param,
        code="invalid_json_schema",
    )


def too_deep(param: str) -> GatewayError:
    """Return a 400 for a schema that would be walked without end."""
    return invalid_request(
        f"The schema in '{param}' is nested more than {MAX_DEPTH} levels deep. "
        "Flatten it or use $defs.",
        param=param,
        code="invalid_json_schema",
    )
