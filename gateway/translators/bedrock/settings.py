"""What a provider's administrator sets for all of its Bedrock calls.

https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-use-converse-api.html
"""

import re
from typing import Any

from gateway.hub.protocol import JSON, Feature, Route
from gateway.hub.requests.rendering import Rendering

_METADATA_VALUE = re.compile(r"[a-zA-Z0-9\s:_@$#=/+,.-]{0,256}", re.ASCII)

_TIERS = {
    "default": "default",
    "flex": "flex",
    "priority": "priority",
    "fast": "priority",
}

SERVICE_TIER = Feature(
    "service_tier",
    ("serviceTier",),
    re.compile(r"service[ _-]?tier", re.IGNORECASE),
    lasts=True,
    header="x-amzn-bedrock-service-tier",
)
"""A tier that a model or region lacks: the request goes by the account's own.

https://docs.aws.amazon.com/bedrock/latest/userguide/service-tiers-inference.html
"""


def has_flag(route: Route, name: str, *, default: bool = False) -> bool:
    """Say whether the model or its provider is marked with the capability `name`."""
    return bool(route.capabilities.get(name, route.options.get(name, default)))


def guardrail(route: Route) -> JSON:
    """Return Converse's `guardrailConfig`; empty where no guardrail is set."""
    config = {
        "guardrailIdentifier": route.options.get("guardrail_id"),
        "guardrailVersion": route.options.get("guardrail_version"),
        "trace": route.options.get("guardrail_trace"),
    }
    if not config["guardrailIdentifier"]:
        return {}
    config["guardrailVersion"] = config["guardrailVersion"] or "DRAFT"
    return {name: str(value) for name, value in config.items() if value}


def request_metadata(metadata: Any, route: Route) -> dict[str, str]:
    """Return a request's metadata for AWS's own logs, if the provider wants it.

    Entries that AWS would refuse are left out: they must not fail the call.
    """
    if not isinstance(metadata, dict) or not route.options.get("request_metadata"):
        return {}
    return {
        key: value
        for key, value in list(metadata.items())[:16]
        if isinstance(value, str)
        and _METADATA_VALUE.fullmatch(value)
        and key
        and _METADATA_VALUE.fullmatch(key)
    }


def service_tier(rendering: Rendering) -> str | None:
    """Return Bedrock's service tier for the request's; None leaves it to Bedrock."""
    asked = rendering.body.get("service_tier")
    if asked is None or asked == "auto":
        return None
    tier = _TIERS.get(asked)
    if tier is None or not SERVICE_TIER.left((tier,), rendering.route.avoid):
        rendering.losses.drop("service_tier")
        return None
    return tier


def converse_settings(rendering: Rendering) -> JSON:
    """Return the service tier, guardrail and metadata as a Converse body has them."""
    found: JSON = {}
    if tier := service_tier(rendering):
        found["serviceTier"] = {"type": tier}
    if config := guardrail(rendering.route):
        found["guardrailConfig"] = config
    metadata = request_metadata(rendering.body.get("metadata"), rendering.route)
    if metadata:
        found["requestMetadata"] = metadata
    return found
