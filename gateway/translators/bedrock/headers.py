"""Headers of InvokeModel: what stands in Converse's body and here beside it.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html
"""

from collections.abc import Mapping
from typing import Any

from gateway.hub.answers.chunks import count, token_usage
from gateway.hub.protocol import JSON, Route
from gateway.hub.requests.rendering import Rendering
from gateway.translators.bedrock.settings import (
    guardrail,
    request_metadata,
    service_tier,
)
from gateway.wire.jsontext import dumps

EVENT_STREAM = "application/vnd.amazon.eventstream"

_GUARDRAIL = {
    "guardrailIdentifier": "x-amzn-bedrock-guardrailidentifier",
    "guardrailVersion": "x-amzn-bedrock-guardrailversion",
    "trace": "x-amzn-bedrock-trace",
}


def content_headers(*, is_stream: bool) -> dict[str, str]:
    """Return the headers that every call of Bedrock carries."""
    accept = EVENT_STREAM if is_stream else "application/json"
    return {"content-type": "application/json", "accept": accept}


def invoke_headers(rendering: Rendering, *, is_stream: bool) -> dict[str, str]:
    """Return the headers of an InvokeModel call for a valid request."""
    headers = content_headers(is_stream=is_stream)
    if is_stream:
        headers["x-amzn-bedrock-accept"] = "application/json"
    if tier := service_tier(rendering):
        headers["x-amzn-bedrock-service-tier"] = tier
    headers.update(guardrail_headers(rendering.route))
    return headers | metadata_headers(rendering.body.get("metadata"), rendering.route)


def metadata_headers(metadata: Any, route: Route) -> dict[str, str]:
    """Return what shows a request's metadata in AWS's logs; empty where nothing is."""
    told = request_metadata(metadata, route)
    return {"x-amzn-bedrock-request-metadata": dumps(told)} if told else {}


def guardrail_headers(route: Route) -> dict[str, str]:
    """Return what applies the provider's guardrail; empty where none is set."""
    return {
        # Here the trace is spelled in capitals, in Converse's body it is not.
        _GUARDRAIL[name]: value.upper() if name == "trace" else value
        for name, value in guardrail(route).items()
    }


def usage_of(headers: Mapping[str, str]) -> JSON | None:
    """Return the token counts in an answer's headers, where its body has none."""
    counts = {
        name: _number(headers.get(f"x-amzn-bedrock-{name}-token-count"))
        for name in ("input", "output", "cache-read-input", "cache-write-input")
    }
    if counts["input"] is None and counts["output"] is None:
        return None
    return token_usage(
        count(counts["input"]),
        count(counts["output"]),
        counts["cache-read-input"],
        counts["cache-write-input"],
    )


def _number(text: str | None) -> int | None:
    if text is None or not text.isascii() or not text.isdigit():
        return None
    return int(text[:12])
