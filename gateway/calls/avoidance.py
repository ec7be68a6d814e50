"""Features that an upstream refused: asked again without them, and remembered.

What a model or a server takes is not always known before it is asked. A refusal that
names a feature, and not the way a client used it, holds for the next requests too: as
long as this worker's snapshot of the registry lives, they are sent without it.
"""

import re

from gateway.errors import GatewayError
from gateway.hub.protocol import Translator, UpstreamRequest
from gateway.wire.jsontext import JSON
from gateway.worker.snapshot import Target

_REFUSED = frozenset({400, 422})

_LASTING = re.compile(
    r"extra input|extraneous|extra_forbidden|permitted|support|unknown|unrecognized|"
    r"unexpected|not allowed",
    re.IGNORECASE,
)
"""What is said of a feature rather than of one client's schema."""


def refused_feature(
    error: GatewayError, rendered: UpstreamRequest, translator: Translator
) -> str:
    """Return the name of the feature of `rendered` that was refused, empty if none."""
    if error.status not in _REFUSED:
        return ""
    said = f"{error.param or ''} {error.message}"
    for feature in translator.AVOIDABLE:
        if _sends(rendered.body, feature.fields) and feature.refusal.search(said):
            return feature.name
    return ""


def _sends(body: JSON, fields: tuple[str, ...]) -> bool:
    return any(field in body for field in fields)


def known(target: Target) -> frozenset[str]:
    """Return the features that this upstream model is known to refuse."""
    return target.provider.avoided.get(target.upstream_id, frozenset())


def remember(target: Target, feature: str, error: GatewayError) -> None:
    """Avoid `feature` from now on, where it was the feature that was refused."""
    if error.code == "unsupported_parameter" or _LASTING.search(error.message):
        avoided = target.provider.avoided
        avoided[target.upstream_id] = known(target) | {feature}
