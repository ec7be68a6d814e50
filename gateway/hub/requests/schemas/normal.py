"""A schema as its generator wrote it, in JSON Schema's draft 2020-12.

Anthropic and Bedrock refuse a whole request for one tool whose schema is not valid
there, and Ollama's reader for one it cannot hold. What generators write all the same:
nulls, words of older drafts and of programming languages, empty lists for objects.
https://json-schema.org/draft/2020-12/schema
"""

from functools import partial
from typing import Any

from gateway.hub.protocol import JSON
from gateway.hub.requests.schemas.kept import kept
from gateway.hub.requests.schemas.older import allow_null, say_anew
from gateway.hub.requests.schemas.places import LISTED, MAPPED, PLACES, SINGLE
from gateway.hub.requests.schemas.reading import MAX_DEPTH, malformed, too_deep
from gateway.hub.requests.schemas.references import mended
from gateway.hub.requests.schemas.values import IS_RIGHT, SILENT, is_pattern
from gateway.wire.jsontext import dumps

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
_JUDGED = frozenset(IS_RIGHT)
_PLAIN = frozenset({"description", "title", "type"})


def normal(schema: JSON, param: str) -> JSON:
    """Return `schema` in draft 2020-12; it is not changed, nor may the result be.

    What has no meaning there is told in the description, and every ``$ref`` leads
    somewhere. Raises a 400 naming `param` for a number in a schema's place and for a
    schema nested too deeply.
    """
    made = _normal(schema, param, 0)
    return mended(made, schema, partial(_normal, param=param, depth=0))


normalised = kept(normal)
"""The same, kept: for a schema that is sent as it stands."""


def _child(value: Any, param: str, depth: int) -> Any:
    """Return what stands in a schema's place; what is empty there means anything."""
    if isinstance(value, bool):
        return value
    if isinstance(value, dict):
        return value if _is_plain(value) else _normal(value, param, depth + 1)
    if isinstance(value, str) and (name := _type_name(value)):
        return {"type": name}
    if isinstance(value, int | float):
        raise malformed(param)
    return {}


def _is_plain(schema: JSON) -> bool:
    """Tell whether a schema says its type and what it is for, as most do."""
    return _PLAIN.issuperset(schema) and (
        all(isinstance(value, str) for value in schema.values())
        and schema.get("type", "string") in _TYPES
    )


def _normal(schema: JSON, param: str, depth: int) -> JSON:
    if depth > MAX_DEPTH:
        raise too_deep(param)
    found = {
        keyword: value
        for keyword, value in schema.items()
        if value is not None or keyword in _NULL_IS_A_VALUE
    }
    notes: list[str] = []
    say_anew(found)
    _mend_type(found, notes)
    allow_null(found)
    if not PLACES.isdisjoint(found):
        _mend_children(found, notes, param, depth)
    if not _JUDGED.isdisjoint(found):
        _mend_values(found, notes)
    _describe(found, notes)
    return found


def _mend_children(found: JSON, notes: list[str], param: str, depth: int) -> None:
    for keyword in SINGLE:
        if keyword in found:
            _mend_single(found, keyword, param, depth)
    for keyword in MAPPED:
        if keyword in found:
            _mend_map(found, keyword, notes, param, depth)
    for keyword in LISTED:
        if keyword in found:
            _mend_list(found, keyword, param, depth)


def _mend_values(found: JSON, notes: list[str]) -> None:
    for keyword, is_right in IS_RIGHT.items():
        if keyword in found and not is_right(found[keyword]):
            value = found.pop(keyword)
            if value and keyword not in SILENT:
                notes.append(f"{keyword}: {dumps(value)}")


def _mend_type(found: JSON, notes: list[str]) -> None:
    if "type" not in found:
        return
    given = found["type"]
    if isinstance(given, str) and given in _TYPES:
        return
    named = [each for each in given if each] if isinstance(given, list) else [given]
    if _are_schemas(named):
        _mend_alternatives(found, named)
        return
    names = [_type_name(each) for each in named]
    known = list(dict.fromkeys(name for name in names if name))
    if known and len(known) == len(set(map(str, named))):
        found["type"] = known if isinstance(given, list) else known[0]
        return
    del found["type"]
    if given and not all(isinstance(each, str) and each in _ANY for each in named):
        notes.append(f"type: {dumps(given)}")


def _are_schemas(named: list[Any]) -> bool:
    """Tell whether types are told as draft 3 could: by schemas, perhaps among names."""
    return any(isinstance(each, dict) and each for each in named) and all(
        isinstance(each, dict) or _type_name(each) for each in named
    )


def _mend_alternatives(found: JSON, named: list[Any]) -> None:
    del found["type"]
    alternatives = [
        each if isinstance(each, dict) else {"type": _type_name(each)} for each in named
    ]
    if "anyOf" in found:
        every = found.get("allOf")
        every = every if isinstance(every, list) else []
        found["allOf"] = [*every, {"anyOf": alternatives}]
    else:
        found["anyOf"] = alternatives


def _type_name(value: Any) -> str:
    if not isinstance(value, str):
        return ""
    name = value.lower()
    return name if name in _TYPES else _MEANT.get(name, "")


def _mend_single(found: JSON, keyword: str, param: str, depth: int) -> None:
    value = found[keyword]
    if keyword == "not" and not isinstance(value, dict | bool):
        # As "anything" it would refuse everything.
        del found[keyword]
    else:
        found[keyword] = _child(value, param, depth)


def _mend_map(
    found: JSON, keyword: str, notes: list[str], param: str, depth: int
) -> None:
    value = found[keyword]
    if keyword == "patternProperties" and isinstance(value, dict):
        wrong = {name: value[name] for name in value if not is_pattern(name)}
        if wrong:
            notes.append(f"{keyword}: {dumps(wrong)}")
            value = {name: value[name] for name in value if name not in wrong}
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
