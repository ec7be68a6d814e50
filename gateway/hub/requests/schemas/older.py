"""Words of older drafts and of OpenAPI, said as draft 2020-12 says them.

https://json-schema.org/draft/2020-12/release-notes and
https://spec.openapis.org/oas/v3.0.3#schema-object (``nullable``)
"""

import re
from typing import Any

from gateway.hub.protocol import JSON
from gateway.hub.requests.schemas.reading import strings

is_anchor = re.compile(r"[A-Za-z_][-A-Za-z0-9._]*").fullmatch


_CHANGED = frozenset(
    {
        "$id",
        "additionalItems",
        "definitions",
        "dependencies",
        "exclusiveMaximum",
        "exclusiveMinimum",
        "items",
        "properties",
        "required",
    }
)
"""Words that were used otherwise; most schemas hold none of them."""


def say_anew(found: JSON) -> None:
    """Replace the older words of one schema; those of the schemas in it stay."""
    if _CHANGED.isdisjoint(found):
        return
    _collect_required(found)
    _say_tuple(found)
    _say_limits(found)
    _say_definitions(found)
    _say_dependencies(found)
    _say_anchor(found)


def _collect_required(found: JSON) -> None:
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


def _say_tuple(found: JSON) -> None:
    rest = found.pop("additionalItems", None)
    if not isinstance(items := found.get("items"), list):
        return
    del found["items"]
    if items:
        found.setdefault("prefixItems", items)
        if isinstance(rest, dict | bool):
            found["items"] = rest


def _say_limits(found: JSON) -> None:
    """Say draft 4's exclusive limits, which were marks on the inclusive ones."""
    for limit, exclusive in (
        ("minimum", "exclusiveMinimum"),
        ("maximum", "exclusiveMaximum"),
    ):
        if isinstance(mark := found.get(exclusive), bool):
            del found[exclusive]
            if mark and limit in found:
                found[exclusive] = found.pop(limit)


def _say_definitions(found: JSON) -> None:
    if isinstance(definitions := found.get("definitions"), dict):
        del found["definitions"]
        newer = found.get("$defs")
        found["$defs"] = definitions | (newer if isinstance(newer, dict) else {})


def _say_dependencies(found: JSON) -> None:
    dependencies = found.pop("dependencies", None)
    if not isinstance(dependencies, dict):
        return
    for name, value in dependencies.items():
        keyword, needs = "dependentRequired", value
        if isinstance(value, dict | bool):
            keyword = "dependentSchemas"
        elif isinstance(value, str):
            needs = [value]
        known = found.get(keyword)
        found[keyword] = {name: needs, **(known if isinstance(known, dict) else {})}


def _say_anchor(found: JSON) -> None:
    """Say the names of places, which up to draft 7 were ids."""
    id = found.get("$id")
    if isinstance(id, str) and id.startswith("#") and is_anchor(id[1:]):
        del found["$id"]
        found.setdefault("$anchor", id[1:])


def allow_null(found: JSON) -> None:
    """Say OpenAPI's ``nullable``; the type is one of JSON Schema's by now."""
    if found.pop("nullable", None) is not True:
        return
    if isinstance(enum := found.get("enum"), list) and None not in enum:
        found["enum"] = [*enum, None]
    kind = found.get("type")
    if kind is not None:
        kinds = kind if isinstance(kind, list) else [kind]
        found["type"] = kinds if "null" in kinds else [*kinds, "null"]
        return
    _add_null_branch(found)


def _add_null_branch(found: JSON) -> None:
    for keyword in ("anyOf", "oneOf"):
        if isinstance(branches := found.get(keyword), list) and branches:
            if {"type": "null"} not in branches:
                found[keyword] = [*branches, {"type": "null"}]
            return
    moved: JSON = {
        keyword: found.pop(keyword) for keyword in ("$ref", "allOf") if keyword in found
    }
    if moved:
        branches_of: list[Any] = [moved, {"type": "null"}]
        found["anyOf"] = branches_of
