"""A schema for models that take hardly anything at its root.

Nova takes ``type``, ``properties`` and ``required`` there and no references:
https://docs.aws.amazon.com/nova/latest/userguide/tool-use-definition.html and
https://github.com/pydantic/pydantic-ai/issues/1623
"""

from typing import NamedTuple

from gateway.hub.protocol import JSON
from gateway.hub.requests.schemas.kept import kept
from gateway.hub.requests.schemas.references import inlined, kept_apart
from gateway.wire.jsontext import dumps

_TOLD = (
    "dependentRequired",
    "dependentSchemas",
    "else",
    "if",
    "maxProperties",
    "minProperties",
    "not",
    "patternProperties",
    "propertyNames",
    "then",
)
"""What a root may say of its object and a model should know."""


class BareSchema(NamedTuple):
    """The schema of an object, and in words what else its root said."""

    schema: JSON
    words: str


def _bare(schema: JSON, param: str) -> BareSchema:
    whole = inlined(kept_apart(schema))
    notes = [f"{word}: {dumps(whole[word])}" for word in _TOLD if word in whole]
    if isinstance(others := whole.get("additionalProperties"), dict) and others:
        notes.append(f"additionalProperties: {dumps(others)}")
    words = [whole.get("description"), f"({', '.join(notes)})" if notes else ""]
    root: JSON = {"type": "object", "properties": whole.get("properties", {})}
    if "required" in whole:
        root["required"] = whole["required"]
    return BareSchema(root, " ".join(word for word in words if word))


bare_schema = kept(_bare)
"""Return an object's schema with nothing else at its root, and no references."""
