"""What Ollama's clients ask before they talk: which models, which one, which version.

https://docs.ollama.com/api/tags · https://docs.ollama.com/api-reference/show-model-details
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from gateway.doors.protocol import JSON
from gateway.errors import GatewayError, invalid_request

VERSION = "0.13.0"
"""Clients compare it with what they need; this door answers as that one does."""

_DETAILS = {
    "parent_model": "",
    "format": "gateway",
    "family": "",
    "families": [],
    "parameter_size": "",
    "quantization_level": "",
}


def tags(models: Iterable[tuple[str, datetime]]) -> JSON:
    """Return the list of models, each by its id and the time it is there since."""
    return {
        "models": [
            {
                "name": name,
                "model": name,
                "modified_at": since.astimezone(UTC).isoformat(),
                "size": 0,
                "digest": "",
                "details": _DETAILS,
            }
            for name, since in models
        ]
    }


def shown(since: datetime, kind: str, capabilities: Mapping[str, Any]) -> JSON:
    """Return what is known of one model; `kind` is chat or embedding."""
    info: JSON = {"general.architecture": "gateway"}
    if isinstance(window := capabilities.get("max_input_tokens"), int):
        info["gateway.context_length"] = window
    does = ["embedding"] if kind == "embedding" else ["completion", "tools", "vision"]
    return {
        "modified_at": since.astimezone(UTC).isoformat(),
        "details": _DETAILS,
        "model_info": info,
        "capabilities": does,
    }


def named(body: JSON) -> str:
    """Return the model that is to be shown; raises a 400."""
    for field in ("model", "name"):
        if isinstance(name := body.get(field), str) and name:
            return name
    raise _missing("model")


def _missing(field: str) -> GatewayError:
    return invalid_request(f"{field} is required", param=field, code="missing_field")
