"""Answers held to a schema, in the weaker forms that compatible servers take.

https://platform.openai.com/docs/guides/structured-outputs
"""

import re
from collections.abc import Set
from typing import Any

from gateway.hub.protocol import JSON, Feature
from gateway.hub.requests.format_in_words import instructed, instruction
from gateway.hub.requests.losses import Losses
from gateway.hub.requests.schemas.grammar import GRAMMAR, SCHEMAS

_STRICT = GRAMMAR._replace(
    fields=("strict",),
    refusal=re.compile(
        rf"{GRAMMAR.refusal.pattern}|grammar|invalid schema for|invalid_json_schema|"
        r"schemas? (is|are) too|too complex|\bstrict\b",
        re.IGNORECASE,
    ),
)

JSON_SCHEMA = Feature(
    "json_schema",
    ("json_schema",),
    re.compile(
        # Not where a schema is at fault.
        r"^(?!.*invalid schema).*("
        r"(response_?format|json_?schema|structured.outputs?)\b.{0,80}"
        r"(unavailable|not (available|supported|allowed)|unsupported|n.t support)|"
        r"(not|n't) support.{0,60}(response_?format|json_?schema|structured.outputs?)|"
        r"(unsupported|invalid|unknown).{0,20}(response_?format|json_schema)|"
        r"response_?format\b.{0,60}(must be|should be|one of|expected|permitted))",
        re.IGNORECASE | re.DOTALL,
    ),
    anywhere=True,
    lasts=True,
)
"""Servers that know JSON, but no schemas.

https://github.com/web-infra-dev/midscene/issues/259
"""

RESPONSE_FORMAT = JSON_SCHEMA._replace(
    name="response_format", fields=("response_format",), anywhere=False
)

FORMATS: tuple[Feature, ...] = (_STRICT, JSON_SCHEMA, SCHEMAS, RESPONSE_FORMAT)
"""From the weakest loss to the greatest; each is asked for without the ones before."""

_KINDS = frozenset({"json_schema", "json_object"})


def fitted(request: JSON, avoid: Set[str], losses: Losses, role: str) -> bool:
    """Ask in weaker forms for what an upstream refused, in place.

    `role` is the one of instructions. Returns whether the format is asked for in words
    alone.
    """
    if GRAMMAR.name in avoid:
        _loosen(request, losses)
    wanted = request.get("response_format")
    kind = wanted.get("type") if isinstance(wanted, dict) else None
    refused = kind == "json_schema" and not {SCHEMAS.name, JSON_SCHEMA.name}.isdisjoint(
        avoid
    )
    is_bare = RESPONSE_FORMAT.name in avoid and kind in _KINDS
    messages = request.get("messages")
    if not (refused or is_bare) or not isinstance(messages, list):
        return False
    losses.downgrade("response_format")
    request["messages"] = instructed(messages, instruction(wanted), role)
    if is_bare:
        del request["response_format"]
        return True
    request["response_format"] = {"type": "json_object"}
    return False


def _loosen(request: JSON, losses: Losses) -> None:
    """Take the word that holds a model to a schema out of a request, in place."""
    tools = request.get("tools")
    if isinstance(tools, list):
        loose = [_without_strict(tool, "function") for tool in tools]
        if loose != tools:
            request["tools"] = loose
            losses.downgrade("tools")
    wanted = request.get("response_format")
    loosened = _without_strict(wanted, "json_schema")
    if loosened != wanted:
        request["response_format"] = loosened
        losses.downgrade("response_format")


def _without_strict(holder: Any, name: str) -> Any:
    """Return an object whose inner one is no longer strict; itself where it is not."""
    inner = holder.get(name) if isinstance(holder, dict) else None
    if not isinstance(inner, dict) or not inner.get("strict"):
        return holder
    return {**holder, name: {key: inner[key] for key in inner if key != "strict"}}
