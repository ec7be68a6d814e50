"""Features that an upstream refused: asked again without them, and remembered.

What a model or a server takes is not always known before it is asked. A refusal that
names a feature, and not the way a client used it, holds for the next requests too: as
long as this worker's snapshot of the registry lives, they are sent without it.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import Any

from gateway.doors.protocol import Asked
from gateway.errors import UNKNOWN_URL, GatewayError
from gateway.hub.protocol import Feature, UpstreamRequest
from gateway.wire.jsontext import JSON, encode
from gateway.worker.snapshot import Target

_REFUSED = frozenset({400, 422})
_DENIED = 403

_SCHEMAS = frozenset({"tools", "functions", "response_format", "text", "extra_body"})
"""Where schemas stand in a request."""

_VALUES = re.compile(r"[\w-]+")

_NOTHING: frozenset[str] = frozenset()
_MOST_KEPT = 256
"""What is remembered of a model; who varies it with each request makes it no more."""

_LASTING = re.compile(
    r"extra input|extraneous|extra_forbidden|permitted|support|unknown|unrecognized|"
    r"unexpected|not allowed",
    re.IGNORECASE,
)
"""What is said of a feature rather than of one client's schema."""


def refused_feature(
    error: GatewayError, rendered: UpstreamRequest, avoidable: Iterable[Feature]
) -> Feature | None:
    """Return which of these features of `rendered` was refused, None if none was."""
    if error.code == UNKNOWN_URL:
        return next((feature for feature in avoidable if feature.is_path), None)
    if error.status not in _REFUSED and error.status != _DENIED:
        return None
    said = f"{error.param or ''} {error.message}"
    for feature in avoidable:
        may_mean = feature.denied or error.status != _DENIED
        if not may_mean or not (found := feature.refusal.search(said)):
            continue
        if taken := found.groupdict().get("value"):
            if _sends(rendered.body, feature):
                return feature.of_values(_VALUES.findall(taken))
        elif feature.header:
            if (refused := _refused_values(rendered, feature, said)) is not None:
                return refused
        elif _sends(rendered.body, feature):
            return feature
    return None


def _refused_values(
    rendered: UpstreamRequest, feature: Feature, said: str
) -> Feature | None:
    """Return the feature of those values that were `said` to be refused.

    All of them where none is named; None where it is a value that we did not send.
    """
    told = rendered.headers.get(feature.header, "")
    sent: list[Any] = [each.strip() for each in told.split(",")]
    for held in _found(rendered.body, feature.fields):
        sent += held.values() if isinstance(held, dict) else held
    values = [each for each in sent if isinstance(each, str) and each]
    named = [value for value in values if value in said]
    if named:
        return feature.of_values(named)
    return feature if values and "`" not in said else None


def _sends(body: JSON, feature: Feature) -> bool:
    if feature.anywhere:
        return any(True for _ in _found(body, feature.fields))
    return any(field in body for field in feature.fields)


def _found(value: Any, fields: tuple[str, ...]) -> Iterator[Any]:
    """Yield what stands under one of `fields` at any depth of a body."""
    waiting = [value]
    while waiting:
        match waiting.pop():
            case dict() as found:
                yield from (found[field] for field in fields if field in found)
                waiting.extend(found.values())
            case list() as found:
                waiting.extend(found)


def known(target: Target, asked: Asked) -> frozenset[str]:
    """Return what this upstream model is known to refuse of a client's request."""
    provider, model = target.provider, target.upstream_id
    if not (provider.avoided or provider.refused_schemas):
        return _NOTHING
    avoided = provider.avoided.get(model, _NOTHING)
    schemas = provider.refused_schemas.get(model)
    if schemas is None or _SCHEMAS.isdisjoint(asked.body):
        return avoided
    return avoided | schemas.get(_digest(asked.body), _NOTHING)


def remember(target: Target, feature: Feature, error: GatewayError, body: JSON) -> None:
    """Avoid `feature` from now on, where it was the feature that was refused.

    Where the schemas of `body`, the client's request, were refused, it is for these.
    """
    provider, model = target.provider, target.upstream_id
    if feature.of_one:
        return
    if feature.of_schemas:
        schemas = provider.refused_schemas.setdefault(model, {})
        if len(schemas) >= _MOST_KEPT:
            # It is soon learned again.
            schemas.clear()
        digest = _digest(body)
        schemas[digest] = schemas.get(digest, _NOTHING) | {feature.name}
    elif feature.is_path or feature.lasts or _is_general(error):
        note(target, feature.name)


def is_noted(target: Target, name: str) -> bool:
    """Tell whether `name` was noted of this upstream model."""
    return name in target.provider.avoided.get(target.upstream_id, _NOTHING)


def note(target: Target, name: str) -> None:
    """Note what this upstream model does not do, as long as the snapshot lives."""
    avoided = target.provider.avoided
    before = avoided.get(target.upstream_id, _NOTHING)
    if len(before) >= _MOST_KEPT:
        before = _NOTHING
    avoided[target.upstream_id] = before | {name}


def _is_general(error: GatewayError) -> bool:
    is_named = error.code == "unsupported_parameter"
    return is_named or bool(_LASTING.search(error.message))


def _digest(body: JSON) -> bytes:
    """Return what tells the schemas of a request from others."""
    held = [body.get(field) for field in sorted(_SCHEMAS)]
    return hashlib.sha256(encode(held)).digest()
