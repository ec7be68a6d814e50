"""What Anthropic itself reports of a model, held against the table of models."""

from typing import Any

from gateway.hub.protocol import Route
from gateway.translators.anthropic.requests.claude_models import (
    ClaudeModel,
    claude_model,
)
from tests.recordings.traffic import JSON

EFFORTS = ("low", "medium", "high", "xhigh", "max")


def reported_capabilities(info: JSON) -> JSON:
    """Return what Anthropic itself reports of a model, as overrides for its row.

    `info` is an entry of ``GET /v1/models``. It says nothing about sampling, forced
    tools and prefill; there the table stays right. Only differences from the table are
    returned. https://platform.claude.com/docs/en/api/models/list
    """
    model = claude_model(Route("", str(info.get("id", ""))))
    reported = info.get("capabilities")
    reported = reported if isinstance(reported, dict) else {}
    found: JSON = {}
    limit = info.get("max_tokens")
    if isinstance(limit, int) and limit > 0:
        found["max_output"] = limit
    structured = _supported(reported.get("structured_outputs"))
    if structured is not None:
        found["structured"] = structured
    if isinstance(reported.get("effort"), dict):
        found["efforts"] = [
            effort for effort in EFFORTS if _supported(reported["effort"].get(effort))
        ]
    if isinstance(reported.get("thinking"), dict):
        found["thinking"] = sorted(_thinking_types(reported["thinking"], model))
    known = {**vars(model), "efforts": list(model.efforts)}
    known["thinking"] = sorted(model.thinking)
    return {name: value for name, value in found.items() if value != known[name]}


def _thinking_types(reported: JSON, model: ClaudeModel) -> frozenset[str]:
    """Return the accepted types; what is not reported stays as the table has it."""
    if not reported.get("supported"):
        return frozenset()
    types = reported.get("types")
    types = types if isinstance(types, dict) else {}
    answers = {type: _supported(value) for type, value in types.items()}
    added = {type for type, answer in answers.items() if answer}
    removed = {type for type, answer in answers.items() if answer is False}
    return (model.thinking | added) - removed


def _supported(capability: Any) -> bool | None:
    value = capability.get("supported") if isinstance(capability, dict) else None
    return value if isinstance(value, bool) else None
