"""Features that an upstream refused: asked again without them, and remembered.

What a model or a server takes is not always known before it is asked. A refusal that
names a feature, and not the way a client used it, holds for the next requests too: as
long as this worker's snapshot of the registry lives, they are sent without it.
"""

import re
from typing import Any

from gateway.errors import GatewayError
from gateway.hub.protocol import Feature, Translator, UpstreamRequest
from gateway.wire.jsontext import JSON
from gateway.worker.snapshot import Target

_REFUSED = frozenset({400, 422})
_DENIED = 403

_LASTING = re.compile(
    r"extra input|extraneous|extra_forbidden|permitted|support|unknown|unrecognized|"
    r"unexpected|not allowed",
    re.IGNORECASE,
)
"""What is said of a feature rather than of one client's schema."""


def refused_feature(
    error: GatewayError, rendered: UpstreamRequest, translator: Translator
) -> Feature | None:
    """Return the feature of `rendered` that was refused, None if there is none."""
    if error.status not in _REFUSED and error.status != _DENIED:
        return None
    said = f"{error.param or ''} {error.message}"
    for feature in translator.AVOIDABLE:
        may_mean = feature.denied or error.status != _DENIED
        if may_mean and feature.refusal.search(said) and _sends(rendered.body, feature):
            return feature
    return None


def _sends(body: JSON, feature: Feature) -> bool:
    if feature.anywhere:
        return _holds(body, feature.fields)
    return any(field in body for field in feature.fields)


def _holds(value: Any, fields: tuple[str, ...]) -> bool:
    """Tell whether one of `fields` stands at any depth of a body."""
    waiting = [value]
    while waiting:
        match waiting.pop():
            case dict() as found:
                if any(field in found for field in fields):
                    return True
                waiting.extend(found.values())
            case list() as found:
                waiting.extend(found)
    return False


def known(target: Target) -> frozenset[str]:
    """Return the features that this upstream model is known to refuse."""
    return target.provider.avoided.get(target.upstream_id, frozenset())


def remember(target: Target, feature: Feature, error: GatewayError) -> None:
    """Avoid `feature` from now on, where it was the feature that was refused."""
    is_general = error.code == "unsupported_parameter" or _LASTING.search(error.message)
    if feature.lasts or is_general:
        avoided = target.provider.avoided
        avoided[target.upstream_id] = known(target) | {feature.name}
