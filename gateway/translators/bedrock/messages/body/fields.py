"""The top level of a Messages request, which is a closed list at Bedrock.

"Extra inputs are not permitted" is said of all else.
https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages-request-response.html
"""

from typing import Any

from gateway.errors import unsupported
from gateway.hub.protocol import JSON
from gateway.hub.requests.losses import Losses
from gateway.translators.anthropic.requests.claude_models import ClaudeModel
from gateway.translators.bedrock.messages.body import betas

_SENT = frozenset(
    {
        "max_tokens",
        "messages",
        "system",
        "stop_sequences",
        "temperature",
        "top_p",
        "top_k",
        "tools",
        "tool_choice",
        "thinking",
        "metadata",
        "output_config",
        "context_management",
        "safeguards",
    }
)
_SAID_OTHERWISE = frozenset(
    {
        "model",
        "stream",
        "betas",
        "anthropic_beta",
        "anthropic_version",
        "service_tier",
        "output_format",
    }
)
"""Told by the address, in a header or under another name."""

_MEANT = ("mcp_servers", "container", "fallbacks", "thread", "inference_geo")
"""What would change the answer's meaning if it were left out."""

_EDITS = {
    "clear_tool_uses_20250919": betas.CONTEXT,
    "compact_20260112": betas.COMPACT,
}
"""Edits of the context that Bedrock knows, and the beta of each."""

_TIERS = {"standard_only": "default"}


def closed(body: JSON, losses: Losses) -> JSON:
    """Return the fields of `body` that are sent, in their order, others dropped.

    Raises a 400 for those without which the answer would mean something else.
    """
    for name in _MEANT:
        if body.get(name):
            raise unsupported(f"{name}: not supported on Amazon Bedrock", param=name)
    for name in body:
        if name not in _SENT | _SAID_OTHERWISE and name not in _MEANT:
            losses.drop(name)
    if "output_format" in body:
        config = {**_object(body.get("output_config")), "format": body["output_format"]}
        body = {**body, "output_config": config}
    return {name: body[name] for name in body if name in _SENT}


def fit_output(body: JSON, claude: ClaudeModel, losses: Losses) -> None:
    """Fit `output_config` to the model, in place."""
    if "output_config" not in body:
        return
    config = dict(_object(body["output_config"]))
    if "task_budget" in config:
        del config["task_budget"]
        losses.drop("output_config.task_budget")
    if "effort" in config and not claude.efforts:
        del config["effort"]
        losses.drop("output_config.effort")
    if config:
        body["output_config"] = config
    else:
        del body["output_config"]


def fit_context(body: JSON, losses: Losses) -> tuple[str, ...]:
    """Leave the edits of the context that Bedrock knows; return the betas of them."""
    if "context_management" not in body:
        return ()
    edits = _object(body["context_management"]).get("edits")
    asked = edits if isinstance(edits, list) else []
    kept = [edit for edit in asked if _kind(edit) in _EDITS]
    if not kept:
        del body["context_management"]
        losses.drop("context_management")
        return ()
    if len(kept) < len(asked):
        losses.downgrade("context_management")
    body["context_management"] = {"edits": kept}
    return tuple(dict.fromkeys(_EDITS[_kind(edit)] for edit in kept))


def tier_of(body: JSON) -> str:
    """Return Bedrock's name of the service tier that is asked for, or nothing."""
    asked = body.get("service_tier")
    return _TIERS.get(asked, "") if isinstance(asked, str) else ""


def betas_in(body: JSON) -> list[str]:
    """Return the betas that a body names, as raw clients have them."""
    named: list[str] = []
    for field in ("betas", "anthropic_beta"):
        value = body.get(field)
        names = value if isinstance(value, list) else [value]
        named += [name for name in names if isinstance(name, str)]
    return named


def _kind(edit: Any) -> str:
    kind = edit.get("type") if isinstance(edit, dict) else None
    return kind if isinstance(kind, str) else ""


def _object(value: Any) -> JSON:
    return value if isinstance(value, dict) else {}
