"""A schema in the subset that native structured output accepts.

Structured output and strict tools refuse the rest with a 400:
https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations
"""

from typing import Any

from gateway.hub.protocol import JSON
from gateway.hub.requests.schemas.reading import LISTS, MAPS, MAX_DEPTH, too_deep
from gateway.wire.jsontext import dumps

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


def sanitise(schema: JSON, param: str) -> JSON:
    """Return `schema` in the subset that native structured output accepts.

    Objects are closed, ``oneOf`` becomes ``anyOf``, and limits that cannot be enforced
    move into the description, where the model still reads them. Ask `cost_of`
    first: this does not mend what has no native form. Raises a 400 naming `param` for a
    schema nested too deeply.
    """
    return _sanitise(schema, param, 0)


def _sanitise(schema: JSON, param: str, depth: int) -> JSON:
    if depth > MAX_DEPTH:
        raise too_deep(param)
    clean: JSON = {}
    removed: list[str] = []
    alternatives: list[list[Any]] = []
    for keyword, value in schema.items():
        if keyword in _SILENT:
            continue
        if keyword in _UNSUPPORTED or _is_refused_value(keyword, value):
            removed.append(f"{keyword}: {dumps(value)}")
        elif keyword in MAPS and isinstance(value, dict):
            clean[keyword] = {
                name: _sanitise_child(child, param, depth)
                for name, child in value.items()
            }
        elif keyword in LISTS and isinstance(value, list):
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
