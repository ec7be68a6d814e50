"""What a schema refers to: every ``$ref`` made to lead somewhere within it.

Generators leave references out of the document that a schema was cut out of
(``#/components/schemas/...``), and what is mended in a schema moves what others refer
to. Where the target can be found it is kept among the ``$defs``.
"""

import re
from collections.abc import Callable, Mapping

from gateway.hub.protocol import JSON
from gateway.hub.requests.schemas.places import PLACES, each_within, with_children
from gateway.hub.requests.schemas.reading import resolved, steps_of

_MOST = 5_000
"""Schemas that are copied on the way, one of them perhaps many times."""

_MOST_KEPT = 500
"""References whose targets are put among the definitions."""

_DEEPEST = 30
"""Levels up to which references are written out."""

_replace_bad = re.compile(r"[^a-zA-Z0-9_.-]").sub


def mended(schema: JSON, written: JSON, normal: Callable[[JSON], JSON]) -> JSON:
    """Return a schema in its `normal` form with references that lead somewhere.

    They are looked up in it as it was `written`; one that leads nowhere is told in the
    description.
    """
    if not _references(schema):
        return schema

    def stays(reference: str) -> bool:
        return reference == "#" or (
            steps_of(reference)[0] in PLACES and resolved(schema, reference) is not None
        )

    return _Mending(schema, written, normal, stays).whole()


def kept_apart(schema: JSON) -> JSON:
    """Return `schema` with all that it refers to among its ``$defs``.

    Its root may then be changed and no reference breaks.
    """

    def stays(reference: str) -> bool:
        return reference.startswith("#/$defs/")

    if all(map(stays, _references(schema))):
        return schema
    return _Mending(schema, schema, dict, stays).whole()


def inlined(schema: JSON) -> JSON:
    """Return `schema` with what it refers to (see `kept_apart`) in its place.

    Where that would have no end, the type is left of it, and a word in the description.
    """
    root = {keyword: schema[keyword] for keyword in schema if keyword != "$defs"}
    return _Inlining(schema).schema(root)


def _references(schema: JSON) -> set[str]:
    return {
        each["$ref"]
        for each in each_within(schema)
        if "$ref" in each and isinstance(each["$ref"], str)
    }


def with_note(schema: JSON, note: str) -> JSON:
    """Return `schema` with a word more in its description."""
    described = schema.get("description")
    return {**schema, "description": f"{described} ({note})" if described else note}


class _Mending:
    """The references of one schema, each looked up once."""

    def __init__(
        self,
        schema: JSON,
        written: JSON,
        normal: Callable[[JSON], JSON],
        stays: Callable[[str], bool],
    ) -> None:
        self._schema = schema
        self._written = written
        self._normal = normal
        self._stays = stays
        self._definitions: JSON = dict(schema.get("$defs") or {})
        self._names = _names_of_places(schema)
        self._given: dict[str, str] = {}
        self._waiting: list[tuple[str, JSON]] = []
        self._left = 0
        self._twins = 0

    def whole(self) -> JSON:
        """Return the schema, its references mended."""
        root = self._mended({k: v for k, v in self._schema.items() if k != "$defs"})
        for name, each in list(self._definitions.items()):
            if isinstance(each, dict):
                self._definitions[name] = self._mended(each)
        self._left = _MOST
        while self._waiting and self._left > 0:
            name, target = self._waiting.pop()
            self._definitions[name] = self._mended(self._normal(target))
        if self._definitions or "$defs" in self._schema:
            root["$defs"] = self._definitions
        return root

    def _mended(self, schema: JSON) -> JSON:
        self._left -= 1
        copy = with_children(schema, self._mended)
        reference = copy.get("$ref")
        if not isinstance(reference, str):
            return copy
        if found := self._place_of(reference):
            return {**copy, "$ref": found}
        del copy["$ref"]
        return with_note(copy, f"$ref: {reference}")

    def _place_of(self, reference: str) -> str:
        """Return where in the schema a reference leads, "" for nowhere."""
        if reference in self._names:
            return reference
        id = self._schema.get("$id")
        if isinstance(id, str) and id and reference.startswith(id.rstrip("#") + "#"):
            reference = reference[len(id.rstrip("#")) :]
        newer = reference.replace("#/definitions/", "#/$defs/", 1)
        for each in (reference, newer):
            if each.startswith("#") and self._stays(each):
                return each
        if reference not in self._given:
            self._given[reference] = self._keep(reference)
        return self._given[reference]

    def _keep(self, reference: str) -> str:
        """Put what is referred to among the definitions; return its place there."""
        target = resolved(self._written, reference)
        if target is None or len(self._given) > _MOST_KEPT:
            return ""
        if reference == "#":
            target = {k: v for k, v in target.items() if k != "$defs"}
        name = base = _replace_bad("_", steps_of(reference)[-1]) or "root"
        while name in self._definitions:
            self._twins += 1
            name = f"{base}_{self._twins}"
        self._definitions[name] = {}
        self._waiting.append((name, target))
        return f"#/$defs/{name}"


def _names_of_places(schema: JSON) -> frozenset[str]:
    """Return the references by name that `schema` has a place for."""
    found: set[str] = set()
    for each in each_within(schema):
        for keyword in ("$anchor", "$dynamicAnchor"):
            if isinstance(name := each.get(keyword), str):
                found.add(f"#{name}")
        if isinstance(id := each.get("$id"), str):
            found.add(id)
    return frozenset(found)


class _Inlining:
    """One schema, written out."""

    def __init__(self, schema: JSON) -> None:
        self._schema = schema
        self._left = _MOST

    def schema(
        self, schema: JSON, within: tuple[str, ...] = (), depth: int = 0
    ) -> JSON:
        """Return a schema written out; `within` are the references that led to it."""
        self._left -= 1
        reference = schema.get("$ref")
        if isinstance(reference, str):
            others = {k: v for k, v in schema.items() if k != "$ref"}
            return self._target(reference, others, within, depth)
        copy = with_children(schema, lambda each: self.schema(each, within, depth + 1))
        if within:
            copy.pop("$defs", None)
        return copy

    def _target(
        self,
        reference: str,
        others: Mapping[str, object],
        within: tuple[str, ...],
        depth: int,
    ) -> JSON:
        target = resolved(self._schema, reference) or {}
        if reference in within or self._left <= 0 or depth > _DEEPEST:
            kind = {"type": target["type"]} if "type" in target else {}
            name = steps_of(reference)[-1] or "root"
            return with_note({**kind, **others}, f"again as {name}")
        return self.schema({**target, **others}, (*within, reference), depth + 1)
